"""Which judgements an analysis is about: the same words in an address and on the command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time
from typing import Self
from urllib.parse import urlencode

import numpy as np
from numpy.typing import NDArray

from ranking.errors import BadInput
from ranking.filters import FilterSet, apply_filters
from ranking.judgements import Judgements

Mask = NDArray[np.bool_]
UNDECLARED = "undeclared"
UNMEASURED = "unmeasured"
TURNS = ("1", "2", "3+")
LENGTHS = ("1-50", "51-100", "101-200", "201-400", "401-800", "801+")
"""Bands of the first message's characters."""
_ENDS = (50, 100, 200, 400, 800)
_LONGEST = 200  # characters of a value


def length_band(chars: NDArray[np.int64]) -> NDArray[np.int64]:
    """The index in :data:`LENGTHS` of each length."""
    return np.searchsorted(_ENDS, chars).astype(np.int64)


def turns_band(turns: NDArray[np.int64]) -> NDArray[np.int64]:
    """The index in :data:`TURNS` of each number of messages."""
    return (np.clip(turns, 1, len(TURNS)) - 1).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Selection:
    """What judgements must have in common; all that count where nothing is asked.

    Parameters
    ----------
    campaign
        The campaign's code.
    since, until
        Days in UTC: from the one, and before the other.
    level, education
        As declared, or :data:`UNDECLARED`.
    language
        The first message's, as measured, or :data:`UNMEASURED`.
    turns, length
        One of :data:`TURNS`, one of :data:`LENGTHS`.
    display
        How the answers were shown.
    exclude
        Which reasons exclude a vote, as :class:`ranking.filters.FilterSet` writes them; every reason if empty.
    """

    campaign: str = ""
    since: str = ""
    until: str = ""
    level: str = ""
    education: str = ""
    language: str = ""
    turns: str = ""
    length: str = ""
    display: str = ""
    exclude: str = ""

    @classmethod
    def of(cls, asked: Mapping[str, str]) -> Self:
        """The selection by the names of its parameters; others are none of its business.

        Raises ``BadInput`` for a value that cannot be one, with the name as column.
        """
        found = cls(**{each.name: asked.get(each.name, "").strip() for each in fields(cls)})
        for name in FIELDS:
            value = getattr(found, name)
            if len(value) > _LONGEST or not value.isprintable():
                raise BadInput(f"is no text of at most {_LONGEST} printable characters", column=name)
        for name in ("since", "until"):
            _day(found, name)
        for name, known in (("turns", TURNS), ("length", LENGTHS)):
            value = getattr(found, name)
            if value and value not in known:
                raise BadInput(f"{value[:20]!r} is none of {', '.join(known)}", column=name)
        filters = found.filters
        return found if not found.exclude else cls(**{**found.asked, "exclude": _canonical(filters)})

    @property
    def filters(self) -> FilterSet:
        return FilterSet.parse(self.exclude) if self.exclude else FilterSet.strictest()

    @property
    def asked(self) -> dict[str, str]:
        """What is asked for, in the order of the parameters."""
        return {name: value for name in FIELDS if (value := getattr(self, name))}

    def __str__(self) -> str:
        """The one canonical form, for addresses; empty where nothing is asked."""
        return urlencode(self.asked)

    def arguments(self) -> list[str]:
        """The same on the command line."""
        return [word for name, value in self.asked.items() for word in (f"--{name}", value)]

    def matching(self, judgements: Judgements) -> Mask:
        """Shape ``(n,)``: which judgements it is about."""
        chosen = apply_filters(judgements.reasons, self.filters).counted
        words = (
            *((self.campaign, judgements.campaigns, ""), (self.display, judgements.displays, "")),
            (self.level, judgements.levels, UNDECLARED),
            (self.education, judgements.educations, UNDECLARED),
            (self.language, judgements.languages, UNMEASURED),
        )
        for value, column, nothing in words:
            if value:
                chosen = chosen & (column == ("" if value == nothing else value))
        if self.since:
            chosen = chosen & (judgements.seconds >= _day(self, "since"))
        if self.until:
            chosen = chosen & (judgements.seconds < _day(self, "until"))
        if self.turns:
            chosen = chosen & (turns_band(judgements.turns) == TURNS.index(self.turns))
        if self.length:
            chosen = chosen & (length_band(judgements.chars) == LENGTHS.index(self.length))
        return chosen


FIELDS = tuple(each.name for each in fields(Selection))


def _canonical(filters: FilterSet) -> str:
    return "" if filters == FilterSet.strictest() else str(filters)


def _day(selection: Selection, name: str) -> float:
    """The beginning of that day, in seconds since 1970; 0 where none is asked."""
    written = str(getattr(selection, name))
    if not written:
        return 0.0
    try:
        return datetime.combine(date.fromisoformat(written), time(), UTC).timestamp()
    except ValueError:
        raise BadInput(f"{written[:20]!r} is no day, such as 2026-03-19", column=name) from None
