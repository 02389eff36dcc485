"""The single votes among the models that can be rated together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ranking import connectivity
from ranking.ballots import Ballots
from ranking.tally import Matrix
from ranking.types import Outcome, Status


@dataclass(frozen=True, slots=True, eq=False)
class Rateable:
    """What of some ballots can be fitted.

    Parameters
    ----------
    ballots
        The votes that weigh anything, among the ``k`` models of :func:`ranking.connectivity.core`, numbered anew.
    within
        Shape ``(n,)``: which of the given votes these are.
    statuses
        What each given model says: ``OK`` in the core, else why not, as :func:`ranking.connectivity.outside` has it.
    standing
        ``OK``, or why nobody can be rated.
    """

    ballots: Ballots
    within: NDArray[np.bool_]
    statuses: tuple[Status, ...]
    standing: Status


def rateable(ballots: Ballots) -> Rateable:
    """The core of *ballots*, with half-win ties and weighted votes; no model and no vote where nobody can be rated."""
    points, wins = weighted_points(ballots)
    rated = connectivity.core(points, wins)
    place = np.full(len(ballots.models), -1)
    place[rated] = np.arange(len(rated))
    a, b = place[ballots.a], place[ballots.b]
    within = (a >= 0) & (b >= 0)
    if ballots.weight is not None:
        within &= ballots.weight > 0
    part = ballots.take(within)
    names = tuple(ballots.models[index] for index in rated)
    inner = Ballots(names, a[within], b[within], part.outcome, part.user, part.weight)
    standing = Status.OK if len(rated) else connectivity.standing(points)
    return Rateable(inner, within, tuple(connectivity.outside(points, rated)), standing)


def weighted_points(ballots: Ballots) -> tuple[Matrix, Matrix]:
    """Points of row against column, with half a win for each tie, and decisive wins: shape ``(m, m)`` each, votes by their weight."""
    counts = ballots.weighted_counts()
    wins = counts[:, :, Outcome.A_BETTER.place] + counts[:, :, Outcome.B_BETTER.place].T
    even = counts[:, :, Outcome.TIE.place] + counts[:, :, Outcome.BOTH_BAD.place]
    return wins + (even + even.T) / 2, wins
