"""The board as it would be if other votes counted, beside the one that is cited."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from arena.numbers.filters import ADDED, Mixes
from arena.reports import labels
from arena.reports.base import Page, Report, Section, Source, Text
from arena.reports.published import published
from arena.reports.wording import joined, shown
from ranking.board import BoardResult, build_board
from ranking.errors import BadInput
from ranking.filters import ExclusionReason, FilterSet
from ranking.numbers import Numbers
from ranking.tables import Table, Value
from ranking.tally import Tally
from ranking.types import BoardKind

CANONICAL = "exclude"


@dataclass(frozen=True, slots=True)
class Choice:
    """A checkbox: votes with this reason count, too, where it is *admitted*."""

    name: str
    label: Text
    admitted: bool


@dataclass(frozen=True, slots=True)
class FilteredReport(Report):
    """A report that fills its form again; *written* is the filter's canonical form, for an address that can be cited."""

    choices: tuple[Choice, ...] = ()
    written: str = ""


def asked_filters(query: Mapping[str, str]) -> FilterSet:
    """``exclude`` in canonical form, or one name for each reason that does not exclude; every reason excludes if left out.

    Raises ``BadInput`` for a canonical form that is none.
    """
    if CANONICAL in query:
        return FilterSet.parse(query[CANONICAL])
    return FilterSet.strictest().admitting(*(reason for reason in ExclusionReason if reason.value in query))


_POOLED = {
    "suppressed": _("Fewer than 5 volunteers cast them: nothing is said of so few."),
    "insufficient": _("It cannot be told: the models have no ratings under this filter."),
    "told": _(
        "By how many rating points the added votes put each model higher than the others do; errors by volunteer, p-values corrected over the models."
    ),
}


def build(source: Source) -> Report:
    try:
        filters = asked_filters(source.query)
    except BadInput:
        reason = _("The address names a reason that there is not, or names one twice: choose below.")
        return FilteredReport(reason=reason, live=False, choices=_choices(FilterSet.strictest()))
    found = published(source, "filters")
    return FilteredReport(
        () if found.numbers is None else _sections(found.numbers, filters, source),
        found.reason,
        found.snapshot,
        live=False,
        choices=_choices(filters),
        written=str(filters),
    )


def _sections(numbers: Numbers, filters: FilterSet, source: Source) -> tuple[Section, ...]:
    """Any filter's board is a sum of counts that were stored, and a fit of milliseconds."""
    mixes = Mixes.of(numbers)
    result, cited = (
        build_board(Tally.empty(source.tally.models).merged(mixes.tally(each)), criterion=source.criterion)
        for each in (filters, FilterSet.strictest())
    )
    return (_board(result, cited), _counts(mixes, filters), *_pooled(numbers, mixes, filters))


def _choices(filters: FilterSet) -> tuple[Choice, ...]:
    return tuple(
        Choice(
            reason.value, labels.value_label("reason", reason.value), admitted=reason not in filters.excluding
        )
        for reason in ExclusionReason
    )


def _board(result: BoardResult, cited: BoardResult) -> Section:
    standing = {row.model: row.rating for row in cited.ratings}
    rows: list[tuple[Value, ...]] = []
    for row in result.ratings:
        before = standing.get(row.model)
        moved = None if row.rating is None or before is None else row.rating - before
        rows.append(
            (
                *(row.model, row.tier, row.rating, row.low, row.high, before, moved),
                *(row.n, row.wins, row.ties, row.losses, row.status.value),
            )
        )
    return Section(
        title=_("The board by this filter"),
        text=_("Beside each rating the one of the cited board, and by how much they differ."),
        table=Table(
            "board",
            (
                *("model", "tier", "rating", "low", "high", "cited_rating", "difference"),
                *("battles", "wins", "ties", "losses", "status"),
            ),
            tuple(rows),
        ),
    )


def _counts(mixes: Mixes, filters: FilterSet) -> Section:
    reasons = mixes.reasons(filters)
    admitted = [
        format_lazy(
            _("Counted here although something speaks against them ({reason}): {n}."),
            reason=labels.value_label("reason", each.reason.value),
            n=shown(each.admitted),
        )
        for each in reasons
        if each.admitted
    ]
    return Section(
        title=_("What this filter counts"),
        text=joined(
            format_lazy(
                _("Of {all} votes this filter counts {counted}; the cited board counts {cited}."),
                all=shown(mixes.n_votes),
                counted=shown(mixes.n_counted(filters)),
                cited=shown(mixes.n_counted(FilterSet.strictest())),
            ),
            *admitted,
        ),
        table=Table(
            "reasons",
            ("reason", "excludes", "votes", "only", "admitted"),
            tuple(
                (each.reason.value, each.excludes, each.votes, each.only, each.admitted) for each in reasons
            ),
        ),
    )


def _pooled(numbers: Numbers, mixes: Mixes, filters: FilterSet) -> tuple[Section, ...]:
    """Whether the votes that this filter adds judge a model differently from those that count, each reason's by itself; nothing if none are added."""
    admitted = {each.reason.value for each in mixes.reasons(filters) if each.admitted}
    if not admitted:
        return ()
    statuses = {str(row[0]): str(row[1]) for row in numbers.table("compared").rows if row[0] in admitted}
    said = [
        format_lazy("{reason}: {text}", reason=labels.value_label("reason", reason), text=_POOLED[status])
        for reason, status in statuses.items()
        if status != "none"
    ]
    rows = tuple(row for row in numbers.table("added").rows if row[0] in admitted)
    return (
        Section(
            title=_("Do the added votes judge differently?"),
            text=joined(*said, _("Votes that have several reasons are in none of these comparisons.")),
            table=Table("added", ADDED, rows),
        ),
    )


PAGE = Page(
    slug="filters",
    title=_("Other filters"),
    lead=_("The board recomputed as if votes that do not count did."),
    build=build,
    offered=lambda board: board.kind == BoardKind.LIVE.value,
    form="reports/_filters_form.html",
    asks=(CANONICAL, *(reason.value for reason in ExclusionReason)),
)
