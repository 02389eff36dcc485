"""Tallies and boards for tests, built in one line."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from ranking.fit import Vector
from ranking.models import Board
from ranking.tally import Tally
from ranking.types import BoardKind, Outcome

A, B, TIE, BAD = Outcome.A_BETTER, Outcome.B_BETTER, Outcome.TIE, Outcome.BOTH_BAD
Vote = tuple[str, str, Outcome]


def make_votes(*written: str) -> list[Vote]:
    """Votes from ``"x>y"`` (x, shown as A, won), ``"x<y"``, ``"x=y"`` and ``"x!y"`` (both bad); ``"x>y*3"`` is three of them."""
    votes: list[Vote] = []
    for each in written:
        pair, _, times = each.partition("*")
        sign = next(sign for sign in "><=!" if sign in pair)
        model_a, model_b = pair.split(sign)
        outcome = {">": A, "<": B, "=": TIE, "!": BAD}[sign]
        votes += [(model_a, model_b, outcome)] * int(times or 1)
    return votes


def make_tally(*written: str, models: Sequence[str] | None = None) -> Tally:
    return Tally.from_votes(make_votes(*written), models)


def simulated(strengths: Vector, *, per_pair: int, tie_rate: float, rng: np.random.Generator) -> Tally:
    """A board whose half-win expectation is Bradley-Terry's: *per_pair* votes a pair, *tie_rate* of the even share tied."""
    m = len(strengths)
    counts = np.zeros((m, m, 4), dtype=np.int64)
    for i in range(m):
        for j in range(i + 1, m):
            p = 1 / (1 + np.exp(strengths[j] - strengths[i]))
            tie = tie_rate * 2 * min(p, 1 - p)
            split = rng.multinomial(per_pair, [p - tie / 2, 1 - p - tie / 2, tie])
            counts[i, j, :3] = split
    return Tally(tuple(f"m{index:02}" for index in range(m)), counts)


def ring(m: int, times: int = 1) -> Tally:
    """Every model beats the next one *times* times, and the last one the first: all are equally good."""
    return make_tally(*(f"m{i}>m{(i + 1) % m}*{times}" for i in range(m)))


def make_board(slug: str = "lehia", kind: BoardKind = BoardKind.LIVE) -> Board:
    return Board.objects.create(slug=slug, name=slug.capitalize(), kind=kind.value)


NAMES = ("ama", "bide", "core", "denda", "egun")

votes_strategy = st.lists(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES), st.sampled_from(Outcome)).filter(
        lambda vote: vote[0] != vote[1]
    ),
    max_size=60,
)
