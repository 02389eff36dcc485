"""The commands of ``python -m training``, one a module.

A module has ``add(commands)``, which adds its parser and sets ``run`` among its defaults: a function of the parsed options that returns what is printed
as YAML, or None where the command printed for itself. Heavy packages are imported inside ``run``.
"""
