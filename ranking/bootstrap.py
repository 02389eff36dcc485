"""Intervals by resampling, for small boards on which a normal approximation is in doubt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from ranking.ballots import Ballots
from ranking.batch import fit_many
from ranking.errors import NoFit
from ranking.fit import Vector, fit_points
from ranking.points import points_of
from ranking.tally import Matrix, Tally
from ranking.types import TieRule

REPLICATES = 1000
_CHUNK_NUMBERS = 2**21  # drawn numbers in one batch: 16 MB


@dataclass(frozen=True, slots=True, eq=False)
class Bootstrap:
    """Resampled fits.

    Parameters
    ----------
    strengths
        Shape ``(r, m)``, in nats, mean zero: one row for each replicate that has a finite maximum of its likelihood.
    n_failed
        How many replicates have none, such as those in which a model only won. They are missing from *strengths*: where they are many, intervals are
        too narrow, and a board of so few votes should not be ranked.
    """

    strengths: Matrix
    n_failed: int

    def interval(self, level: float = 0.95) -> tuple[Vector, Vector]:
        """Percentile intervals at *level*: low and high ends of shape ``(m,)``, in nats. Raises ``NoFit`` if no replicate has a finite maximum."""
        if not len(self.strengths):
            raise NoFit("no replicate has a finite maximum")
        low, high = np.quantile(self.strengths, [(1 - level) / 2, (1 + level) / 2], axis=0)
        return low, high

    def covariance(self) -> Matrix:
        """Shape ``(m, m)``, in nats squared. Raises ``NoFit`` if fewer than two replicates have a finite maximum."""
        if len(self.strengths) < 2:
            raise NoFit("fewer than two replicates have a finite maximum")
        return np.asarray(np.cov(self.strengths, rowvar=False), dtype=np.float64)


def bootstrap_votes(
    tally: Tally, *, ties: TieRule = TieRule.HALF, replicates: int = REPLICATES, seed: int
) -> Bootstrap:
    """Resample votes from their counts, as if each vote were independent.

    Parameters
    ----------
    tally
        Counts of shape ``(m, m, 4)`` that have a fit.
    ties
        How ties enter the fits.
    replicates
        How many tallies to draw, each of as many votes as *tally* has.
    seed
        The same seed draws the same replicates.

    Raises
    ------
    NoFit
        If the tally itself has no finite maximum.

    Notes
    -----
    One multinomial draw over the cells of the counts is the same as drawing single votes with replacement (B. Efron, "Bootstrap methods: another
    look at the jackknife", Annals of Statistics 7, 1979). Every fit starts from the tally's own.
    """
    cells = np.flatnonzero(tally.counts)
    counts = tally.counts.ravel()[cells]
    start = fit_points(points_of(tally.counts, ties), ties=ties).strengths
    shares = _cell_points(len(tally.models), ties)[cells]
    rng = np.random.default_rng(seed)
    drawn = _multinomial(tally.n_votes, counts / counts.sum(), replicates, rng)
    return _fitted(shares, drawn, start)


def bootstrap_clusters(
    ballots: Ballots, *, ties: TieRule = TieRule.HALF, replicates: int = REPLICATES, seed: int
) -> Bootstrap:
    """Resample users, each with all of their votes and weights.

    Parameters
    ----------
    ballots
        Votes that have a fit; a vote of nobody is a user of its own.
    ties, replicates, seed
        As in :func:`bootstrap_votes`.

    Raises
    ------
    NoFit
        If the votes themselves have no finite maximum.

    Notes
    -----
    The pairs cluster bootstrap (A. C. Cameron, J. B. Gelbach and D. L. Miller, "Bootstrap-based improvements for inference with clustered errors", Review of
    Economics and Statistics 90, 2008): as many users are drawn with replacement as there are.
    """
    counts = ballots.weighted_counts()
    start = fit_points(points_of(counts, ties), ties=ties).strengths
    users = ballots.clusters()
    n = int(users.max()) + 1
    cast = csr_array((ballots.weights(), (users, ballots.cells())), shape=(n, counts.size))
    shares = cast @ _cell_points(len(ballots.models), ties)
    drawn = _multinomial(n, np.full(n, 1 / n), replicates, np.random.default_rng(seed))
    return _fitted(shares, drawn, start)


def _cell_points(m: int, ties: TieRule) -> csr_array:
    """Shape ``(m * m * 4, m * m)``: what one vote in each cell of the counts adds to each cell of the points."""
    cell = np.arange(m * m * 4)
    i, j, outcome = np.unravel_index(cell, (m, m, 4))
    tied = 0.5 if ties is TieRule.HALF else 0.0
    for_a = np.array([1.0, 0.0, tied, tied])[outcome]
    for_b = np.array([0.0, 1.0, tied, tied])[outcome]
    there, back = csr_array((for_a, (cell, i * m + j))), csr_array((for_b, (cell, j * m + i)))
    return csr_array(there + back)


def _multinomial(
    n: int, chances: Vector, replicates: int, rng: np.random.Generator
) -> Iterator[NDArray[np.int64]]:
    """How often each kind is drawn, in batches of rows, one row a replicate."""
    size = max(1, _CHUNK_NUMBERS // len(chances))
    for first in range(0, replicates, size):
        yield rng.multinomial(n, chances, size=min(size, replicates - first))


def _fitted(shares: csr_array, drawn: Iterator[NDArray[np.int64]], start: Vector) -> Bootstrap:
    """Fit each replicate: the rows of *shares*, each as often as it was drawn."""
    m = len(start)
    fits, n_failed = [np.empty((0, m))], 0
    for batch in drawn:
        strengths, found = fit_many((shares.T @ batch.T).T.reshape(-1, m, m), start)
        fits.append(strengths[found])
        n_failed += int((~found).sum())
    return Bootstrap(np.concatenate(fits), n_failed)
