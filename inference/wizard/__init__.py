"""What the guided checks of a new endpoint ask of it, and what is made of the answers. Nothing here knows Django.

``ask`` one bounded question, ``smoke`` short Basque prompts, ``template`` context, turns, stop tokens and system prompts, ``identity`` who it says it is.
"""
