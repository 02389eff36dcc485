"""How far the votes can be trusted: what does not count and why, and what the counts themselves give away."""

from __future__ import annotations

import numpy as np
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from arena.reports.base import Page, Report, Section, Source, Text
from arena.reports.wording import joined, shown
from arena.selectors.ballots import VoteTable
from arena.selectors.raters import examined
from ranking.agreement import Agreement, AgreementStatus, Alpha, agreement
from ranking.anomalies import examine_sampling
from ranking.errors import NoFit, NotConverged
from ranking.filters import FilterSet, apply_filters
from ranking.raters import RaterReport, RaterTest
from ranking.slices import FEWEST_USERS
from ranking.style import position_bias
from ranking.tables import Table
from ranking.tally import Tally
from ranking.types import Criterion, Outcome

SEED = 2025
"""The bootstrap starts from it at every call: the same votes give the same page."""
_SIDES_UNKNOWN = _(
    "This board was imported as counts of pairs: which side a model was shown on is not known."
)
_NO_POSITION = {
    True: _SIDES_UNKNOWN,
    False: _("It cannot be told yet: pairs have to meet both ways round, and be rated."),
}
_AGREEMENT = {
    AgreementStatus.OK: _("Krippendorff's alpha: 1 is full agreement, 0 what chance gives."),
    AgreementStatus.NO_REPEATS: _("There is none: no two volunteers asked the same pair the same."),
    AgreementStatus.NO_VARIATION: _(
        "There is none: all judgements are the same, as chance would have it too."
    ),
}


def build(source: Source) -> Report:
    votes = source.votes
    if votes is None:
        return _imported(source)
    if not votes.n_votes:
        return Report(reason=_("There are no votes yet: yours can be the first."))
    return Report(
        (
            *_exclusions(votes),
            _outcomes(source.tally, imported=False),
            _position(source.tally, imported=False),
            _raters(votes, source.criterion),
            _agreement(votes, source.criterion),
        )
    )


def _imported(source: Source) -> Report:
    if not source.tally.n_votes:
        return Report(reason=_("There are no votes on this board."))
    return Report(
        (
            _sampling(source.tally),
            _outcomes(source.tally, imported=True),
            _position(source.tally, imported=True),
        ),
        reason=_("This board was imported as counts: what needs single votes cannot be said of it."),
    )


def _exclusions(votes: VoteTable) -> tuple[Section, Section]:
    left = apply_filters(votes.reasons, FilterSet.strictest())
    alone = sum(each.only for each in left.reasons)
    totals = [
        ("all", left.n_votes),
        ("counted", left.n_counted),
        ("one_reason", alone),
        ("several_reasons", left.n_overlapping),
    ]
    return (
        Section(
            title=_("Votes and what became of them"),
            text=_("Nothing is dropped silently: the last three lines add up to the first."),
            table=Table("totals", ("kind", "votes"), tuple(totals)),
        ),
        Section(
            title=_("What speaks against votes"),
            text=_(
                "The cited board counts no vote that anything speaks against. A vote can have several reasons; "
                "admitting a reason would add those that have it alone."
            ),
            table=Table(
                "exclusions",
                ("reason", "votes", "only", "admitted"),
                tuple((each.reason.value, each.votes, each.only, each.admitted) for each in left.reasons),
            ),
        ),
    )


def _sampling(tally: Tally) -> Section:
    found = examine_sampling(tally)
    rows = tuple(
        (
            *(each.model_a, each.model_b, each.n, each.expected, each.residual, each.p, each.adjusted),
            each.sampling.value,
        )
        for each in found.pairs
    )
    return Section(
        title=_("Pairs that met more or less often than the others"),
        text=joined(
            format_lazy(_("Pairs that stand out: {n}."), n=shown(len(found.flagged))),
            _(
                "Held against an equal share of all battles for each pair; p-values are corrected by Holm's method."
            ),
        ),
        table=Table(
            "sampling",
            ("model", "opponent", "battles", "expected", "residual", "p_value", "adjusted_p", "sampling"),
            rows,
        ),
    )


def _outcomes(tally: Tally, *, imported: bool) -> Section:
    counts, n = tally.counts.sum(axis=(0, 1)), tally.n_votes
    decisive = int(counts[: Outcome.TIE.place].sum())
    rows = [("decisive", decisive), *((each.value, int(counts[each.place])) for each in _UNDECIDED)]
    told = n and (counts[Outcome.BOTH_BAD.place] or not imported)
    return Section(
        title=_("Ties"),
        text="" if told else _("Published counts of pairs hold both kinds of tie as one."),
        table=Table(
            "outcomes",
            ("outcome", "votes", "share"),
            tuple((name, count, count / n if n else None) for name, count in rows),
        ),
    )


_UNDECIDED = (Outcome.TIE, Outcome.BOTH_BAD)


def _position(tally: Tally, *, imported: bool) -> Section:
    row: tuple[float | None, float | None, float | None] = (None, None, None)
    text: Text = _NO_POSITION[imported]
    if not imported:
        try:
            found = position_bias(tally)
        except (NoFit, NotConverged):
            pass
        else:
            row = (found.estimate, found.low, found.high)
            text = _(
                "What being shown as A is worth, in rating points, strengths held; near 0 where the side does not matter. The interval is at 95 per cent."
            )
    return Section(
        title=_("Position bias"),
        text=text,
        table=Table("position", ("covariate", "estimate", "low", "high"), (("side", *row),)),
    )


def _raters(votes: VoteTable, criterion: Criterion) -> Section:
    ballots = votes.ballots(criterion, votes.reasons == 0)
    n_users = len(np.unique(ballots.user))
    found = examined(ballots) if n_users >= FEWEST_USERS else None
    return Section(
        title=_("Volunteers who vote unlike the others"),
        text=_why_raters(found, n_users),
        table=Table("raters", ("test", "flagged_users", "status"), _flagged(found)),
    )


def _why_raters(found: RaterReport | None, n_users: int) -> Text:
    if n_users < FEWEST_USERS:
        return _("Fewer than 5 volunteers voted: nothing is said of so few.")
    if found is None:
        return _("It cannot be told yet: the models have no ratings to hold votes against.")
    return joined(
        format_lazy(_("Volunteers tested: {n}."), n=shown(len(found.raters))),
        _(
            "How many each test would flag, corrected over all volunteers (Benjamini and Hochberg, at most 10 per cent false). "
            "A flag excludes nobody: people look at it first."
        ),
    )


def _flagged(found: RaterReport | None) -> tuple[tuple[str, int | None, str], ...]:
    if found is None:
        return tuple((name, None, "suppressed") for name in ("any", *RaterTest))
    counts = {"any": len(found.flagged)} | {
        test.value: sum(test in rater.reasons for rater in found.flagged) for test in RaterTest
    }
    return tuple(
        (name, None, "few") if 0 < n < FEWEST_USERS else (name, n, "ok") for name, n in counts.items()
    )


def _agreement(votes: VoteTable, criterion: Criterion) -> Section:
    found = repeated(votes, criterion)
    return Section(
        title=_("Agreement on repeated questions"),
        text=joined(
            _AGREEMENT[found.status],
            _(
                "An item is one question, asked once, of one pair; the models answer anew each time, so agreement on the same two answers would be higher."
            ),
            format_lazy(
                _("Items: {items}; judgements of them: {judgements}."),
                items=shown(found.n_items),
                judgements=shown(found.n_judgements),
            ),
        ),
        table=Table(
            "agreement",
            ("metric", "alpha", "low", "high"),
            (("nominal", *_alpha(found.nominal)), ("ordinal", *_alpha(found.ordinal))),
        ),
    )


def _alpha(found: Alpha | None) -> tuple[float | None, float | None, float | None]:
    return (None, None, None) if found is None else (found.value, found.low, found.high)


def repeated(votes: VoteTable, criterion: Criterion) -> Agreement:
    """Agreement of the votes that count, on battles of a single question: of one pair, whichever side each was on."""
    chosen = (votes.reasons == 0) & (votes.turns == 1)
    a, b = votes.a[chosen], votes.b[chosen]
    columns = np.stack([votes.prompts[chosen], np.minimum(a, b), np.maximum(a, b)], axis=1)
    _items, item = np.unique(columns, axis=0, return_inverse=True)
    outcome = votes.outcomes[criterion][chosen].astype(np.int64)
    turned = (a > b) & (outcome < Outcome.TIE.place)
    outcome = np.where(turned, 1 - outcome, outcome)
    return agreement(item.reshape(-1), votes.user[chosen], outcome, seed=SEED)


PAGE = Page(
    slug="quality",
    title=_("Quality of the votes"),
    lead=_("What does not count and why, and what the votes say of themselves."),
    build=build,
    slow=True,
)
