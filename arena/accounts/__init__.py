"""How django-allauth is told to make, find and guard accounts here."""
