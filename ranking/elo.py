"""Online Elo: a ticker that moves with each vote, and no ranking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ranking.ballots import Ballots
from ranking.board import CENTRE
from ranking.fit import Vector
from ranking.tally import Matrix
from ranking.types import Outcome

K = 4.0
_SCORES = {Outcome.A_BETTER: 1.0, Outcome.B_BETTER: 0.0, Outcome.TIE: 0.5, Outcome.BOTH_BAD: 0.5}


@dataclass(frozen=True, slots=True, eq=False)
class Ticker:
    """Where the ticker stands after some votes.

    Parameters
    ----------
    models
        The ``m`` models' names.
    ratings
        Shape ``(m,)``, in rating points, after the last vote.
    history
        Shape ``(h, m)``: the ratings after each of the numbers of votes asked for.
    """

    models: tuple[str, ...]
    ratings: Vector
    history: Matrix


def tick(ballots: Ballots, *, start: Vector | None = None, k: float = K, after: Sequence[int] = ()) -> Ticker:
    """Move ratings vote by vote.

    Parameters
    ----------
    ballots
        ``n`` votes in the order in which they were cast; a tie, or both bad, is half a win each, and a vote moves by its weight.
    start
        Shape ``(m,)``, in rating points: where an earlier batch ended. ``CENTRE`` for all if left out.
    k
        What a vote moves at most, in points, above 0.
    after
        Numbers of votes, 0 to ``n``, ascending, after which the ratings are kept.

    Returns
    -------
    Ticker
        The ratings' sum does not change. Two batches in a row, the second from where the first ended, are the same as one.

    Raises
    ------
    ValueError
        If *k* is not above 0, the start is of another shape or no number, or *after* is not ascending within 0 to ``n``.

    Notes
    -----
    A. E. Elo, *The Rating of Chessplayers, Past and Present* (Arco, 1978). It is good for a line that moves on a page, and no ranking: the same votes in
    another order give other ratings; *k* fixes how fast old votes are forgotten, so that more votes never make it more exact; a rating takes its opponents'
    for true, however few votes these had; and there is no interval (M. Boubdir and others, "Elo Uncovered: Robustness and Best Practices in Language Model
    Evaluation", GEM workshop, 2023). Models here do not change while they are compared, and :func:`ranking.board.build_board` fits all votes exactly.
    """
    m, n = len(ballots.models), ballots.n_votes
    ratings = [CENTRE] * m if start is None else [float(each) for each in start]
    if len(ratings) != m or not np.isfinite(ratings).all():
        raise ValueError(f"a start of {len(ratings)} ratings, or no numbers, for {m} models")
    if not 0 < k < np.inf:
        raise ValueError("k is above 0")
    marks = [0, *after, n]
    if any(later < earlier for earlier, later in pairwise(marks)):
        raise ValueError(f"the numbers of votes to look after are not ascending within 0 to {n}")
    history = []
    for first, last in pairwise(marks):
        _play(ballots, first, last, ratings, k)
        history.append(list(ratings))
    kept = np.array(history[:-1], dtype=np.float64).reshape(len(after), m)
    return Ticker(ballots.models, np.array(ratings, dtype=np.float64), kept)


def _play(ballots: Ballots, first: int, last: int, ratings: list[float], k: float) -> None:
    part = slice(first, last)
    weights = np.ones(ballots.n_votes) if ballots.weight is None else ballots.weight
    score = [_SCORES[outcome] for outcome in Outcome]
    columns = (ballots.a[part], ballots.b[part], ballots.outcome[part], weights[part])
    for a, b, outcome, weight in zip(*(column.tolist() for column in columns), strict=True):
        expected = 1.0 / (1.0 + 10.0 ** min((ratings[b] - ratings[a]) / 400.0, 300.0))
        move = k * weight * (score[outcome] - expected)
        ratings[a] += move
        ratings[b] -= move
