"""Votes as plain arrays: what a tally no longer knows, who voted and in which order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ranking.tally import Indices, Tally
from ranking.types import Outcome, TieRule

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

    def weights(self) -> Weights:
        """Shape ``(n,)``: what each vote weighs, ones where nothing was said."""
        return np.ones(self.n_votes) if self.weight is None else self.weight

    def tally(self) -> Tally:
        """How often each outcome was judged for each ordered pair, weights left aside. One pass."""
        m = len(self.models)
        flat = np.bincount(self.cells(), minlength=m * m * 4)
        return Tally(self.models, flat.reshape(m, m, 4).astype(np.int64, copy=False))

    def weighted_counts(self, power: int = 1) -> NDArray[np.float64]:
        """Shape ``(m, m, 4)``: as the counts of :meth:`tally`, each vote by its weight to *power*."""
        m = len(self.models)
        weight = None if self.weight is None else self.weight**power
        flat = np.bincount(self.cells(), weights=weight, minlength=m * m * 4)
        return flat.reshape(m, m, 4).astype(np.float64, copy=False)

    def take(self, chosen: NDArray[np.bool_] | Indices) -> Ballots:
        """The votes that a mask of shape ``(n,)``, or their places, choose; all models are kept."""
        weight = None if self.weight is None else self.weight[chosen]
        return Ballots(
            self.models, self.a[chosen], self.b[chosen], self.outcome[chosen], self.user[chosen], weight
        )

    def among(self, indices: Indices) -> Ballots:
        """Only the votes between the models at *indices*, shape ``(k,)``, renumbered in that order."""
        place = np.full(len(self.models), -1, dtype=np.int64)
        place[indices] = np.arange(len(indices))
        a, b = place[self.a], place[self.b]
        chosen = (a >= 0) & (b >= 0)
        weight = None if self.weight is None else self.weight[chosen]
        models = tuple(self.models[index] for index in indices)
        return Ballots(models, a[chosen], b[chosen], self.outcome[chosen], self.user[chosen], weight)

    def entering(self, ties: TieRule) -> Ballots:
        """The votes that a fit sees: those of some weight, and under ``DROP`` only decisive ones."""
        enters = np.ones(self.n_votes, dtype=np.bool_) if self.weight is None else self.weight > 0
        if ties is TieRule.DROP:
            enters = enters & (self.outcome < Outcome.TIE.place)
        return self if enters.all() else self.take(enters)

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

    def cells(self) -> Indices:
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
