"""How far the votes can be trusted: what does not count and why, and what the counts themselves give away."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from arena.numbers.material import Counts, Votes
from arena.selectors.ballots import VoteTable
from arena.selectors.columns import numbered
from arena.selectors.raters import examined
from ranking.agreement import Agreement, agreement
from ranking.anomalies import examine_sampling
from ranking.errors import NoFit, NotConverged
from ranking.filters import Filtered
from ranking.findings import agreement_table
from ranking.numbers import Numbers
from ranking.raters import RaterReport, RaterTest
from ranking.slices import FEWEST_USERS
from ranking.style import position_bias
from ranking.tables import Table, Value
from ranking.tally import Tally
from ranking.types import Criterion, Outcome

SEED = 2025
"""The bootstrap starts from it at every call: the same votes give the same numbers."""
_UNDECIDED = (Outcome.TIE, Outcome.BOTH_BAD)


def compute(material: Counts, criterion: Criterion) -> Numbers:
    tally = material.tallies[criterion]
    if not (material.table.n_votes if isinstance(material, Votes) else tally.n_votes):
        return Numbers()
    if not isinstance(material, Votes):
        return Numbers((_sampling(tally), _outcomes(tally), _position(None)), {"imported": True})
    ballots = material.table.ballots(criterion, material.sound)
    n_users = len(np.unique(ballots.user))
    found = examined(ballots) if n_users >= FEWEST_USERS else None
    agreed, same = repeated(material, criterion), shown_again(material, criterion)
    return Numbers(
        (
            *_exclusions(material.left),
            _outcomes(tally),
            _position(tally),
            Table("raters", ("test", "flagged_users", "status"), _flagged(found)),
            agreement_table(same, "same_answers"),
            agreement_table(agreed),
        ),
        {
            "imported": False,
            "few_users": n_users < FEWEST_USERS,
            "tested_users": len(found.raters) if found else None,
            "agreement": agreed.status.value,
            "items": agreed.n_items,
            "judgements": agreed.n_judgements,
            "same_answers": same.status.value,
            "same_items": same.n_items,
            "same_judgements": same.n_judgements,
        },
    )


def _exclusions(left: Filtered) -> tuple[Table, Table]:
    totals = (
        ("all", left.n_votes),
        ("counted", left.n_counted),
        ("one_reason", sum(each.only for each in left.reasons)),
        ("several_reasons", left.n_overlapping),
    )
    against = tuple((each.reason.value, each.votes, each.only, each.admitted) for each in left.reasons)
    return (
        Table("totals", ("kind", "votes"), totals),
        Table("exclusions", ("reason", "votes", "only", "admitted"), against),
    )


def _sampling(tally: Tally) -> Table:
    rows = tuple(
        (
            *(each.model_a, each.model_b, each.n, each.expected, each.residual, each.p, each.adjusted),
            each.sampling.value,
        )
        for each in examine_sampling(tally).pairs
    )
    columns = ("model", "opponent", "battles", "expected", "residual", "p_value", "adjusted_p", "sampling")
    return Table("sampling", columns, rows)


def _outcomes(tally: Tally) -> Table:
    counts, n = tally.counts.sum(axis=(0, 1)), tally.n_votes
    decisive = int(counts[: Outcome.TIE.place].sum())
    rows = [("decisive", decisive), *((each.value, int(counts[each.place])) for each in _UNDECIDED)]
    shares = tuple((name, count, count / n if n else None) for name, count in rows)
    return Table("outcomes", ("outcome", "votes", "share"), shares)


def _position(tally: Tally | None) -> Table:
    """What being shown as A is worth; no number where it is not known who was."""
    row: tuple[Value, ...] = (None, None, None)
    if tally is not None:
        try:
            found = position_bias(tally)
        except (NoFit, NotConverged):
            pass
        else:
            row = (found.estimate, found.low, found.high)
    return Table("position", ("covariate", "estimate", "low", "high"), (("side", *row),))


def _flagged(found: RaterReport | None) -> tuple[tuple[str, int | None, str], ...]:
    if found is None:
        return tuple((name, None, "suppressed") for name in ("any", *map(str, RaterTest)))
    counts = {"any": len(found.flagged)} | {
        test.value: sum(test in rater.reasons for rater in found.flagged) for test in RaterTest
    }
    return tuple(
        (name, None, "few") if 0 < n < FEWEST_USERS else (name, n, "ok") for name, n in counts.items()
    )


def shown_again(material: Votes, criterion: Criterion) -> Agreement:
    """Agreement of several volunteers on the very same two answers, on whichever sides they were shown."""
    votes = material.table.taken(material.sound)
    _, item = numbered(votes.origins)
    return agreement(item, votes.user, _of_the_first(votes, criterion), seed=SEED)


def _of_the_first(votes: VoteTable, criterion: Criterion) -> NDArray[np.int64]:
    """Outcomes as if the model that comes first had been A. Shape ``(n,)``."""
    outcome = votes.outcomes[criterion].astype(np.int64)
    turned = (votes.a > votes.b) & (outcome < Outcome.TIE.place)
    return np.where(turned, 1 - outcome, outcome)


def repeated(material: Votes, criterion: Criterion) -> Agreement:
    """Agreement of the votes that count, on battles of a single question."""
    single, item = material.repeats
    votes = material.counted.taken(single)
    return agreement(item, votes.user, _of_the_first(votes, criterion), seed=SEED)
