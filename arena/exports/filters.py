"""Which votes an export holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from arena.types import LanguageLevel


@dataclass(frozen=True, slots=True)
class Filters:
    """Everything by default: all campaigns and days up to the cut-off, and each layout's own way with votes that do not count.

    Parameters
    ----------
    cutoff
        Aware. Later votes and marks are no part of it, and a reason against a vote counts if it stood then.
    campaign
        A campaign's code.
    board
        A board's code: votes of all campaigns that it ranks.
    since, until
        Aware: votes from the one, before the other.
    excluded
        Whether votes that do not count are in it; ``None`` leaves it to the layout.
    level
        Votes of volunteers who declared this level.
    source
        The board of imported votes that are meant in place of our own.
    any_licence
        Whether texts are given away that may not be published under CC0: for work inside the project only, never for a release.
    """

    cutoff: datetime
    campaign: str = ""
    board: str = ""
    since: datetime | None = None
    until: datetime | None = None
    excluded: bool | None = None
    level: LanguageLevel | None = None
    source: str = ""
    any_licence: bool = False

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Filters:
        """What :meth:`as_json` made."""
        moments = {
            name: datetime.fromisoformat(said[name]) if said[name] else None for name in ("since", "until")
        }
        level = LanguageLevel(said["level"]) if said["level"] else None
        return cls(**{**said, **moments, "level": level, "cutoff": datetime.fromisoformat(said["cutoff"])})

    def as_json(self) -> dict[str, Any]:
        return {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in asdict(self).items()
        }
