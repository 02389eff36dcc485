"""Dates as Basque writes them, and French. Basque suffixes follow the number's last spoken word, which no format string can say.

After Euskaltzaindia's rule for dates: 2026ko (hogeita sei), 2025eko (hogeita bost); 23a, but 11 and 31 (hamaika ends in -a already).
"""

from __future__ import annotations

from datetime import date

_MONTHS = [
    "urtarrilaren",
    "otsailaren",
    "martxoaren",
    "apirilaren",
    "maiatzaren",
    "ekainaren",
    "uztailaren",
    "abuztuaren",
    "irailaren",
    "urriaren",
    "azaroaren",
    "abenduaren",
]


def basque_date(day: date) -> str:
    """``2026ko azaroaren 23a``."""
    article = "" if day.day in {11, 31} else "a"
    return f"{day.year}{_of_year(day.year)} {_MONTHS[day.month - 1]} {day.day}{article}"


def french_date(day: date, *, month_and_year: str) -> str:
    """``1er mars 2026``, but ``2 mars 2026``; *month_and_year* in French."""
    return f"{'1er' if day.day == 1 else day.day} {month_and_year}"


def _of_year(year: int) -> str:
    """-eko after a consonant: bat, bost, hamar and the hundreds; -ko after a vowel."""
    two = year % 100
    ends_in_consonant = (
        (two == 0 and year % 1000 != 0)  # ehun
        or two % 20 == 10  # hamar, hogeita hamar, ...
        or two % 20 in {1, 5, 15}  # bat, bost, hamabost
    )
    return "eko" if ends_in_consonant else "ko"
