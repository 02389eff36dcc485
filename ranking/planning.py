"""How many votes it takes: to tell two models apart, and to swap two of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from ranking.errors import NoFit, NotConverged
from ranking.fit import Fit, fit_points, win_probabilities
from ranking.points import ties_of, wins_of
from ranking.ranks import EQUAL, quantile
from ranking.tally import Matrix, Tally
from ranking.types import TieRule
from ranking.uncertainty import pseudo_inverse

Kind = tuple[int, int, int]  # 0 for a win of the first model over the second, 1 for a tie
Kinds = NDArray[np.float64]  # (2, m, m)


def battles_to_separate(
    fit: Fit,
    covariance: Matrix,
    one: int,
    other: int,
    *,
    level: float = 0.95,
    power: float = 0.8,
    tie_share: float = 0.0,
) -> int | None:
    """How many more direct battles until the test of two models' difference is decided.

    Parameters
    ----------
    fit
        The current fit of ``m`` models.
    covariance
        Its covariance, ``(m, m)`` in nats squared, per vote or clustered.
    one, other
        The two models' indices.
    level
        Of the two-sided test.
    power
        The probability that the test decides, if the true difference is the one fitted.
    tie_share
        The share of their battles that ties, half a win each: a tie spreads less than a win. 0 asks for the most battles.

    Returns
    -------
    int or None
        0 where the difference is large enough already; None where the two are exactly equal: no number of votes tells them apart.

    Raises
    ------
    ValueError
        If the two are one model.

    Notes
    -----
    Let ``c = e_one - e_other``, ``h = c'H+c`` and ``V = c'Cc``, and let a direct battle have the curvature ``w = p(1-p)`` and the score's variance
    ``s = p(1-p) - tie_share/4``. After *n* of them the sandwich variance of the difference is ``(V + n s h^2) / (1 + n w h)^2`` (J. Sherman and W. J. Morrison,
    "Adjustment of an inverse matrix corresponding to a change in one element of a given matrix", Annals of Mathematical Statistics 21, 1950). The
    answer is the smallest *n* from which on it is at most ``(difference / (z_level + z_power))^2``, the larger root of a quadratic. The fitted difference of
    two neighbours is itself unsure, so plan with a margin.
    """
    if one == other:
        raise ValueError("a model is not told apart from itself")
    gap = float(fit.strengths[one] - fit.strengths[other])
    if abs(gap) <= EQUAL:
        return None
    curvature, variance = _direct_battle(gap, tie_share)
    leverage = _of_difference(pseudo_inverse(fit.hessian), one, other)
    now = _of_difference(covariance, one, other)
    allowed = (gap / (quantile(level) + float(ndtri(power)))) ** 2
    square = allowed * (curvature * leverage) ** 2
    linear = 2 * allowed * curvature * leverage - variance * leverage**2
    discriminant = linear**2 - 4 * square * (allowed - now)
    if discriminant < 0:
        return 0
    return max(0, ceil((sqrt(discriminant) - linear) / (2 * square)))


def _direct_battle(gap: float, tie_share: float) -> tuple[float, float]:
    p = float(win_probabilities(np.array([gap, 0.0]))[0, 1])
    curvature = p * (1 - p)
    # so uneven a pair cannot tie more often than its weaker side scores
    return curvature, curvature - min(tie_share, 2 * min(p, 1 - p)) / 4


def _of_difference(matrix: Matrix, one: int, other: int) -> float:
    return float(matrix[one, one] + matrix[other, other] - 2 * matrix[one, other])


class Tampering(StrEnum):
    """What is done to a vote: it is left out, or its points go to the other side."""

    DROP = "drop"
    REVERSE = "reverse"


@dataclass(frozen=True, slots=True)
class Tampered:
    """Votes of one kind that a swap needs: *n* times *winner* beat *loser*, or tied with it."""

    winner: str
    loser: str
    tied: bool
    n: int


@dataclass(frozen=True, slots=True)
class Swap:
    """Votes whose loss or reversal swaps two models: how many, and which, most frequent first."""

    n_votes: int
    votes: tuple[Tampered, ...]


def votes_to_swap(
    tally: Tally,
    upper: str,
    lower: str,
    *,
    by: Tampering = Tampering.DROP,
    ties: TieRule = TieRule.HALF,
    most: int = 1000,
) -> Swap | None:
    """Few votes that, dropped or reversed, put *lower* above *upper*.

    Parameters
    ----------
    tally
        Counts of shape ``(m, m, 4)`` that have a fit.
    upper, lower
        Two models' names, the better one first.
    by
        What is done to a vote.
    ties
        How ties enter the fit; a tie that the rule drops cannot move anything.
    most
        Where to give up.

    Returns
    -------
    Swap or None
        None where *most* votes do not suffice or none is left that helps.

    Raises
    ------
    NoFit
        If the tally has no finite maximum.
    KeyError
        If the tally lacks a model.
    ValueError
        If *upper* is not rated above *lower*.

    Notes
    -----
    A greedy search with exact refits. Each step takes the one vote whose loss moves the difference most to first order, ``c'H+ (e_i - e_j)`` times the
    change of its score (T. Broderick, R. Giordano and R. Meager, "An automatic finite-sample robustness metric: when can dropping a little data make a
    big difference?", arXiv 2011.14999, 2020), fits the rest exactly and stops when the two have swapped. What it returns does swap them; that no fewer
    votes would, it does not prove.
    """
    place = {name: index for index, name in enumerate(tally.models)}
    pair = place[upper], place[lower]
    votes = np.stack([wins_of(tally.counts), np.triu(ties_of(tally.counts))])
    fit = fit_points(_points(votes, ties), ties=ties)
    if not _leads(fit, *pair):
        raise ValueError(f"{upper} is not rated above {lower}")
    taken = np.zeros(votes.shape, dtype=np.int64)
    for _ in range(most):
        step = next(_steps(votes, fit, pair, by), None)
        if step is None:
            return None
        kind, votes, fit = step
        taken[kind] += 1
        if _leads(fit, *pair[::-1]):
            return _swap(taken, tally.models)
    return None


def _leads(fit: Fit, one: int, other: int) -> bool:
    return bool(fit.strengths[one] - fit.strengths[other] > EQUAL)


def _points(votes: Kinds, ties: TieRule) -> Matrix:
    """Shape ``(m, m)``: points from wins and from ties, listed once a pair."""
    wins: Matrix = votes[0]
    return wins + (votes[1] + votes[1].T) / 2 if ties is TieRule.HALF else wins


def _steps(votes: Kinds, fit: Fit, pair: tuple[int, int], by: Tampering) -> Iterator[tuple[Kind, Kinds, Fit]]:
    """Kinds of votes to tamper with, most helpful first, with what is then left and its fit; those that leave no fit are passed over."""
    effects = np.where(votes > 0, _effects(fit, pair, by), 0.0)
    for flat in np.argsort(effects, axis=None):
        kind = _kind(int(flat), len(fit.strengths))
        if not effects[kind] < 0:
            return
        left = votes.copy()
        left[kind] -= 1
        if by is Tampering.REVERSE:
            left[0, kind[2], kind[1]] += 1
        try:
            yield kind, left, fit_points(_points(left, fit.ties), ties=fit.ties, start=fit.strengths)
        except (NoFit, NotConverged):
            continue


def _kind(flat: int, m: int) -> Kind:
    tied, cell = divmod(flat, m * m)
    return tied, *divmod(cell, m)


def _effects(fit: Fit, pair: tuple[int, int], by: Tampering) -> Kinds:
    """Shape ``(2, m, m)``: to first order, how far one vote's tampering moves the difference of the pair; wins first, then ties."""
    inverse = pseudo_inverse(fit.hessian)
    pull = inverse[pair[0]] - inverse[pair[1]]
    along = pull[:, None] - pull[None, :]
    p = win_probabilities(fit.strengths)
    if by is Tampering.REVERSE:  # a tie has no other side to go to
        wins, tied = -along, np.zeros_like(along)
    else:
        wins, tied = -p.T * along, (p - 0.5) * along
    if fit.ties is not TieRule.HALF:
        tied = np.zeros_like(along)
    return np.asarray([wins, tied], dtype=np.float64)


def _swap(taken: NDArray[np.int64], models: tuple[str, ...]) -> Swap:
    votes = [
        Tampered(models[i], models[j], tied=bool(kind), n=int(taken[kind, i, j]))
        for kind, i, j in zip(*np.nonzero(taken), strict=True)
    ]
    votes.sort(key=lambda each: -each.n)
    return Swap(int(taken.sum()), tuple(votes))
