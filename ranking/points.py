"""Points from counts that need not be whole numbers: weighted votes, resampled votes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ranking.tally import Matrix
from ranking.types import Outcome, TieRule

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
