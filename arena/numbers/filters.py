"""What the board would be if other votes counted: the counts of each mix of reasons, from which any filter's board can be added up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arena.numbers.material import Votes
from ranking.ballots import Ballots
from ranking.board import SCALE
from ranking.errors import NoFit, NotConverged
from ranking.filters import ExclusionReason, FilterSet, ReasonCount, apply_filters, mask_of
from ranking.numbers import Numbers
from ranking.pooled import PooledReport, compare_group
from ranking.rateable import rateable
from ranking.slices import FEWEST_USERS
from ranking.tables import Table, Value
from ranking.tally import Tally
from ranking.types import Criterion, Outcome

ADDED = ("reason", "model", "votes", "effect", "error", "p_value", "adjusted_p", "stands_out")
_CELLS = ("mix", "a", "b", *(outcome.value for outcome in Outcome))
_Cells = NDArray[np.int64]


def compute(material: Votes, criterion: Criterion) -> Numbers:
    reasons = material.table.reasons
    if not len(reasons):
        return Numbers()
    masks, mix = np.unique(reasons, return_inverse=True)
    ballots = material.table.ballots(criterion)
    compared = [(reason.value, *_added(ballots, reasons, reason)) for reason in ExclusionReason]
    return Numbers(
        (
            Table("models", ("model",), tuple((model,) for model in ballots.models)),
            Table(
                "mixes", ("mask", "votes"), tuple(zip(masks.tolist(), np.bincount(mix).tolist(), strict=True))
            ),
            Table("cells", _CELLS, tuple(map(tuple, _cells(ballots, mix).tolist()))),
            Table(
                "compared", ("reason", "status"), tuple((reason, status) for reason, status, _ in compared)
            ),
            Table("added", ADDED, tuple(row for *_, rows in compared for row in rows)),
        )
    )


def _cells(ballots: Ballots, mix: NDArray[np.int64]) -> _Cells:
    """A row for each mix and ordered pair that met under it: its number, the models' places, and the counts of the four outcomes."""
    m, outcomes = len(ballots.models), len(Outcome)
    met, at = np.unique((mix * m + ballots.a) * m + ballots.b, return_inverse=True)
    counts = np.bincount(at * outcomes + ballots.outcome, minlength=len(met) * outcomes)
    places = np.stack([met // (m * m), met // m % m, met % m], axis=1)
    return np.hstack([places, counts.reshape(-1, outcomes)])


def _added(
    ballots: Ballots, reasons: NDArray[np.uint16], reason: ExclusionReason
) -> tuple[str, tuple[tuple[Value, ...], ...]]:
    """Whether the votes that have this reason alone judge a model differently from those that count: a status, and a row for each model."""
    added = reasons == reason.bit
    if not added.any():
        return "none", ()
    if len(np.unique(ballots.user[added])) < FEWEST_USERS:
        return "suppressed", ()
    chosen = added | (reasons == 0)
    found = _compared(ballots.take(chosen), added[chosen])
    if found is None:
        return "insufficient", ()
    return "told", tuple(
        (
            *(reason.value, each.model, each.n_votes, _points(each.effect), _points(each.error)),
            *(each.p, each.q, each.flagged),
        )
        for each in found.models
    )


def _compared(ballots: Ballots, added: NDArray[np.bool_]) -> PooledReport | None:
    part = rateable(ballots)
    if not part.standing.has_rating:
        return None
    try:
        return compare_group(part.ballots, added[part.within])
    except (NoFit, NotConverged):
        return None


def _points(nats: float | None) -> float | None:
    return None if nats is None else nats * SCALE


@dataclass(frozen=True, slots=True, eq=False)
class Mixes:
    """The counts of each mix of reasons, as they were stored.

    Parameters
    ----------
    models
        The ``m`` models.
    masks
        Shape ``(k,)``: each mix, as :func:`ranking.filters.mask_of` writes it.
    votes
        Shape ``(k,)``: how many votes have it.
    cells
        Shape ``(c, 7)``: of each ordered pair that met under a mix, the places of the mix and of both models, and the counts of the four outcomes.
    """

    models: tuple[str, ...]
    masks: NDArray[np.uint16]
    votes: NDArray[np.int64]
    cells: _Cells

    @classmethod
    def of(cls, numbers: Numbers) -> Mixes:
        """What :func:`compute` wrote."""
        mixes = np.array(numbers.table("mixes").rows, dtype=np.int64).reshape(-1, 2)
        return cls(
            models=tuple(str(row[0]) for row in numbers.table("models").rows),
            masks=mixes[:, 0].astype(np.uint16),
            votes=mixes[:, 1],
            cells=np.array(numbers.table("cells").rows, dtype=np.int64).reshape(-1, len(_CELLS)),
        )

    @property
    def n_votes(self) -> int:
        return int(self.votes.sum())

    def n_counted(self, filters: FilterSet) -> int:
        return int(self.votes[self._counted(filters)].sum())

    def tally(self, filters: FilterSet) -> Tally:
        """The counts of the votes that a filter leaves."""
        m = len(self.models)
        left = self.cells[self._counted(filters)[self.cells[:, 0]]]
        counts = np.zeros((m, m, len(Outcome)), dtype=np.int64)
        np.add.at(counts, (left[:, 1], left[:, 2]), left[:, 3:])
        return Tally(self.models, counts)

    def reasons(self, filters: FilterSet) -> tuple[ReasonCount, ...]:
        """What a filter does with the votes of each reason, as :func:`ranking.filters.apply_filters` says it of single votes."""
        counted = self._counted(filters)
        against = self.masks & np.uint16(mask_of(filters.excluding))
        return tuple(
            ReasonCount(
                reason=reason,
                excludes=reason in filters.excluding,
                votes=int(self.votes[has].sum()),
                only=int(self.votes[against == reason.bit].sum()),
                admitted=int(self.votes[has & counted].sum()),
            )
            for reason in ExclusionReason
            for has in [(self.masks & np.uint16(reason.bit)) != 0]
        )

    def _counted(self, filters: FilterSet) -> NDArray[np.bool_]:
        return apply_filters(self.masks, filters).counted
