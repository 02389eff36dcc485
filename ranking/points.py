"""Fits from points that need not be whole numbers: weighted votes, resampled votes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ranking import connectivity
from ranking.errors import DisconnectedTally, UnboundedTally
from ranking.fit import Fit, Vector, _newton, _spectral
from ranking.tally import Matrix
from ranking.types import Outcome, Status, TieRule

Ordered = NDArray[np.int64] | NDArray[np.float64]


def wins_of(counts: Ordered) -> Matrix:
    """Shape ``(m, m)``: what row won from column on either side, from ordered counts of shape ``(m, m, 4)``."""
    won = counts[:, :, Outcome.A_BETTER.place] + counts[:, :, Outcome.B_BETTER.place].T
    return won.astype(np.float64, copy=False)


def ties_of(counts: Ordered) -> Matrix:
    """Shape ``(m, m)``, symmetric: the ties and both-bad of a pair, from ordered counts of shape ``(m, m, 4)``."""
    even = counts[:, :, Outcome.TIE.place] + counts[:, :, Outcome.BOTH_BAD.place]
    return (even + even.T).astype(np.float64, copy=False)


def points_of(counts: Ordered, ties: TieRule) -> Matrix:
    """Shape ``(m, m)``: wins of row over column, with half a win for each tie under ``HALF``."""
    won = wins_of(counts)
    return won + ties_of(counts) / 2 if ties is TieRule.HALF else won


def fit_points(points: Matrix, *, ties: TieRule = TieRule.HALF, start: Vector | None = None) -> Fit:
    """Fit Bradley-Terry strengths to points by maximum likelihood.

    Parameters
    ----------
    points
        Shape ``(m, m)``, not negative: what row scored against column.
    ties
        The rule that the points were made by; only carried along.
    start
        Strengths of shape ``(m,)``, in nats, to start from; one spectral pass of choix if left out.

    Returns
    -------
    Fit
        As :func:`ranking.fit.fit_bradley_terry` gives it.

    Raises
    ------
    DisconnectedTally, UnboundedTally
        If the points do not join all models into one strongly connected component.
    NotConverged
        If the points are too steep for floating-point numbers.
    """
    status = connectivity.check(points)
    if status is Status.UNBOUNDED:
        raise UnboundedTally("a group of models always won or always lost")
    if status is not Status.OK:
        raise DisconnectedTally("some models never met, directly or through others")
    return _newton(points, _spectral(points) if start is None else start - start.mean(), ties)
