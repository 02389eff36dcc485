from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranking.tally import Tally
from ranking.types import Outcome, TieRule
from tests.ranking.builders import NAMES, TIE, A, Vote, make_tally, votes_strategy


def test_outcomes_stand_in_the_order_of_the_last_axis() -> None:
    assert [outcome.place for outcome in Outcome] == [0, 1, 2, 3]
    assert [outcome.value for outcome in Outcome] == ["a_better", "b_better", "tie", "both_bad"]


def test_the_first_index_is_the_model_shown_as_a() -> None:
    tally = make_tally("x>y", "x<y*2", "x=y*3", "x!y*4", "y>x*5")
    assert tally.models == ("x", "y")
    assert tally.counts[0, 1].tolist() == [1, 2, 3, 4]
    assert tally.counts[1, 0].tolist() == [5, 0, 0, 0]
    assert tally.n_votes == 15


def test_wins_join_both_sides_and_ties_join_both_kinds() -> None:
    tally = make_tally("x>y", "x<y*2", "x=y*3", "x!y*4", "y>x*5")
    assert tally.wins().tolist() == [[0, 1], [7, 0]]
    assert tally.ties().tolist() == [[0, 7], [7, 0]]


def test_a_tie_is_half_a_point_each_or_none() -> None:
    tally = make_tally("x>y*2", "x=y", "x!y")
    assert tally.points(TieRule.HALF).tolist() == [[0, 3], [1, 0]]
    assert tally.points(TieRule.DROP).tolist() == [[0, 2], [0, 0]]


def test_rao_kuppers_tie_is_no_share_of_a_win() -> None:
    with pytest.raises(ValueError, match="rao-kupper"):
        make_tally("x>y*2", "x=y").points(TieRule.RAO_KUPPER)


def test_no_votes_make_a_tally_without_models() -> None:
    assert Tally.from_votes([]).models == ()
    assert Tally.from_votes([]).n_votes == 0


def test_a_vote_for_a_model_outside_the_list_is_refused() -> None:
    with pytest.raises(KeyError):
        make_tally("x>y", models=["x", "z"])


@pytest.mark.parametrize(
    ("models", "counts", "said"),
    [
        (("x", "x"), np.zeros((2, 2, 4), dtype=np.int64), "twice"),
        (("x",), np.zeros((2, 2, 4), dtype=np.int64), "shape"),
        (("x",), np.zeros((1, 1, 4)), "type"),
        (("x",), np.full((1, 1, 4), -1, dtype=np.int64), "negative"),
        (("x",), np.ones((1, 1, 4), dtype=np.int64), "itself"),
    ],
)
def test_a_tally_that_cannot_be_is_refused(models: tuple[str, ...], counts: np.ndarray, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Tally(models, counts)


def test_counts_cannot_be_written_to() -> None:
    with pytest.raises(ValueError, match="read-only"):
        make_tally("x>y").counts[0, 1, 0] = 9


def test_moving_by_one_adds_one_vote_and_moving_back_takes_it() -> None:
    tally = make_tally("x>y")
    moved = tally.moved("y", "x", TIE)
    assert moved.equals(make_tally("x>y", "y=x"))
    assert moved.moved("y", "x", TIE, -1).equals(tally)
    with pytest.raises(ValueError, match="negative"):
        tally.moved("y", "x", TIE, -1)


def test_a_subset_keeps_the_battles_among_its_models() -> None:
    tally = make_tally("x>y", "y>z*2", "z>x*3").subset(["z", "y"])
    assert tally.models == ("z", "y")
    assert tally.wins().tolist() == [[0, 0], [2, 0]]
    with pytest.raises(KeyError):
        tally.subset(["x"])


def test_battles_by_pair_count_both_sides_and_name_pairs_that_never_met() -> None:
    met = make_tally("x>y", "y=x*2", models=["x", "y", "z"]).battles_by_pair()
    assert met == {frozenset("xy"): 3, frozenset("xz"): 0, frozenset("yz"): 0}


@given(votes_strategy, st.integers(0, 60))
def test_tallies_of_two_halves_merge_into_the_whole(votes: list[Vote], cut: int) -> None:
    halves = Tally.from_votes(votes[:cut]).merged(Tally.from_votes(votes[cut:]))
    assert halves.equals(Tally.from_votes(votes))


@given(votes_strategy, st.randoms(use_true_random=False))
def test_the_order_of_votes_does_not_matter(votes: list[Vote], chance: random.Random) -> None:
    shuffled = chance.sample(votes, len(votes))
    assert (Tally.from_votes(shuffled).counts == Tally.from_votes(votes).counts).all()


@given(votes_strategy)
def test_moving_vote_by_vote_equals_counting_at_once(votes: list[Vote]) -> None:
    tally = Tally.empty(NAMES)
    for vote in votes:
        tally = tally.moved(*vote)
    assert tally.equals(Tally.from_votes(votes, NAMES))


@given(votes_strategy)
def test_exchanged_sides_are_the_same_wins_and_ties(votes: list[Vote]) -> None:
    tally = Tally.from_votes(votes)
    assert (tally.swapped().wins() == tally.wins()).all()
    assert (tally.swapped().ties() == tally.ties()).all()
    assert tally.swapped().swapped().equals(tally)


@given(votes_strategy)
def test_each_battle_is_a_win_or_a_tie_of_a_pair(votes: list[Vote]) -> None:
    tally = Tally.from_votes(votes)
    assert tally.wins().sum() + tally.ties().sum() / 2 == len(votes) == tally.n_votes
    assert sum(tally.battles_by_pair().values()) == len(votes)
    assert tally.points().sum() == len(votes)


def test_equality_looks_at_votes_and_not_at_the_list_of_models() -> None:
    tally = make_tally("x>y")
    assert tally.equals(make_tally("x>y", models=["z", "y", "x"]))
    assert not tally.equals(make_tally("y<x"))
    assert not tally.equals(Tally.from_votes([("x", "z", A)]))
