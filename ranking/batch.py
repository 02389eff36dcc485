"""Many fits of the same models at once, from a common start."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from ranking.fit import Vector
from ranking.tally import Matrix

Mask = NDArray[np.bool_]
Stack = NDArray[np.float64]

_CHUNK_NUMBERS = 2**21  # floats in one batch of matrices: 16 MB
_MOST_STEPS = 60
_LONGEST_STEP = 1.0  # nats: from a start nearby no longer step is needed, and a longer one may overshoot
_SHORTEST_STEP = 1e-8  # nats


def fit_many(points: Stack, start: Vector) -> tuple[Matrix, Mask]:
    """Fit Bradley-Terry strengths to many points matrices.

    Parameters
    ----------
    points
        Shape ``(r, m, m)``, not negative: what row scored against column in each replicate.
    start
        Shape ``(m,)``: strengths near those that are sought, in nats.

    Returns
    -------
    tuple
        Strengths of shape ``(r, m)``, in nats, mean zero, and a mask of shape ``(r,)``: which replicates have a finite maximum that Newton's method reached.
        The strengths of the others are not a number.
    """
    strengths = np.full(points.shape[:2], np.nan)
    found = joined(points)
    for chunk in _chunks(np.flatnonzero(found), points.shape[1]):
        fitted, converged = _newton_many(points[chunk], start)
        strengths[chunk[converged]] = fitted[converged]
        found[chunk[~converged]] = False
    return strengths, found


def joined(points: Stack) -> Mask:
    """Shape ``(r,)``: whether each matrix of points, shape ``(r, m, m)``, is one strongly connected component.

    Notes
    -----
    Reachability by squaring the graph with loops: after *s* squarings paths of ``2**s`` arcs are covered.
    """
    m = points.shape[1]
    reach = ((points > 0) | np.eye(m, dtype=np.bool_)).astype(np.float32)
    for _ in range(max(m - 1, 1).bit_length()):
        reach = (reach @ reach > 0).astype(np.float32)
    return np.asarray(reach.all(axis=(1, 2)), dtype=np.bool_)


def _chunks(places: NDArray[np.int64], m: int) -> Iterator[NDArray[np.int64]]:
    size = max(1, _CHUNK_NUMBERS // (m * m))
    for low in range(0, len(places), size):
        yield places[low : low + size]


def _newton_many(points: Stack, start: Vector) -> tuple[Matrix, Mask]:
    """Newton's method on all matrices that have not converged yet."""
    strengths = np.tile(start - start.mean(), (len(points), 1))
    moving = np.arange(len(points))
    for _ in range(_MOST_STEPS):
        step = _steps(points[moving], strengths[moving])
        length = np.abs(step).max(axis=1)
        step *= np.minimum(1.0, _LONGEST_STEP / np.maximum(length, _LONGEST_STEP))[:, None]
        strengths[moving] += step
        moving = moving[~(length < _SHORTEST_STEP)]
        if not len(moving):
            break
    converged = np.ones(len(points), dtype=np.bool_)
    converged[moving] = False
    return strengths - strengths.mean(axis=1, keepdims=True), converged


def _steps(points: Stack, strengths: Matrix) -> Matrix:
    """Shape ``(r, m)``: Newton's steps; not a number where the Hessian is singular."""
    m = points.shape[1]
    p = expit(strengths[:, :, None] - strengths[:, None, :])
    away = p.transpose(0, 2, 1)
    score = (points * away - points.transpose(0, 2, 1) * p).sum(axis=2)
    hessian = -(points + points.transpose(0, 2, 1)) * p * away
    diagonal = -hessian.sum(axis=2)
    hessian[:, np.arange(m), np.arange(m)] = diagonal
    hessian += (diagonal.mean(axis=1) / m)[:, None, None]  # fills the null space, the constant vector
    try:
        return np.asarray(np.linalg.solve(hessian, score[:, :, None])[:, :, 0], dtype=np.float64)
    except np.linalg.LinAlgError:
        return np.full_like(score, np.nan)
