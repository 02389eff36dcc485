"""Attacks on a real process of the site. ``make test-security`` runs them at full length, ``make test`` a sample of each."""
