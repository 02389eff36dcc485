"""What a board can be wanted to tell, and how near it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ranking.board import SCALE
from ranking.fit import Vector
from ranking.knowledge import difference_variances
from ranking.ranks import quantile
from ranking.tally import Matrix


@dataclass(frozen=True, slots=True)
class Precision:
    """All half widths at most *half_width*, above 0, in rating points."""

    half_width: float

    def __post_init__(self) -> None:
        if not 0 < self.half_width < np.inf:
            raise ValueError("a half width is a positive number of rating points")


@dataclass(frozen=True, slots=True)
class Separation:
    """Two models that differ beyond doubt, whichever is better."""

    model_a: str
    model_b: str

    def __post_init__(self) -> None:
        if self.model_a == self.model_b:
            raise ValueError("a model is not separated from itself")


@dataclass(frozen=True, slots=True)
class TopK:
    """The *k* best, at least one, each better than each other model beyond doubt."""

    k: int

    def __post_init__(self) -> None:
        if self.k < 1:
            raise ValueError("a top has at least one place")


Goal = Precision | Separation | TopK


def margin(
    goal: Goal, models: tuple[str, ...], *, strengths: Vector, covariance: Matrix, level: float
) -> Vector:
    """How near boards are to a goal: reached from 1 on, and about proportional to the votes.

    Parameters
    ----------
    goal
        ``TopK`` of fewer than ``m`` places, ``Separation`` of two of *models*.
    models
        The ``m`` names.
    strengths, covariance
        Shapes ``(..., m)`` and ``(..., m, m)``, in nats and nats squared.
    level
        Of the intervals and tests, as 0.95.

    Returns
    -------
    ndarray
        Shape ``(...)``: the squared ratio of the wanted to the widest half width, or of a gap to what its test asks for, the least over the pairs.
    """
    z = quantile(level)
    tiny = np.finfo(np.float64).tiny
    if isinstance(goal, Precision):
        widest = np.maximum(np.diagonal(covariance, axis1=-2, axis2=-1).max(axis=-1), tiny)
        return np.asarray((goal.half_width / (z * SCALE)) ** 2 / widest, dtype=np.float64)
    gaps = strengths[..., :, None] - strengths[..., None, :]
    ratios = gaps**2 / (z * z * np.maximum(difference_variances(covariance), tiny))
    if isinstance(goal, Separation):
        return np.asarray(
            ratios[..., models.index(goal.model_a), models.index(goal.model_b)], dtype=np.float64
        )
    order = np.argsort(-strengths, axis=-1, kind="stable")
    rows = np.take_along_axis(ratios, order[..., : goal.k, None], axis=-2)
    blocks = np.take_along_axis(rows, order[..., None, goal.k :], axis=-1)
    return np.asarray(blocks.min(axis=(-2, -1)), dtype=np.float64)
