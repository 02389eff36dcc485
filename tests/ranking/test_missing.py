from __future__ import annotations

from math import ceil, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranking.board import build_board
from ranking.missing import Missing, firm_battles, missing, until_rated
from ranking.tally import Tally
from ranking.types import Outcome, Status
from tests.ranking.builders import A, B, Vote, make_tally, ring, simulated, votes_strategy


def test_a_ring_is_the_fewest_wins_that_rate_models_without_a_vote() -> None:
    assert until_rated(Tally.empty(["x", "y", "z", "w"]).points()) == 4
    assert until_rated(ring(4).points()) == 0


@pytest.mark.parametrize(
    ("tally", "lacks"),
    [
        (make_tally("x>y"), 1),
        (make_tally("x>y*50"), 1),
        (make_tally("x>y", models=["x", "y", "z"]), 2),
        (make_tally("x>y", "z>w"), 2),
        (make_tally("x=y"), 0),
        (Tally.empty(["x"]), 0),
        (Tally.empty([]), 0),
    ],
)
def test_the_fewest_wins_until_everybody_is_rated(tally: Tally, lacks: int) -> None:
    assert until_rated(tally.points()) == lacks


@given(votes_strategy)
def test_so_many_wins_suffice_and_one_less_does_not(votes: list[Vote]) -> None:
    tally = Tally.from_votes(votes)
    lacks = until_rated(tally.points())
    for _ in range(lacks):
        tally = best_next(tally)
    assert until_rated(tally.points()) == 0


def best_next(tally: Tally) -> Tally:
    """The tally after one win that brings strong connectivity nearest; each win can lower the bound by one at most."""
    before = until_rated(tally.points())
    options = [tally.moved(a, b, A) for a in tally.models for b in tally.models if a != b]
    after = [until_rated(option.points()) for option in options]
    assert min(after) == before - 1
    return options[after.index(min(after))]


def test_firm_battles_follow_from_the_width_of_an_even_board() -> None:
    for m in (2, 4, 21):
        n = firm_battles(m)
        per_pair = ceil(n / (m - 1) / 2)
        wins = [f"m{i:02}>m{j:02}*{per_pair}" for i in range(m) for j in range(m) if i != j]
        row = build_board(make_tally(*wins)).ratings[0]
        assert row.n >= n
        assert row.half_width == pytest.approx(25, rel=0.02)
    assert firm_battles(0) == firm_battles(1) == 100
    assert firm_battles(2) == ceil((1.959964 * 400 / log(10) / 25) ** 2)


def test_a_board_without_votes_lacks_half_the_battles_of_all() -> None:
    found = missing(Tally.empty(["x", "y", "z", "w"]))
    assert found == Missing(until_rated=4, until_firm=2 * firm_battles(4))


def test_a_firm_board_lacks_nothing() -> None:
    tally = simulated(np.linspace(0.5, -0.5, 6), per_pair=300, tie_rate=0.2, rng=np.random.default_rng(4))
    assert build_board(tally).status is Status.OK
    assert missing(tally) == Missing(0, 0)


def test_a_board_without_models_lacks_nothing() -> None:
    assert missing(Tally.empty([])) == Missing(0, 0)


@given(
    st.lists(
        st.tuples(st.sampled_from("xyzw"), st.sampled_from("xyzw"), st.sampled_from(Outcome)), max_size=40
    )
)
def test_each_vote_lowers_what_is_missing_by_one_while_everybody_lacks_battles(
    drawn: list[tuple[str, str, Outcome]],
) -> None:
    tally = Tally.empty(list("xyzw"))
    start = missing(tally).until_firm
    votes = [(a, b, outcome) for a, b, outcome in drawn if a != b]
    for count, vote in enumerate(votes, start=1):
        tally = tally.moved(*vote)
        assert missing(tally).until_firm == start - count


def test_a_model_that_is_still_too_wide_needs_what_its_own_width_says() -> None:
    tally = make_tally("x>y*60", "y>x*60")
    row = build_board(tally).ratings[0]
    assert row.n == 120
    assert row.half_width is not None
    assert missing(tally).until_firm == ceil(120 * (row.half_width / 25) ** 2) - 120


def test_what_is_missing_does_not_depend_on_the_level_of_the_board_at_hand() -> None:
    tally = make_tally("x>y*60", "y>x*60")
    assert missing(tally, build_board(tally, interval=0.5)) == missing(tally)


def test_an_undefeated_model_lacks_a_loss_however_many_battles_it_had() -> None:
    found = missing(make_tally("x>y*5000"))
    assert found.until_rated == 1
    assert found.until_firm >= 1


def test_a_newcomer_lacks_all_its_battles() -> None:
    tally = simulated(np.linspace(0.5, -0.5, 6), per_pair=300, tie_rate=0.2, rng=np.random.default_rng(4))
    found = missing(tally.merged(Tally.empty(["new"])))
    assert found == Missing(until_rated=2, until_firm=firm_battles(7))
    assert missing(tally.merged(Tally.from_votes([("new", "m00", B)]))).until_firm == firm_battles(7) - 1
