"""Parts of the votes, rated and compared: by who voted, what was asked, and when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from arena.numbers.material import Votes
from arena.selectors.ballots import VoteTable
from arena.types import Education, LanguageLevel
from ranking.errors import NoFit, NotConverged
from ranking.findings import heterogeneity_table, ratings_table, slices_table
from ranking.numbers import Numbers
from ranking.slices import compare_slices
from ranking.types import Criterion

Places = NDArray[np.int64]
UNDECLARED = "undeclared"
UNCHECKED = "unchecked"
EARLIER = "earlier"
CHECK_BANDS = ((0, 4), (5, 7), (8, 10))
_MOST_WEEKS = 12


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """A way to slice votes: *names* of the slices, and each vote's index in them, shape ``(n,)``."""

    names: tuple[str, ...]
    place: Places


def by_level(votes: VoteTable) -> Cut:
    return _declared(votes.levels, [each.value for each in LanguageLevel])


def by_education(votes: VoteTable) -> Cut:
    return _declared(votes.educations, [each.value for each in Education])


def by_check(votes: VoteTable) -> Cut:
    """By how many of ten questions were answered rightly in the campaign's Basque check, on the day of the vote."""
    names = [f"{first}–{last}" for first, last in CHECK_BANDS]
    place = np.searchsorted([first for first, _ in CHECK_BANDS], votes.checks, side="right") - 1
    return Cut((*names, UNCHECKED), np.where(votes.checks < 0, len(names), place).astype(np.int64))


def by_length(votes: VoteTable) -> Cut:
    """Terciles of the first message's length; each is called by its shortest and longest. Fewer than three where lengths repeat."""
    chars = votes.prompt_chars
    if not len(chars):
        return Cut((), np.zeros(0, dtype=np.int64))
    ends = np.quantile(chars, [1 / 3, 2 / 3], method="lower")
    _third, place = np.unique(np.searchsorted(ends, chars), return_inverse=True)
    parts = [chars[place == index] for index in range(int(place.max()) + 1)]
    return Cut(tuple(f"{part.min()}–{part.max()}" for part in parts), place.astype(np.int64))


def by_turns(votes: VoteTable) -> Cut:
    return Cut(("1", "2", "3+"), np.clip(votes.turns, 1, 3) - 1)


def by_week(votes: VoteTable) -> Cut:
    """ISO weeks of the site's own time; before the last eleven, all in one."""
    zone = timezone.get_current_timezone()
    days, day = np.unique(votes.seconds // 3600, return_inverse=True)  # zones are whole hours apart here
    weeks = [_week(datetime.fromtimestamp(float(hour) * 3600, UTC).astimezone(zone)) for hour in days]
    names = sorted(set(weeks))
    place = np.array([names.index(week) for week in weeks], dtype=np.int64)[day]
    if len(names) <= _MOST_WEEKS:
        return Cut(tuple(names), place)
    early = len(names) - _MOST_WEEKS + 1
    return Cut((EARLIER, *names[early:]), np.maximum(place - early + 1, 0))


def _week(moment: datetime) -> str:
    year, week, _day = moment.isocalendar()
    return f"{year}-W{week:02}"


def _declared(said: NDArray[np.str_], known: list[str]) -> Cut:
    place = np.full(len(said), len(known), dtype=np.int64)
    for index, name in enumerate(known):
        place[said == name] = index
    return Cut((*known, UNDECLARED), place)


WAYS: dict[str, Callable[[VoteTable], Cut]] = {
    "level": by_level,
    "education": by_education,
    "check": by_check,
    "length": by_length,
    "turns": by_turns,
    "week": by_week,
}


def compute(material: Votes, criterion: Criterion, *, way: str) -> Numbers:
    """The fact ``rated``, and without ratings no more than the slices."""
    if not material.left.n_counted:
        return Numbers()
    part = WAYS[way](material.counted)
    try:
        found = compare_slices(material.ballots(criterion), part.place, part.names)
    except (NoFit, NotConverged):
        return Numbers(facts={"rated": False})
    rated = found.status.has_rating
    tables = (slices_table(found), *((heterogeneity_table(found), ratings_table(found)) if rated else ()))
    return Numbers(tables, {"rated": rated, "tested": found.heterogeneity is not None})
