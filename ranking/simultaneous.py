"""What holds of all models at once: max-t intervals, rank intervals from them, and the chance of each rank."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ranking.fit import Vector
from ranking.ranks import Ranks, difference_errors, rank_intervals, separated_beyond
from ranking.tally import Matrix

DRAWS = 20_000
_CHUNK_NUMBERS = 2**21  # drawn numbers in one batch: 16 MB


@dataclass(frozen=True, slots=True, eq=False)
class Simultaneous:
    """Intervals that all hold at once with their level's probability.

    Parameters
    ----------
    critical
        How many standard errors each interval reaches on both sides.
    low, high
        In nats: shape ``(m,)`` for ratings, ``(m, m)`` for differences, row less column.
    """

    critical: float
    low: Vector | Matrix
    high: Vector | Matrix


def critical_value(
    covariance: Matrix,
    *,
    of: Literal["ratings", "differences"],
    level: float = 0.95,
    seed: int,
    draws: int = DRAWS,
    freedom: float = np.inf,
) -> float:
    """How many standard errors intervals must reach so that all hold at once.

    Parameters
    ----------
    covariance
        Shape ``(m, m)``, in nats squared.
    of
        All ``m`` ratings, or all differences between two of them.
    level
        The probability that every interval holds.
    seed
        The same seed gives the same value.
    draws
        How many vectors are simulated: with 20,000 the value is good to about 0.02.
    freedom
        Degrees of freedom of the covariance, one less than the clusters that it rests on; infinite for the normal law.

    Returns
    -------
    float
        The quantile of the largest standardised deviation (max-t); 0 with nothing to compare.

    Notes
    -----
    T. Hothorn, F. Bretz and P. Westfall, "Simultaneous inference in general parametric models", Biometrical Journal 50, 2008. Unlike Bonferroni's it
    uses how the ratings hang together.
    """
    rng = np.random.default_rng(seed)
    largest = [_largest(drawn, covariance, of) for drawn in _drawn(covariance, draws, rng)]
    deviations = np.concatenate(largest)
    if np.isfinite(freedom):
        deviations = deviations / np.sqrt(rng.chisquare(freedom, draws) / freedom)
    return float(np.quantile(deviations, level))


def simultaneous_ratings(
    strengths: Vector,
    covariance: Matrix,
    *,
    level: float = 0.95,
    seed: int,
    draws: int = DRAWS,
    freedom: float = np.inf,
) -> Simultaneous:
    """Intervals of shape ``(m,)`` that hold every strength at once with probability *level*; arguments as in :func:`critical_value`."""
    critical = critical_value(covariance, of="ratings", level=level, seed=seed, draws=draws, freedom=freedom)
    reach = critical * np.sqrt(np.diag(covariance))
    return Simultaneous(critical, strengths - reach, strengths + reach)


def simultaneous_differences(
    strengths: Vector,
    covariance: Matrix,
    *,
    level: float = 0.95,
    seed: int,
    draws: int = DRAWS,
    freedom: float = np.inf,
) -> Simultaneous:
    """Intervals of shape ``(m, m)`` that hold every difference, row less column, at once; arguments as in :func:`critical_value`."""
    critical = critical_value(
        covariance, of="differences", level=level, seed=seed, draws=draws, freedom=freedom
    )
    gaps = strengths[:, None] - strengths[None, :]
    reach = critical * difference_errors(covariance)
    return Simultaneous(critical, gaps - reach, gaps + reach)


def simultaneous_ranks(
    strengths: Vector,
    covariance: Matrix,
    *,
    level: float = 0.95,
    seed: int,
    draws: int = DRAWS,
    freedom: float = np.inf,
) -> tuple[Ranks, Ranks]:
    """Lowest and highest ranks, each of shape ``(m,)``, that hold every model's true rank at once with at least probability *level*.

    Notes
    -----
    From the simultaneous intervals of all differences (M. Mogstad, J. P. Romano, A. M. Shaikh and D. Wilhelm, "Inference for ranks with applications to
    mobility across neighbourhoods and academic achievement across countries", Review of Economic Studies 91, 2024), in one step, not stepwise.
    """
    critical = critical_value(
        covariance, of="differences", level=level, seed=seed, draws=draws, freedom=freedom
    )
    return rank_intervals(separated_beyond(strengths, covariance, critical))


def rank_probabilities(strengths: Vector, covariance: Matrix, *, seed: int, draws: int = DRAWS) -> Matrix:
    """How likely each model is among the best *k*.

    Parameters
    ----------
    strengths, covariance
        Shape ``(m,)`` in nats and ``(m, m)`` in nats squared.
    seed, draws
        As in :func:`critical_value`.

    Returns
    -------
    ndarray
        Shape ``(m, m)``: row *i*, column *k - 1* is the share of draws from the normal law around the strengths in which model *i* ranks *k* or better.
        Rows rise to 1; column *k - 1* sums to *k*.

    Notes
    -----
    The normal law is that of the estimate, read as what the votes leave open about the truth (a flat prior); it says more than a rank interval and
    is not a test.
    """
    m = len(strengths)
    at = np.zeros((m, m))
    places = np.arange(m)
    for drawn in _drawn(covariance, draws, np.random.default_rng(seed)):
        order = np.argsort(-(strengths + drawn), axis=1)
        at += np.bincount((order * m + places).ravel(), minlength=m * m).reshape(m, m)
    return np.asarray(np.cumsum(at, axis=1) / draws, dtype=np.float64)


def _drawn(covariance: Matrix, draws: int, rng: np.random.Generator) -> Iterator[Matrix]:
    """Normal deviations with that covariance, at most *draws* rows of shape ``(m,)`` in batches; singular covariances are welcome."""
    m = len(covariance)
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    size = max(1, _CHUNK_NUMBERS // max(m, 1))
    for first in range(0, draws, size):
        yield rng.standard_normal((min(size, draws - first), m)) @ root.T


def _largest(drawn: Matrix, covariance: Matrix, of: str) -> Vector:
    """Shape ``(draws,)``: the largest deviation of each row in standard errors; what has no error is left out."""
    largest = np.zeros(len(drawn))
    by_model = np.ascontiguousarray(
        drawn.T
    )  # a maximum over rows is several times faster than one along them
    if of == "ratings":
        deviations = np.abs(by_model) * _inverse(np.sqrt(np.diag(covariance)))[:, None]
        return np.asarray(deviations.max(axis=0, initial=0.0), dtype=np.float64)
    inverse = _inverse(difference_errors(covariance))
    for i in range(len(covariance) - 1):
        gaps = np.abs(by_model[i + 1 :] - by_model[i])
        gaps *= inverse[i, i + 1 :, None]
        np.maximum(largest, gaps.max(axis=0), out=largest)
    return largest


def _inverse(errors: Matrix) -> Matrix:
    """One over each, and 0 where there is no error."""
    found: Matrix = np.divide(1.0, errors, out=np.zeros_like(errors), where=errors > 0)
    return found
