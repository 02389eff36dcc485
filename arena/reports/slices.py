"""Whether parts of the votes rank the models differently: by who voted, what was asked, and when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from numpy.typing import NDArray

from arena.reports.base import Figure, Page, Report, Section, Source, Text
from arena.selectors.ballots import VoteTable
from arena.types import Education, LanguageLevel
from ranking.errors import NoFit, NotConverged
from ranking.slices import SliceReport, SliceStatus, compare_slices
from ranking.strips import Strip, strips
from ranking.tables import Table
from ranking.types import BoardKind

Places = NDArray[np.int64]
UNDECLARED = "undeclared"
EARLIER = "earlier"
_MOST_WEEKS = 12
_UNRATED = _("The models have no common ratings yet, so parts of the votes cannot be compared.")


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    label: Text
    current: bool


@dataclass(frozen=True, slots=True)
class SlicedReport(Report):
    """A report that fills its form again."""

    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """A way to slice votes: *names* of the slices, and each vote's index in them, shape ``(n,)``."""

    names: tuple[str, ...]
    place: Places


def by_level(votes: VoteTable) -> Cut:
    return _declared(votes.levels, [each.value for each in LanguageLevel])


def by_education(votes: VoteTable) -> Cut:
    return _declared(votes.educations, [each.value for each in Education])


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


_WAYS: dict[str, tuple[Text, Callable[[VoteTable], Cut]]] = {
    "level": (_("Level of Basque"), by_level),
    "education": (_("Education"), by_education),
    "length": (_("Length of the question, in characters"), by_length),
    "turns": (_("Number of messages"), by_turns),
    "week": (_("Week"), by_week),
}
_DEFAULT = "level"


def build(source: Source) -> Report:
    by = source.query.get("by", _DEFAULT)
    choices = tuple(Choice(name, label, name == by) for name, (label, _cut) in _WAYS.items())
    if by not in _WAYS:
        return SlicedReport(reason=_("There are no slices by that: choose below."), choices=choices)
    votes = source.votes
    counted = None if votes is None else votes.reasons == 0
    if votes is None or counted is None or not counted.any():
        reason = _("There are no votes yet: yours can be the first.")
        return SlicedReport(reason=reason, choices=choices)
    label, cut = _WAYS[by]
    whole = votes.taken(counted)
    part = cut(whole)
    try:
        found = compare_slices(whole.ballots(source.criterion), part.place, part.names)
    except (NoFit, NotConverged):
        return SlicedReport(reason=_UNRATED, choices=choices)
    rated = found.status.has_rating
    sections = (_slices(found, label), *((_test(found), _ratings(found)) if rated else ()))
    return SlicedReport(sections, reason="" if rated else _UNRATED, choices=choices)


def _slices(found: SliceReport, label: Text) -> Section:
    return Section(
        title=label,
        text=_(
            "Votes among the models that can be rated. A slice of fewer than 5 volunteers says nothing, not even how many they are."
        ),
        table=Table(
            "slices",
            ("slice", "status", "votes", "users"),
            tuple((each.name, each.status.value, each.n_votes, each.n_users) for each in found.slices),
        ),
    )


def _test(found: SliceReport) -> Section:
    test = found.heterogeneity
    compared = sum(each.status is SliceStatus.OK for each in found.slices)
    row = (
        (len(test.slices), test.wald, test.df, test.df_voters, test.p, found.spread)
        if test
        else (compared, None, None, None, None, found.spread)
    )
    return Section(
        title=_("Do the slices differ?"),
        text=_(
            "Wald's test of equal strengths in all slices, by volunteer. The spread is by how many rating points a model varies between slices beyond chance."
        )
        if test
        else _(
            "It cannot be tested: that takes two slices with ratings, and many more volunteers than models."
        ),
        table=Table(
            "heterogeneity",
            ("compared", "wald", "degrees", "degrees_voters", "p_value", "spread"),
            (row,),
        ),
    )


def _ratings(found: SliceReport) -> Section:
    rows = tuple(
        (
            *(row.model, each.name, row.rating, row.low, row.high),
            *(row.shrunk, row.shrunk_low, row.shrunk_high),
        )
        for each in found.slices
        for row in each.ratings
    )
    return Section(
        title=_("Ratings in each slice"),
        text=_(
            "From the slice's votes alone, and drawn towards the pooled ratings by as much as chance explains; the picture shows the drawn ones."
        )
        if rows
        else _("No slice has votes enough for ratings of its own."),
        table=Table(
            "ratings",
            ("model", "slice", "rating", "low", "high", "shrunk", "shrunk_low", "shrunk_high"),
            rows,
        ),
        figure=_figure(found),
    )


def _figure(found: SliceReport) -> Figure:
    drawn: dict[str, list[Strip]] = {}
    for each in found.slices:
        for row in each.ratings:
            if row.shrunk is not None and row.shrunk_low is not None and row.shrunk_high is not None:
                drawn.setdefault(row.model, []).append(
                    Strip(each.name, row.shrunk_low, row.shrunk, row.shrunk_high)
                )
    return Figure(
        "figures/strips.html",
        strips(drawn, column="slice"),
        _(
            "Each model's drawn rating in each slice, with its interval; the table below holds the same numbers."
        ),
    )


PAGE = Page(
    slug="slices",
    title=_("Slices"),
    lead=_("Do volunteers, questions or weeks differ in how they rank the models?"),
    build=build,
    offered=lambda board: board.kind == BoardKind.LIVE.value,
    slow=True,
    form="reports/_slices_form.html",
    asks=("by",),
)
