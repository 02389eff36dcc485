"""What differs between the two answers of a vote, as numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from ranking.fit import Vector
from ranking.tally import Indices, Matrix

SIDE = "side"


@dataclass(frozen=True, slots=True, eq=False)
class Covariates:
    """What differs between the answers of a vote.

    Parameters
    ----------
    names
        The ``q`` covariates, without repeats; none is fine.
    values
        Shape ``(n, q)``, a row a ballot: A's less B's, in any unit. The side term is a column of ones.

    Raises
    ------
    ValueError
        If a shape is wrong, a name repeats or a value is no number.
    """

    names: tuple[str, ...]
    values: Matrix

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.values.shape[1] != len(self.names):
            raise ValueError(
                f"covariates of shape {self.values.shape} under the names {', '.join(self.names)}"
            )
        if len(set(self.names)) != len(self.names):
            raise ValueError("a covariate is named twice")
        if not np.isfinite(self.values).all():
            raise ValueError("a covariate is no number")

    @classmethod
    def none(cls, n: int) -> Covariates:
        """No covariate of *n* votes: a plain fit."""
        return cls((), np.zeros((n, 0)))

    def take(self, chosen: NDArray[np.bool_] | Indices) -> Covariates:
        """The rows that a mask of shape ``(n,)``, or their places, choose."""
        return Covariates(self.names, self.values[chosen])


def style_covariates(measures: Mapping[str, tuple[Vector, Vector]], *, side: bool = True) -> Covariates:
    """Normalised differences of what was measured on both answers.

    Parameters
    ----------
    measures
        From a covariate's name to its values for A and for B, shape ``(n,)`` each, not negative: characters or tokens, counts of
        :class:`ranking.markdown.Markdown`, milliseconds.
    side
        Whether a first column :data:`SIDE` of ones takes up the position bias.

    Returns
    -------
    Covariates
        ``(a - b) / (a + b)``, 0 where both are 0, over its root mean square, so that a coefficient is what a usual difference is worth. It is not centred:
        swapping the sides of all votes then turns the sign of every column.

    Raises
    ------
    ValueError
        If there is nothing to measure, lengths differ or a value is negative or no number.
    """
    if not measures:
        raise ValueError("no measure is given; a fit of the side alone is position_bias")
    columns = {name: _difference(name, *both) for name, both in measures.items()}
    lengths = {len(column) for column in columns.values()}
    if len(lengths) > 1:
        raise ValueError("the measures are of different lengths")
    if side:
        columns = {SIDE: np.ones(lengths.pop())} | columns
    return Covariates(tuple(columns), np.stack(list(columns.values()), axis=1))


def _difference(name: str, a: Vector, b: Vector) -> Vector:
    if a.shape != b.shape or not (np.isfinite(a) & np.isfinite(b) & (a >= 0) & (b >= 0)).all():
        raise ValueError(f"{name} is negative, no number or of different lengths")
    total = a + b
    share: Vector = np.divide(a - b, total, out=np.zeros(len(a)), where=total > 0)
    size = sqrt(float(np.square(share).mean())) if len(share) else 0.0
    return share / size if size else share
