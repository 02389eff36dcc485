"""The rows of a board: ratings, intervals, ranks and tiers, or the reason why there are none."""

from __future__ import annotations

from dataclasses import dataclass
from math import log

import numpy as np

from ranking import connectivity
from ranking.errors import NotConverged, UnboundedTally
from ranking.estimates import Estimate, Evidence
from ranking.ranks import quantile, rank_intervals, ranks, separated, tiers
from ranking.tally import Tally
from ranking.types import Status, TieRule

SCALE = 400 / log(10)
CENTRE = 1000.0
PROVISIONAL_BATTLES = 100
PROVISIONAL_HALF_WIDTH = 25.0


@dataclass(frozen=True, slots=True)
class Rating:
    """A row. Ratings are on the Elo scale (400 / ln 10 a nat, centre 1000) and ``None`` unless the status has one."""

    model: str
    rating: float | None
    low: float | None
    high: float | None
    rank: int | None
    rank_low: int | None
    rank_high: int | None
    tier: int | None
    n: int
    wins: int
    ties: int
    losses: int
    status: Status

    @property
    def half_width(self) -> float | None:
        """Half the interval's length, in rating points."""
        return None if self.low is None or self.high is None else (self.high - self.low) / 2


def rows_of(evidence: Evidence, *, ties: TieRule, interval: float) -> list[Rating]:
    """A row for every model of the evidence: the rated ones best first, the others last by name."""
    records, models = _records(evidence.tally), evidence.tally.models
    try:
        estimate = evidence.estimate(ties)
        said = connectivity.outside(evidence.points(ties), estimate.rated)
    except (NotConverged, UnboundedTally):  # the latter from Rao-Kupper, which ties can take out of bounds
        estimate = Estimate.nothing()
        said = [Status.UNBOUNDED] * len(models)
    rows = [_unrated(*each) for each in zip(models, records, said, strict=True)]
    for row, index in zip(_rated(estimate, models, records, interval), estimate.rated, strict=True):
        rows[index] = row
    return sorted(rows, key=lambda row: (row.rating is None, -(row.rating or 0.0), row.model))


@dataclass(frozen=True, slots=True)
class _Record:
    n: int
    wins: int
    ties: int
    losses: int


def _records(tally: Tally) -> list[_Record]:
    wins, ties = tally.wins(), tally.ties()
    won, tied, lost = wins.sum(axis=1), ties.sum(axis=1), wins.sum(axis=0)
    return [_Record(int(w + t + x), int(w), int(t), int(x)) for w, t, x in zip(won, tied, lost, strict=True)]


def _rated(
    estimate: Estimate, models: tuple[str, ...], records: list[_Record], interval: float
) -> list[Rating]:
    strengths = estimate.strengths
    errors = np.sqrt(np.diag(estimate.covariance)) * SCALE
    better = separated(strengths, estimate.covariance, level=interval, freedom=estimate.freedom)
    low, high = rank_intervals(better)
    order, tier = ranks(strengths), tiers(strengths, better)
    z = quantile(interval, estimate.freedom)
    rows = []
    for place, index in enumerate(estimate.rated):
        record = records[index]
        rating, error = float(CENTRE + SCALE * strengths[place]), float(errors[place])
        row = Rating(
            model=models[index],
            rating=rating,
            low=rating - z * error,
            high=rating + z * error,
            rank=int(order[place]),
            rank_low=int(low[place]),
            rank_high=int(high[place]),
            tier=int(tier[place]),
            n=record.n,
            wins=record.wins,
            ties=record.ties,
            losses=record.losses,
            status=_rated_status(record.n, error, estimate),
        )
        rows.append(row)
    return rows


def _rated_status(n: int, error: float, estimate: Estimate) -> Status:
    half_width = quantile(0.95, estimate.freedom) * error
    firm = n >= PROVISIONAL_BATTLES and half_width <= PROVISIONAL_HALF_WIDTH
    return Status.OK if firm else Status.PROVISIONAL


def _unrated(model: str, record: _Record, status: Status) -> Rating:
    # Battles without a point: nothing but ties, under a rule that drops them.
    found = Status.INSUFFICIENT if status is Status.EMPTY and record.n else status
    return Rating(
        model=model,
        rating=None,
        low=None,
        high=None,
        rank=None,
        rank_low=None,
        rank_high=None,
        tier=None,
        n=record.n,
        wins=record.wins,
        ties=record.ties,
        losses=record.losses,
        status=found,
    )
