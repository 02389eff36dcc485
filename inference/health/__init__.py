"""What endpoints look like from outside: looking at their servers, and judging what was seen.

``types`` the words, ``load`` a vLLM server's own metrics, ``http`` small requests beside the chat, ``look`` all steps of a probe, ``judge`` the verdict; none
of these knows Django. ``overview`` and ``whole`` read.
"""
