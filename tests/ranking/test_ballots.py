from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranking.ballots import NOBODY, Ballots
from ranking.tally import Tally
from ranking.types import Outcome, TieRule
from tests.ranking.builders import NAMES, Vote, votes_strategy


def of_votes(votes: list[Vote], users: list[int] | None = None) -> Ballots:
    place = {name: index for index, name in enumerate(NAMES)}
    a, b, outcome = (
        np.array(column, dtype=np.int64)
        for column in (
            [place[vote[0]] for vote in votes],
            [place[vote[1]] for vote in votes],
            [vote[2].place for vote in votes],
        )
    )
    return Ballots(NAMES, a, b, outcome, np.array(users or [NOBODY] * len(votes), dtype=np.int64))


@given(votes_strategy)
def test_the_tally_of_ballots_is_the_tally_of_their_votes(votes: list[Vote]) -> None:
    ballots = of_votes(votes)
    assert ballots.tally().equals(Tally.from_votes(votes, NAMES))
    assert (ballots.weighted_counts() == ballots.tally().counts).all()


@given(votes_strategy, st.randoms(use_true_random=False))
def test_weights_count_and_repeats_are_whole_weights(votes: list[Vote], rng: object) -> None:
    times = [getattr(rng, "randrange")(4) for _ in votes]  # noqa: B009  # hypothesis' own class has no stub
    weighted = of_votes(votes).reweighted(np.array(times, dtype=np.float64))
    repeated = of_votes([vote for vote, n in zip(votes, times, strict=True) for _ in range(n)])
    assert weighted.weighted_counts() == pytest.approx(repeated.tally().counts)


def test_votes_of_nobody_are_clusters_of_their_own() -> None:
    votes: list[Vote] = [("ama", "bide", Outcome.TIE)] * 5
    assert of_votes(votes, [7, NOBODY, 3, 7, NOBODY]).clusters().tolist() == [1, 2, 0, 1, 3]
    assert of_votes(votes).clusters().tolist() == [0, 1, 2, 3, 4]
    assert of_votes([]).clusters().tolist() == []


def test_taking_keeps_the_models_and_what_each_vote_weighs() -> None:
    ballots = of_votes([("ama", "bide", Outcome.TIE), ("core", "bide", Outcome.A_BETTER)], [1, 2])
    taken = ballots.reweighted(np.array([0.5, 2.0])).take(ballots.user == 2)
    assert taken.models == NAMES
    assert taken.weight is not None
    assert (taken.a.tolist(), taken.user.tolist(), taken.weight.tolist()) == ([2], [2], [2.0])


@given(votes_strategy)
def test_ballots_among_some_models_have_the_tally_among_them(votes: list[Vote]) -> None:
    ballots = of_votes(votes, list(range(1, len(votes) + 1)))
    among = ballots.among(np.array([3, 0, 2]))
    assert among.models == ("denda", "ama", "core")
    assert among.tally().equals(ballots.tally().subset(among.models))
    assert set(among.user) <= set(ballots.user)


def test_ballots_among_some_models_keep_their_weights() -> None:
    ballots = of_votes([("ama", "bide", Outcome.TIE), ("core", "bide", Outcome.A_BETTER)], [1, 2])
    among = ballots.reweighted(np.array([0.5, 2.0])).among(np.array([1, 2]))
    assert (among.a.tolist(), among.b.tolist(), among.weights().tolist()) == ([1], [0], [2.0])


def test_weights_are_ones_unless_something_was_said() -> None:
    ballots = of_votes([("ama", "bide", Outcome.TIE)] * 2)
    assert ballots.weights().tolist() == [1, 1]
    assert ballots.reweighted(np.array([0.5, 2.0])).weights().tolist() == [0.5, 2]


def test_counts_of_squared_weights() -> None:
    votes: list[Vote] = [("ama", "bide", Outcome.TIE)] * 2
    ballots = of_votes(votes)
    assert (ballots.weighted_counts(power=2) == ballots.tally().counts).all()
    squares = ballots.reweighted(np.array([0.5, 3.0])).weighted_counts(power=2)
    assert squares[0, 1].tolist() == [0, 0, 9.25, 0]


def test_weightless_votes_and_dropped_ties_do_not_enter_a_fit() -> None:
    votes: list[Vote] = [("ama", "bide", outcome) for outcome in Outcome]
    ballots = of_votes(votes, [1, 2, 3, 4])
    assert ballots.entering(TieRule.HALF) is ballots
    assert ballots.entering(TieRule.DROP).user.tolist() == [1, 2]
    weighed = ballots.reweighted(np.array([0.0, 1.0, 0.5, 0.0]))
    assert weighed.entering(TieRule.HALF).user.tolist() == [2, 3]
    assert weighed.entering(TieRule.DROP).user.tolist() == [2]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"a": [0, 1]}, "different lengths"),
        ({"a": [5]}, "index is 5"),
        ({"b": [-1]}, "index is -1"),
        ({"outcome": [4]}, "outcome is 4"),
        ({"b": [0]}, "met itself"),
        ({"weight": [-1.0]}, "weight"),
        ({"weight": [float("nan")]}, "weight"),
        ({"models": ("x", "x")}, "named twice"),
    ],
)
def test_what_is_no_vote_is_refused(change: dict[str, object], said: str) -> None:
    columns: dict[str, object] = {
        "models": ("x", "y"),
        "a": [0],
        "b": [1],
        "outcome": [0],
        "user": [1],
    } | change
    arrays = {name: value if name == "models" else np.array(value) for name, value in columns.items()}
    with pytest.raises(ValueError, match=said):
        Ballots(**arrays)  # type: ignore[arg-type]  # wrong on purpose
