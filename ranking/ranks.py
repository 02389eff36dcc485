"""What can be said of an order: rank intervals and tiers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from ranking.fit import Vector
from ranking.tally import Matrix

EQUAL = 1e-9
"""Strengths that differ by no more, in nats, differ by rounding alone."""

Ranks = NDArray[np.int64]
Separated = NDArray[np.bool_]


def quantile(level: float, freedom: float = np.inf) -> float:
    """How many standard errors a two-sided interval of *level*, in (0, 1), reaches; finite for every float below 1.

    By Student's t where the standard error has only *freedom* degrees of freedom, else by the normal law.
    """
    tail = (1 - level) / 2
    return -float(ndtri(tail) if np.isinf(freedom) else stdtrit(freedom, tail))


def difference_errors(covariance: Matrix) -> Matrix:
    """Shape ``(m, m)``: the standard error of each difference of two strengths, in nats, from their covariance of the same shape."""
    variances = np.diag(covariance)
    squares: Matrix = variances[:, None] + variances[None, :] - 2 * covariance
    return np.asarray(np.sqrt(np.maximum(squares, 0.0)), dtype=np.float64)


def separated(strengths: Vector, covariance: Matrix, *, level: float, freedom: float = np.inf) -> Separated:
    """Shape ``(m, m)``: whether row is better than column beyond doubt.

    A two-sided z test of each difference at *level* (0.95, say) with the full covariance, pair by pair; a t test where *freedom* is finite.
    """
    return separated_beyond(strengths, covariance, quantile(level, freedom))


def separated_beyond(strengths: Vector, covariance: Matrix, critical: float) -> Separated:
    """Shape ``(m, m)``: whether row leads column by more than *critical* standard errors of their difference."""
    gaps = strengths[:, None] - strengths[None, :]
    return np.asarray(gaps > critical * difference_errors(covariance), dtype=np.bool_) & (gaps > 0)


def ranks(strengths: Vector) -> Ranks:
    """Shape ``(m,)``: 1 for the strongest; strengths that differ by rounding alone share the better rank."""
    order = np.sort(-strengths)
    return np.asarray(np.searchsorted(order, -strengths - EQUAL, side="left") + 1, dtype=np.int64)


def rank_intervals(better: Separated) -> tuple[Ranks, Ranks]:
    """Lowest and highest rank that the separated pairs, shape ``(m, m)``, leave open, each of shape ``(m,)``.

    A model ranks below all that are better beyond doubt and above all that are worse beyond doubt.
    """
    m = len(better)
    return (
        np.asarray(better.sum(axis=0) + 1, dtype=np.int64),
        np.asarray(m - better.sum(axis=1), dtype=np.int64),
    )


def tiers(strengths: Vector, better: Separated) -> Ranks:
    """Tiers from 1 for the best, shape ``(m,)``: two models that cannot be told apart share a tier, and so does whoever links them.

    Parameters
    ----------
    strengths
        Shape ``(m,)``, in nats.
    better
        Shape ``(m, m)``, from :func:`separated`.

    Returns
    -------
    ndarray
        Tier numbers. Models of different tiers differ beyond doubt; within a tier some pairs may, too.

    Notes
    -----
    Tiers are the connected groups of the graph that joins each pair that is not separated. They never interleave: standard errors of differences obey the
    triangle inequality, so if *i* > *j* > *k* and *j* is separated from both, then so are *i* and *k*. Walking down the order, a tier therefore ends where
    everybody above is better beyond doubt than everybody below.
    """
    order = np.argsort(-strengths, kind="stable")
    sorted_better = better[np.ix_(order, order)]
    numbers = np.ones(len(strengths), dtype=np.int64)
    for place in range(1, len(order)):
        cut = bool(sorted_better[:place, place:].all())
        numbers[order[place]] = numbers[order[place - 1]] + cut
    return numbers
