"""Exact tails of sums of independent two-valued terms, for many groups at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from ranking.fit import Vector
from ranking.tally import Indices, Matrix

EXACT_TERMS = 200
"""Groups of at most so many terms have exact tails, larger ones normal tails with a continuity correction."""

_MOST_CELLS = 4_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Tails:
    """Where observed sums stand among what was expected; each of shape ``(k,)``, a value a group.

    Parameters
    ----------
    observed, mean, variance
        The sum, its expectation and its variance.
    lower, upper
        The probability of a sum at most, and at least, as large as the observed one.
    """

    observed: Vector
    mean: Vector
    variance: Vector
    lower: Vector
    upper: Vector

    def standardised(self) -> Vector:
        """Shape ``(k,)``: by how many standard deviations a sum is above its mean; 0 where it cannot vary."""
        varies = self.variance > 0
        spread = np.sqrt(np.where(varies, self.variance, 1.0))
        return np.asarray(np.where(varies, (self.observed - self.mean) / spread, 0.0), dtype=np.float64)

    def two_sided(self) -> Vector:
        """Shape ``(k,)``: twice the smaller tail, at most 1."""
        return np.asarray(2 * np.minimum(0.5, np.minimum(self.lower, self.upper)), dtype=np.float64)


def tails(group: Indices, p: Vector, happened: NDArray[np.bool_], size: Indices, n_groups: int) -> Tails:
    """Compare each group's sum with its exact distribution.

    Parameters
    ----------
    group
        Shape ``(n,)``: each term's group, from 0 to ``n_groups - 1``.
    p
        Shape ``(n,)``: the probability that a term counts, independent of the others.
    happened
        Shape ``(n,)``: whether it did.
    size
        Shape ``(n,)``, whole and not negative: what the term adds if it counts.
    n_groups
        How many groups there are; one without terms has the sum 0 and both tails 1.

    Returns
    -------
    Tails
        Sums of positive numbers alone, so small tails are right to many digits.

    Notes
    -----
    With sizes of one this is the Poisson binomial distribution, by direct convolution (Hong, "On computing the distribution function for the Poisson
    binomial distribution", Computational Statistics and Data Analysis 59, 2013). Above :data:`EXACT_TERMS` terms the normal distribution stands in.
    """
    observed, mean, variance = (
        np.bincount(group, weights=each, minlength=n_groups).astype(np.float64, copy=False)
        for each in (size * happened, size * p, size**2 * p * (1 - p))
    )
    spread = np.sqrt(np.maximum(variance, np.finfo(np.float64).tiny))
    lower = np.asarray(ndtr((observed + 0.5 - mean) / spread), dtype=np.float64)
    upper = np.asarray(ndtr((mean - observed + 0.5) / spread), dtype=np.float64)
    for rows, places, filled in _blocks(group, n_groups):
        weights = _distributions(np.where(filled, p[places], 0.0), np.where(filled, size[places], 0))
        at = np.arange(weights.shape[1])[None, :] - observed[rows, None]
        lower[rows] = np.minimum(1.0, (weights * (at <= 0)).sum(axis=1))
        upper[rows] = np.minimum(1.0, (weights * (at >= 0)).sum(axis=1))
    return Tails(observed, mean, variance, lower, upper)


def _blocks(group: Indices, n_groups: int) -> Iterator[tuple[Indices, Indices, NDArray[np.bool_]]]:
    """Groups of like length: their numbers ``(r,)``, their terms' places ``(r, w)``, and which of these are theirs ``(r, w)``."""
    order = np.argsort(group, kind="stable")
    lengths = np.bincount(group, minlength=n_groups)
    starts = np.cumsum(lengths) - lengths
    by_length = np.argsort(lengths, kind="stable")
    by_length = by_length[(lengths[by_length] > 0) & (lengths[by_length] <= EXACT_TERMS)]
    doublings = np.ceil(np.log2(lengths[by_length]))
    for alike in np.split(by_length, np.flatnonzero(np.diff(doublings)) + 1):
        width = int(lengths[alike].max(initial=0))
        most = max(1, _MOST_CELLS // max(1, width * 16))
        for first in range(0, len(alike), most):
            rows = alike[first : first + most]
            columns = np.arange(width)[None, :]
            filled = columns < lengths[rows, None]
            yield rows, order[np.where(filled, starts[rows, None] + columns, 0)], filled


def _distributions(p: Matrix, size: Indices) -> Matrix:
    """Each row's distribution, shape ``(r, reach + 1)``, of the sum of its terms; *p* and *size* of shape ``(r, w)``."""
    reach = np.concatenate([[0], np.cumsum(size.max(axis=0))])
    weights = np.zeros((len(p), int(size.sum(axis=1).max()) + 1))
    weights[:, 0] = 1.0
    ends = np.minimum(reach, weights.shape[1] - 1) + 1
    for term in range(p.shape[1]):
        chance = p[:, term, None]
        before = weights[:, : ends[term]] * chance
        weights[:, : ends[term]] *= 1 - chance
        for jump in np.unique(size[:, term]):
            rows = np.flatnonzero(size[:, term] == jump)
            end = min(int(jump) + before.shape[1], weights.shape[1])
            weights[rows, jump:end] += before[rows, : end - jump]
    return weights
