"""Ordered counts: all that a Bradley-Terry fit needs of any number of votes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ranking.types import Outcome, TieRule

Counts = NDArray[np.int64]
Indices = NDArray[np.int64]
Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """How often each outcome was judged for each ordered pair.

    Parameters
    ----------
    models
        The ``m`` models' names, without repeats.
    counts
        Shape ``(m, m, 4)``, not negative: ``counts[i, j, k]`` battles with model *i* shown as A, *j* as B and outcome *k* in the order of
        :class:`~ranking.types.Outcome`. The diagonal is zero. Kept as a view that cannot be written to.

    Raises
    ------
    ValueError
        If the shape, the type, a sign or the diagonal is wrong, or a name repeats.
    """

    models: tuple[str, ...]
    counts: Counts

    def __post_init__(self) -> None:
        m = len(self.models)
        if len(set(self.models)) != m:
            raise ValueError("a model is named twice")
        if self.counts.shape != (m, m, 4) or self.counts.dtype != np.int64:
            raise ValueError(
                f"counts of shape {self.counts.shape} and type {self.counts.dtype} for {m} models"
            )
        if (self.counts < 0).any():
            raise ValueError("a count is negative")
        if self.counts[np.arange(m), np.arange(m)].any():
            raise ValueError("a model met itself")
        view = self.counts.view()
        view.flags.writeable = False
        object.__setattr__(self, "counts", view)

    @classmethod
    def empty(cls, models: Sequence[str]) -> Tally:
        return cls(tuple(models), np.zeros((len(models), len(models), 4), dtype=np.int64))

    @classmethod
    def from_votes(
        cls, votes: Iterable[tuple[str, str, Outcome]], models: Sequence[str] | None = None
    ) -> Tally:
        """Count votes of ``(model shown as A, model shown as B, outcome)``; models sorted by name if left out.

        Raises ``KeyError`` for a model that *models* lacks.
        """
        listed = list(votes)
        names = tuple(sorted({n for a, b, _ in listed for n in (a, b)})) if models is None else tuple(models)
        place = {name: index for index, name in enumerate(names)}
        counts = np.zeros((len(names), len(names), 4), dtype=np.int64)
        if listed:
            rows, columns, outcomes = zip(*((place[a], place[b], o.place) for a, b, o in listed), strict=True)
            np.add.at(counts, (rows, columns, outcomes), 1)
        return cls(names, counts)

    @property
    def n_votes(self) -> int:
        return int(self.counts.sum())

    def equals(self, other: Tally) -> bool:
        """Whether both hold the same votes; the models' order, and models without a battle, do not matter."""
        models = tuple(sorted({*self.models, *other.models}))
        return bool((self._over(models) == other._over(models)).all())

    def moved(self, model_a: str, model_b: str, outcome: Outcome, step: int = 1) -> Tally:
        """The tally with *step* more votes of that kind. ``KeyError`` for a model it lacks, ``ValueError`` below zero."""
        place = {name: index for index, name in enumerate(self.models)}
        counts = self.counts.copy()
        counts[place[model_a], place[model_b], outcome.place] += step
        return Tally(self.models, counts)

    def merged(self, other: Tally) -> Tally:
        """Both tallies added up, over the union of their models: this one's first, in their order."""
        models = (*self.models, *(name for name in other.models if name not in self.models))
        return Tally(models, self._over(models) + other._over(models))

    def subset(self, models: Sequence[str]) -> Tally:
        """Only the battles among *models*, in that order. ``KeyError`` for a model it lacks."""
        place = {name: index for index, name in enumerate(self.models)}
        return self.at(np.array([place[name] for name in models], dtype=np.int64))

    def at(self, indices: Indices) -> Tally:
        """As :meth:`subset`, by the models' indices of shape ``(k,)``."""
        return Tally(tuple(self.models[index] for index in indices), self.counts[np.ix_(indices, indices)])

    def swapped(self) -> Tally:
        """The same battles with the sides exchanged."""
        return Tally(self.models, self.counts.transpose(1, 0, 2)[:, :, [1, 0, 2, 3]])

    def wins(self) -> Counts:
        """Shape ``(m, m)``: how often row beat column, whichever side it was on."""
        wins: Counts = self.counts[:, :, Outcome.A_BETTER.place] + self.counts[:, :, Outcome.B_BETTER.place].T
        return wins

    def ties(self) -> Counts:
        """Shape ``(m, m)``, symmetric: ties and both-bad of a pair."""
        even: Counts = self.counts[:, :, Outcome.TIE.place] + self.counts[:, :, Outcome.BOTH_BAD.place]
        return even + even.T

    def points(self, ties: TieRule = TieRule.HALF) -> Matrix:
        """Shape ``(m, m)``: wins of row over column, with half a win for each tie under ``HALF`` and none under ``DROP``.

        ``ValueError`` under ``RAO_KUPPER``, where a tie is an outcome of its own and no share of a win.
        """
        if ties is TieRule.RAO_KUPPER:
            raise ValueError("under rao-kupper a tie is no share of a win: use ranking.rao_kupper")
        wins = self.wins().astype(np.float64)
        return wins + self.ties() / 2 if ties is TieRule.HALF else wins

    def battles_by_pair(self) -> dict[frozenset[str], int]:
        """How often each unordered pair met, for every pair of the tally's models."""
        met = self.counts.sum(axis=2)
        met = met + met.T
        return {
            frozenset((a, b)): int(met[i, j])
            for i, a in enumerate(self.models)
            for j, b in enumerate(self.models[:i])
        }

    def _over(self, models: tuple[str, ...]) -> Counts:
        place = {name: index for index, name in enumerate(models)}
        counts = np.zeros((len(models), len(models), 4), dtype=np.int64)
        at = [place[name] for name in self.models]
        counts[np.ix_(at, at)] = self.counts
        return counts
