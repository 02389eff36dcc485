"""``manage.py demo``: the whole site on one machine, and its check."""
