"""Prompts to start from, by theme and by learners' level. Basque whatever the page's language: Basque is what is being judged."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from arena.types import LanguageLevel

FILE = Path(__file__).parent / "data" / "starters.tsv"
THEMES_SHOWN, PROMPTS_SHOWN = 3, 3
TITLES: Mapping[str, Promise] = {
    "start": _("To begin with"),
    "everyday": _("Everyday life"),
    "cooking": _("Cooking"),
    "nature": _("Nature"),
    "history": _("History"),
    "culture": _("Basque culture"),
    "language": _("Words and language"),
    "science": _("School and science"),
    "letters": _("Letters and official texts"),
    "work": _("Work"),
    "stories": _("Humour and stories"),
    "opinion": _("Opinions"),
    "advice": _("Advice"),
    "health": _("Health"),
    "travel": _("Travel"),
    "technology": _("Technology"),
    "sport": _("Sport"),
    "music": _("Music and arts"),
}


@dataclass(frozen=True, slots=True)
class Starter:
    """One prompt; *theme* is a key of :data:`TITLES`."""

    theme: str
    level: LanguageLevel
    prompt: str


@dataclass(frozen=True, slots=True)
class Theme:
    """A theme with those of its prompts that are shown."""

    title: str | Promise
    prompts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Selection:
    """A page of themes. *level* is ``None`` where all levels are mixed; the next page is number *more*, and after the last one comes the first."""

    themes: tuple[Theme, ...]
    level: LanguageLevel | None
    seed: int
    page: int
    more: int
    pages: int


@cache
def starters() -> tuple[Starter, ...]:
    """All prompts in the order of their file."""
    with FILE.open(encoding="utf-8", newline="") as handle:
        rows = csv.DictReader(handle, delimiter="\t", quoting=csv.QUOTE_NONE)
        return tuple(Starter(row["theme"], LanguageLevel(row["level"]), row["prompt"]) for row in rows)


def select(*, seed: int, page: int = 0, level: LanguageLevel | None = None) -> Selection:
    """A few prompts of a few themes, the same for the same seed; all pages together show each prompt once."""
    themes = _shuffled(TITLES, seed)
    rounds = -(-max(len(_ordered(theme, seed, level)) for theme in themes) // PROMPTS_SHOWN)
    a_round = -(-len(themes) // THEMES_SHOWN)
    page %= rounds * a_round
    turn, place = divmod(page, a_round)
    shown = themes[place * THEMES_SHOWN : (place + 1) * THEMES_SHOWN]
    first = turn * PROMPTS_SHOWN
    return Selection(
        themes=tuple(
            Theme(TITLES[theme], _ordered(theme, seed, level)[first : first + PROMPTS_SHOWN])
            for theme in shown
        ),
        level=level,
        seed=seed,
        page=page,
        more=(page + 1) % (rounds * a_round),
        pages=rounds * a_round,
    )


def _ordered(theme: str, seed: int, level: LanguageLevel | None) -> tuple[str, ...]:
    """A theme's prompts shuffled within each level, the levels taking turns."""
    levels = (level,) if level else tuple(LanguageLevel)
    columns = [
        _shuffled([each.prompt for each in starters() if (each.theme, each.level) == (theme, one)], seed)
        for one in levels
    ]
    longest = max(map(len, columns))
    return tuple(column[row] for row in range(longest) for column in columns if row < len(column))


def _shuffled(of: Mapping[str, Promise] | list[str], seed: int) -> list[str]:
    order = list(of)
    Random(seed).shuffle(order)  # noqa: S311  # an order of prompts, not a secret
    return order
