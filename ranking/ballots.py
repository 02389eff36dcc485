"""Votes as plain arrays: what a tally no longer knows, who voted and in which order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ranking.tally import Indices, Tally
from ranking.types import Outcome

Codes = NDArray[np.integer]
Weights = NDArray[np.float64]
NOBODY = -1


@dataclass(frozen=True, slots=True, eq=False)
class Ballots:
    """Votes in the order in which they were cast.

    Parameters
    ----------
    models
        The ``m`` models' names, without repeats.
    a, b
        Shape ``(n,)``: the indices in *models* of the model shown as A and as B; never the same one.
    outcome
        Shape ``(n,)``: 0 to 3, an outcome's place in the order of :class:`~ranking.types.Outcome`.
    user
        Shape ``(n,)``: who voted, any whole number a person; :data:`NOBODY` where it is not known, and then each such vote counts as a person's of
        its own.
    weight
        Shape ``(n,)``, not negative: what each vote weighs; ones if left out.

    Raises
    ------
    ValueError
        If a shape, an index, an outcome or a weight is wrong, a model meets itself, or a name repeats.
    """

    models: tuple[str, ...]
    a: Codes
    b: Codes
    outcome: Codes
    user: Codes
    weight: Weights | None = None

    def __post_init__(self) -> None:
        columns: list[Codes | Weights] = [self.a, self.b, self.outcome, self.user]
        columns += [] if self.weight is None else [self.weight]
        if any(column.shape != (self.n_votes,) for column in columns):
            raise ValueError("the columns of ballots are of different lengths")
        if len(set(self.models)) != len(self.models):
            raise ValueError("a model is named twice")
        if self.n_votes:
            _check_range("a model's index", self.a, len(self.models))
            _check_range("a model's index", self.b, len(self.models))
            _check_range("an outcome", self.outcome, len(Outcome))
            if (self.a == self.b).any():
                raise ValueError("a model met itself")
        if self.weight is not None and not (np.isfinite(self.weight) & (self.weight >= 0)).all():
            raise ValueError("a weight is negative or no number")

    @property
    def n_votes(self) -> int:
        return len(self.a)

    def tally(self) -> Tally:
        """How often each outcome was judged for each ordered pair, weights left aside. One pass."""
        m = len(self.models)
        flat = np.bincount(self._cells(), minlength=m * m * 4)
        return Tally(self.models, flat.reshape(m, m, 4).astype(np.int64, copy=False))

    def weighted_counts(self) -> NDArray[np.float64]:
        """Shape ``(m, m, 4)``: as the counts of :meth:`tally`, each vote by its weight."""
        m = len(self.models)
        flat = np.bincount(self._cells(), weights=self.weight, minlength=m * m * 4)
        return flat.reshape(m, m, 4).astype(np.float64, copy=False)

    def take(self, chosen: NDArray[np.bool_] | Indices) -> Ballots:
        """The votes that a mask of shape ``(n,)``, or their places, choose; all models are kept."""
        weight = None if self.weight is None else self.weight[chosen]
        return Ballots(
            self.models, self.a[chosen], self.b[chosen], self.outcome[chosen], self.user[chosen], weight
        )

    def reweighted(self, weight: Weights) -> Ballots:
        """The same votes with these weights, shape ``(n,)``, in the place of what they weighed."""
        return Ballots(self.models, self.a, self.b, self.outcome, self.user, weight)

    def clusters(self) -> Indices:
        """Shape ``(n,)``: the voters numbered from 0 without gaps; each vote of nobody is a cluster of its own."""
        known = self.user != NOBODY
        numbers = np.zeros(self.n_votes, dtype=np.int64)
        _, numbers[known] = np.unique(self.user[known], return_inverse=True)
        first = int(numbers[known].max()) + 1 if known.any() else 0
        numbers[~known] = first + np.arange(int((~known).sum()))
        return numbers

    def _cells(self) -> Indices:
        """Shape ``(n,)``: each vote's place in flattened counts of shape ``(m, m, 4)``."""
        m = len(self.models)
        cells = self.a.astype(np.int64)
        cells *= m
        cells += self.b
        cells *= 4
        cells += self.outcome
        return cells


def _check_range(what: str, column: Codes, end: int) -> None:
    low, high = int(column.min()), int(column.max())
    if low < 0 or high >= end:
        raise ValueError(f"{what} is {low if low < 0 else high}, outside 0 to {end - 1}")
