from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ranking.ballots import Ballots
from ranking.resilience import survivors
from tests.ranking.crowds import crowd, make_ballots


def names(ballots: Ballots) -> list[str]:
    return [ballots.models[index] for index in survivors(ballots)]


def stays_joined(ballots: Ballots) -> bool:
    """Whether the models are one component without each voter in turn, one graph a voter."""
    m = len(ballots.models)
    numbers = ballots.clusters()
    for voter in np.unique(numbers):
        rest = ballots.take(numbers != voter)
        graph = coo_array((np.ones(rest.n_votes), (rest.a, rest.b)), shape=(m, m))
        if connected_components(graph, directed=False)[0] > 1:
            return False
    return True


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ([], []),
        (["ane: x>y"], []),
        (["ane: x>y*99 y>x*99"], []),
        (["ane: x>y", "jon: y>x"], ["x", "y"]),
        ([": x>y", ": y>x"], ["x", "y"]),
        (["ane: x>y", "jon: y>x x=berria"], ["x", "y"]),
        (["ane: x>y", "jon: y>x x=berria y>berria*9"], ["x", "y"]),
        (["ane: x>y", "jon: y>x x=berria", "iker: y>berria"], ["berria", "x", "y"]),
        (["ane: x>y", "jon: y>z", "iker: z>x"], ["x", "y", "z"]),
        (["ane: x>y z>w", "jon: y>x w>z", "iker: x>z"], []),
        (["ane: x>y z>w", "jon: y>x w>z", "iker: x>z", "miren: y>w"], ["w", "x", "y", "z"]),
    ],
)
def test_a_model_that_one_voter_could_take_away_is_left_out(written: list[str], expected: list[str]) -> None:
    assert names(make_ballots(*written)) == expected


def test_a_chain_of_newcomers_falls_link_by_link() -> None:
    ballots = make_ballots("ane: a>b b>c c>k k>d", "jon: b>a c>b k>c d>e", "iker: a>b b>c c>k e>f")
    assert names(ballots) == ["a", "b", "c", "k"]


def test_two_halves_that_one_voter_joins_are_none() -> None:
    assert names(make_ballots("ane: a>b c>d b>c", "jon: a>b c>d", "iker: d>c")) == []


def test_a_single_model_without_votes_stands() -> None:
    assert names(make_ballots(models=["x"])) == ["x"]


def test_three_hundred_voters_of_one_pair_are_not_miscounted() -> None:
    """Sums of 256 ones overflow a byte."""
    assert names(make_ballots(*(f"u{i}: x>y" for i in range(256)))) == ["x", "y"]


@settings(max_examples=80)
@given(st.integers(2, 7), st.integers(2, 6), st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_survivors_stay_joined_and_nobody_is_left_out_for_nothing(
    m: int, users: int, votes: int, seed: int
) -> None:
    ballots = crowd(np.zeros(m), users=users, votes=votes, rng=np.random.default_rng(seed))
    kept = survivors(ballots)
    assert stays_joined(ballots.among(kept))
    assert (len(kept) == m) == stays_joined(ballots)


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1))
def test_the_order_of_votes_voters_and_models_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ballots = crowd(np.zeros(7), users=5, votes=5, rng=rng)
    models, people = rng.permutation(7), rng.permutation(5)
    other = Ballots(
        ballots.models, models[ballots.b], models[ballots.a], ballots.outcome, people[ballots.user]
    ).take(rng.permutation(ballots.n_votes))
    assert set(survivors(other)) == set(models[survivors(ballots)])
