"""Direct preference optimisation on the arena's votes, through TRL: ``pairs`` are what it reads, ``stage`` what it runs.

The packed loss of supervised runs has no part in it, nor it in them; TRL is the extra ``dpo`` and imported nowhere else.
"""
