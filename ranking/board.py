"""A board: a tally's ratings with everything that is needed to doubt them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import log
from typing import Any

import numpy as np

from ranking import connectivity
from ranking.errors import NotConverged
from ranking.fit import Vector, fit_bradley_terry
from ranking.ranks import quantile, rank_intervals, ranks, separated, tiers
from ranking.tally import Indices, Tally
from ranking.types import Criterion, Status, TieRule
from ranking.uncertainty import sandwich_covariance

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


@dataclass(frozen=True, slots=True)
class BoardResult:
    """All rows, best first; models without a rating last, by name."""

    n_votes: int
    n_models: int
    criterion: Criterion
    ties: TieRule
    interval: float
    cluster: str
    status: Status
    ratings: tuple[Rating, ...]

    def as_json(self) -> dict[str, Any]:
        """The object that ``python -m ranking --format json`` prints; plain types only."""
        plain = asdict(self)
        plain |= {"criterion": str(self.criterion), "ties": str(self.ties), "status": str(self.status)}
        plain["ratings"] = [asdict(row) | {"status": str(row.status)} for row in self.ratings]
        return plain


def build_board(
    tally: Tally,
    *,
    criterion: Criterion = Criterion.OVERALL,
    ties: TieRule = TieRule.HALF,
    interval: float = 0.95,
) -> BoardResult:
    """Fit a tally and put its ratings, intervals, ranks and tiers on a board.

    Parameters
    ----------
    tally
        Counts of shape ``(m, m, 4)``, any number of models, votes or none.
    criterion
        What was judged; only carried along.
    ties
        How ties enter the fit.
    interval
        Confidence level of rating and rank intervals, between 0 and 1. Whether a row is provisional does not depend on it.

    Returns
    -------
    BoardResult
        Ratings for :func:`ranking.connectivity.core`; an explicit status for every other model. The board's own status is ``EMPTY`` without votes,
        the reason where nobody has a rating, ``PROVISIONAL`` while a row that had battles is not ``OK``, else ``OK``. Strengths that floating-point
        numbers cannot hold (some million wins to one, around a ring) count as ``UNBOUNDED``.

    Raises
    ------
    ValueError
        If *interval* is not between 0 and 1.
    """
    if not 0 < interval < 1:
        raise ValueError("the interval is a probability between 0 and 1")
    rows = _rows(tally, ties, interval)
    return BoardResult(
        n_votes=tally.n_votes,
        n_models=len(tally.models),
        criterion=criterion,
        ties=ties,
        interval=interval,
        cluster="none",
        status=_board_status(rows),
        ratings=tuple(rows),
    )


def _rows(tally: Tally, ties: TieRule, interval: float) -> list[Rating]:
    points = tally.points(ties)
    rated = connectivity.core(points, tally.wins().astype(np.float64))
    records = _records(tally)
    rows = [
        _unrated(model, record, status)
        for model, record, status in zip(
            tally.models, records, connectivity.outside(points, rated), strict=True
        )
    ]
    try:
        for index, row in zip(rated, _rated(tally, rated, records, ties, interval), strict=True):
            rows[index] = row
    except NotConverged:
        rows = [
            _unrated(row.model, record, Status.UNBOUNDED) for row, record in zip(rows, records, strict=True)
        ]
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
    tally: Tally, rated: Indices, records: list[_Record], ties: TieRule, interval: float
) -> list[Rating]:
    if not len(rated):
        return []
    part = tally.at(rated)
    fit = fit_bradley_terry(part, ties=ties)
    covariance = sandwich_covariance(part, fit)
    errors: Vector = np.sqrt(np.maximum(np.diag(covariance), 0.0)) * SCALE
    better = separated(fit.strengths, covariance, level=interval)
    low, high = rank_intervals(better)
    order, tier = ranks(fit.strengths), tiers(fit.strengths, better)
    z = quantile(interval)
    rows = []
    for place, model in enumerate(part.models):
        rating, error = float(CENTRE + SCALE * fit.strengths[place]), float(errors[place])
        record = records[rated[place]]
        rows.append(
            Rating(
                model=model,
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
                status=_rated_status(record.n, error),
            )
        )
    return rows


def _rated_status(n: int, error: float) -> Status:
    firm = n >= PROVISIONAL_BATTLES and quantile(0.95) * error <= PROVISIONAL_HALF_WIDTH
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


def _board_status(rows: list[Rating]) -> Status:
    """Without ratings every row says why; ``INSUFFICIENT`` yields to a better reason."""
    said = {row.status for row in rows if row.n}
    if not said:
        return Status.EMPTY
    if any(status.has_rating for status in said):
        return Status.OK if said == {Status.OK} else Status.PROVISIONAL
    return next(iter(said - {Status.INSUFFICIENT}), Status.INSUFFICIENT)
