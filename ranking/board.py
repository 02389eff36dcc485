"""A board: a tally's ratings with everything that is needed to doubt them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.stats import norm

from ranking import connectivity
from ranking.fit import fit_bradley_terry
from ranking.ranks import rank_intervals, ranks, separated, tiers
from ranking.tally import Matrix, Tally
from ranking.types import Criterion, Status, TieRule
from ranking.uncertainty import sandwich_covariance

SCALE = 400 / np.log(10)
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
        return None if self.low is None or self.high is None else (self.high - self.low) / 2


@dataclass(frozen=True, slots=True)
class BoardResult:
    """All rows, best first; models without a rating last."""

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
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self)))
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
        Confidence level of rating and rank intervals, between 0 and 1.

    Returns
    -------
    BoardResult
        Ratings for :func:`ranking.connectivity.core`; an explicit status for every other model. The board's own status is ``EMPTY`` without votes,
        the reason where nobody has a rating, ``PROVISIONAL`` while a rated row is, else ``OK``.

    Raises
    ------
    ValueError
        If *interval* is not between 0 and 1.
    """
    if not 0 < interval < 1:
        raise ValueError("the interval is a probability between 0 and 1")
    points = tally.points(ties)
    rated = connectivity.core(points)
    statuses = connectivity.outside(points, rated)
    rows = [_unrated(tally, index, status) for index, status in enumerate(statuses)]
    if len(rated):
        for index, row in zip(rated, _rated(tally, rated, ties, interval), strict=True):
            rows[index] = row
    rows.sort(key=lambda row: (row.rating is None, -(row.rating or 0.0), row.model))
    return BoardResult(
        n_votes=tally.n_votes,
        n_models=len(tally.models),
        criterion=criterion,
        ties=ties,
        interval=interval,
        cluster="none",
        status=_board_status(points, rows),
        ratings=tuple(rows),
    )


def _rated(tally: Tally, rated: Any, ties: TieRule, interval: float) -> list[Rating]:
    part = tally.subset([tally.models[index] for index in rated])
    fit = fit_bradley_terry(part, ties=ties)
    covariance = sandwich_covariance(part, fit)
    half = norm.ppf((1 + interval) / 2) * np.sqrt(np.maximum(np.diag(covariance), 0.0)) * SCALE
    better = separated(fit.strengths, covariance, level=interval)
    low, high = rank_intervals(better)
    order, tier = ranks(fit.strengths), tiers(fit.strengths, better)
    rows = []
    for place, model in enumerate(part.models):
        rating = float(CENTRE + SCALE * fit.strengths[place])
        n, wins, tied, losses = _record(tally, tally.models.index(model))
        provisional = n < PROVISIONAL_BATTLES or half[place] > PROVISIONAL_HALF_WIDTH
        rows.append(
            Rating(
                model=model,
                rating=rating,
                low=rating - float(half[place]),
                high=rating + float(half[place]),
                rank=int(order[place]),
                rank_low=int(low[place]),
                rank_high=int(high[place]),
                tier=int(tier[place]),
                n=n,
                wins=wins,
                ties=tied,
                losses=losses,
                status=Status.PROVISIONAL if provisional else Status.OK,
            )
        )
    return rows


def _unrated(tally: Tally, index: int, status: Status) -> Rating:
    n, wins, tied, losses = _record(tally, index)
    # only ties dropped from the fit leave a model with battles and no points
    status = Status.INSUFFICIENT if status is Status.EMPTY and n else status
    return Rating(
        tally.models[index], None, None, None, None, None, None, None, n, wins, tied, losses, status
    )


def _record(tally: Tally, index: int) -> tuple[int, int, int, int]:
    wins, ties = tally.wins(), tally.ties()
    won, tied, lost = int(wins[index].sum()), int(ties[index].sum()), int(wins[:, index].sum())
    return won + tied + lost, won, tied, lost


def _board_status(points: Matrix, rows: list[Rating]) -> Status:
    if not any(row.n for row in rows):
        return Status.EMPTY
    rated = [row.status for row in rows if row.rating is not None]
    if rated:
        return Status.PROVISIONAL if Status.PROVISIONAL in rated else Status.OK
    met = np.flatnonzero(points.sum(axis=0) + points.sum(axis=1))
    found = connectivity.check(points[np.ix_(met, met)])
    return Status.INSUFFICIENT if found in {Status.OK, Status.EMPTY} else found
