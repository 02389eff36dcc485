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
    if isinstance(goal, Precision):
        return precision_margin(goal, widest(covariance, level))
    ratios = gap_ratios(strengths, covariance, level)
    if isinstance(goal, Separation):
        return np.asarray(
            ratios[..., models.index(goal.model_a), models.index(goal.model_b)], dtype=np.float64
        )
    return np.asarray(top_margins(strengths, ratios)[..., goal.k - 1], dtype=np.float64)


def widest(covariance: Matrix, level: float) -> Vector:
    """Shape ``(...)``: the widest half width of each board, in rating points, from covariances of shape ``(..., m, m)`` in nats squared."""
    variance = np.diagonal(covariance, axis1=-2, axis2=-1).max(axis=-1)
    return np.asarray(
        quantile(level) * SCALE * np.sqrt(np.maximum(variance, np.finfo(np.float64).tiny)), dtype=np.float64
    )


def precision_margin(goal: Precision, widths: Vector) -> Vector:
    """As :func:`margin`, from what :func:`widest` found."""
    return np.asarray((goal.half_width / widths) ** 2, dtype=np.float64)


def gap_ratios(strengths: Vector, covariance: Matrix, level: float) -> Matrix:
    """Shape ``(..., m, m)``: for each pair the margin of telling it apart, whichever is better."""
    gaps = strengths[..., :, None] - strengths[..., None, :]
    variances = np.maximum(difference_variances(covariance), np.finfo(np.float64).tiny)
    return np.asarray(gaps**2 / (quantile(level) ** 2 * variances), dtype=np.float64)


def top_margins(strengths: Vector, ratios: Matrix) -> Matrix:
    """Shape ``(..., m - 1)``: the margin of the best one, the best two and so on, from :func:`gap_ratios`."""
    order = np.argsort(-strengths, axis=-1, kind="stable")
    rows = np.take_along_axis(ratios, order[..., None], axis=-2)
    sorted_both = np.take_along_axis(rows, order[..., None, :], axis=-1)
    # the least of the block right of and above each place next to the diagonal
    above = np.minimum.accumulate(sorted_both, axis=-2)
    least = np.minimum.accumulate(above[..., ::-1], axis=-1)[..., ::-1]
    return np.asarray(np.diagonal(least, offset=1, axis1=-2, axis2=-1), dtype=np.float64)
