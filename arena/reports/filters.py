"""The board as it would be if other votes counted, beside the one that is cited."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from numpy.typing import NDArray

from arena.reports import labels
from arena.reports.base import Page, Report, Section, Source, Text
from arena.reports.wording import joined, shown
from ranking.ballots import Ballots
from ranking.board import SCALE, BoardResult, build_board
from ranking.errors import BadInput, NoFit, NotConverged
from ranking.filters import ExclusionReason, Filtered, FilterSet, apply_filters
from ranking.pooled import PooledReport, compare_group
from ranking.rateable import rateable
from ranking.slices import FEWEST_USERS
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


def build(source: Source) -> Report:
    try:
        filters = asked_filters(source.query)
    except BadInput:
        reason = _("The address names a reason that there is not, or names one twice: choose below.")
        return FilteredReport(reason=reason, choices=_choices(FilterSet.strictest()))
    votes = source.votes
    written, choices = str(filters), _choices(filters)
    if votes is None or not votes.n_votes:
        reason = _("There are no votes yet: yours can be the first.")
        return FilteredReport(reason=reason, choices=choices, written=written)
    left = apply_filters(votes.reasons, filters)
    ballots = votes.ballots(source.criterion, left.counted)
    tally = Tally.empty(source.tally.models).merged(ballots.tally())
    result = build_board(tally, criterion=source.criterion)
    sections = [_board(result, source.result), _counts(left, int((votes.reasons == 0).sum()))]
    added = (votes.reasons != 0)[left.counted]
    if added.any():
        sections.append(_pooled(ballots, added))
    return FilteredReport(tuple(sections), choices=choices, written=written)


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


def _counts(left: Filtered, n_cited: int) -> Section:
    admitted = [
        format_lazy(
            _("Counted here although something speaks against them ({reason}): {n}."),
            reason=labels.value_label("reason", each.reason.value),
            n=shown(each.admitted),
        )
        for each in left.reasons
        if each.admitted
    ]
    return Section(
        title=_("What this filter counts"),
        text=joined(
            format_lazy(
                _("Of {all} votes this filter counts {counted}; the cited board counts {cited}."),
                all=shown(left.n_votes),
                counted=shown(left.n_counted),
                cited=shown(n_cited),
            ),
            *admitted,
        ),
        table=Table(
            "reasons",
            ("reason", "excludes", "votes", "only", "admitted"),
            tuple(
                (each.reason.value, each.excludes, each.votes, each.only, each.admitted)
                for each in left.reasons
            ),
        ),
    )


def _pooled(ballots: Ballots, added: NDArray[np.bool_]) -> Section:
    """Whether the votes that this filter adds judge a model differently from the others."""
    n_users = len(np.unique(ballots.user[added]))
    found = _compared(ballots, added) if n_users >= FEWEST_USERS else None
    return Section(
        title=_("Do the added votes judge differently?"),
        text=_why_pooled(found, n_users),
        table=Table(
            "added",
            ("model", "votes", "effect", "error", "p_value", "adjusted_p", "stands_out"),
            tuple(
                (
                    *(each.model, each.n_votes, _points(each.effect), _points(each.error)),
                    *(each.p, each.q, each.flagged),
                )
                for each in (found.models if found else ())
            ),
        ),
    )


def _compared(ballots: Ballots, added: NDArray[np.bool_]) -> PooledReport | None:
    part = rateable(ballots)
    if not part.standing.has_rating:
        return None
    try:
        return compare_group(part.ballots, added[part.within])
    except (NoFit, NotConverged):
        return None


def _why_pooled(found: PooledReport | None, n_users: int) -> Text:
    if n_users < FEWEST_USERS:
        return _("Fewer than 5 volunteers cast them: nothing is said of so few.")
    if found is None:
        return _("It cannot be told: the models have no ratings under this filter.")
    return _(
        "By how many rating points the added votes put each model higher than the others do; errors by volunteer, p-values corrected over the models."
    )


def _points(nats: float | None) -> float | None:
    return None if nats is None else nats * SCALE


PAGE = Page(
    slug="filters",
    title=_("Other filters"),
    lead=_("The board recomputed as if votes that do not count did."),
    build=build,
    offered=lambda board: board.kind == BoardKind.LIVE.value,
    slow=True,
    form="reports/_filters_form.html",
    asks=(CANONICAL, *(reason.value for reason in ExclusionReason)),
)
