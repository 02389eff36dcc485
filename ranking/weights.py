"""What one user may weigh: a cap a model, beyond which each vote counts less and less."""

from __future__ import annotations

import numpy as np

from ranking.ballots import Ballots, Weights

DEFAULT_CAP = 3


def capped_weights(ballots: Ballots, cap: int = DEFAULT_CAP) -> Weights:
    """What each vote weighs once no user weighs more than *cap* votes on any model.

    Parameters
    ----------
    ballots
        Votes, with what they weigh already. A vote of nobody is one of a user of its own, so cap only votes whose users are known.
    cap
        How many votes of weight 1 a user has on each model, at least 1.

    Returns
    -------
    ndarray
        Shape ``(n,)``: the votes' weights times a factor of at most 1. For each user and model they sum to at most *cap*. The order of votes, users and
        sides does not matter.

    Raises
    ------
    ValueError
        If *cap* is below 1.

    Notes
    -----
    Let ``W`` be what a user's votes that involve one model weigh together. Up to ``cap`` they stay as they are; beyond it each gets the factor
    ``cap / W``, so the 100th vote on a model makes all 100 weigh 0.03 at a cap of 3. A vote involves two models and takes the smaller of their two factors.
    All of a user's votes on a model are treated alike, the first no better than the last, so the order in which a file lists them cannot matter.
    """
    if cap < 1:
        raise ValueError("a cap of less than one vote leaves no vote")
    n, m = ballots.n_votes, len(ballots.models)
    weight = ballots.weights()
    user = ballots.clusters() * m
    cells, sides = np.unique(np.concatenate([user + ballots.a, user + ballots.b]), return_inverse=True)
    total = np.bincount(sides, weights=np.concatenate([weight, weight]), minlength=len(cells)).astype(
        np.float64
    )
    factor = np.divide(cap, total, out=np.ones_like(total), where=total > cap)[sides]
    capped: Weights = weight * np.minimum(factor[:n], factor[n:])
    return capped
