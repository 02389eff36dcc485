"""Ratings with style held, and what style is worth."""

from __future__ import annotations

import numpy as np

from arena.numbers.material import Votes
from arena.selectors.covariates import StyledVotes
from ranking.ballots import Ballots
from ranking.covariates import SIDE, Covariates, style_covariates
from ranking.errors import NoFit, NotConverged
from ranking.numbers import Numbers
from ranking.rateable import rateable
from ranking.style import StyleBoard, Term, build_style_board
from ranking.tables import Table, Value
from ranking.types import Criterion


def compute(material: Votes, criterion: Criterion) -> Numbers:
    """The fact ``status``: ``told``, or with no tables why not, ``unfit`` or ``unrated``."""
    if not material.left.n_counted:
        return Numbers()
    votes = material.styled
    ballots = votes.ballots(criterion)
    held, idle = differing(ballots, votes)
    try:
        board = build_style_board(ballots, held)
    except (NoFit, NotConverged):
        return Numbers(facts={"status": "unfit"})
    if not board.status.has_rating:
        return Numbers(facts={"status": "unrated"})
    return Numbers(
        (_terms(board, idle), _ratings(board)),
        {
            "status": "told",
            "spread": board.spread.value,
            "votes": ballots.n_votes,
            "older_votes": votes.n_counted - ballots.n_votes,
            "untimed_votes": votes.n_untimed,
        },
    )


def differing(ballots: Ballots, votes: StyledVotes) -> tuple[Covariates, tuple[str, ...]]:
    """The covariates in which the rated models' answers differ, and the names of the others."""
    within = rateable(ballots).within
    idle = tuple(name for name, (a, b) in votes.measures.items() if (a == b)[within].all())
    used = {name: both for name, both in votes.measures.items() if name not in idle}
    if used:
        return style_covariates(used), idle
    return Covariates((SIDE,), np.ones((ballots.n_votes, 1))), idle


def _terms(board: StyleBoard, idle: tuple[str, ...]) -> Table:
    told: list[tuple[Value, ...]] = [(term.name, term.estimate, *_ends(term), "told") for term in board.terms]
    told += [(name, None, None, None, "never_differs") for name in idle]
    return Table("terms", ("covariate", "estimate", "low", "high", "status"), tuple(told))


def _ends(term: Term) -> tuple[float, float]:
    if term.voter_low is None or term.voter_high is None:
        return term.low, term.high
    return term.voter_low, term.voter_high


def _ratings(board: StyleBoard) -> Table:
    rows: list[tuple[Value, ...]] = []
    for row in board.ratings:
        plain = None if row.rating is None or row.shift is None else row.rating - row.shift
        rows.append((row.model, row.rating, row.low, row.high, plain, row.shift, row.status.value))
    columns = ("model", "rating", "low", "high", "plain_rating", "shift", "status")
    return Table("ratings", columns, tuple(rows))
