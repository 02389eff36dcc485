from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ranking.ballots import Ballots
from ranking.elo import tick
from tests.ranking.voters import make_ballots, simulate


def some_votes(n: int, seed: int = 3) -> Ballots:
    return simulate(np.array([0.6, 0.0, -0.6]), n=n, users=9, rng=np.random.default_rng(seed))


def test_one_vote_between_equals_moves_half_of_k_each_way() -> None:
    found = tick(make_ballots("x>y"), k=32)
    assert found.models == ("x", "y")
    assert found.ratings.tolist() == [1016, 984]
    assert tick(make_ballots("x<y"), k=32).ratings.tolist() == [984, 1016]
    assert tick(make_ballots("x=y", "y!x"), k=32).ratings.tolist() == [1000, 1000]


def test_a_favourite_wins_little_and_loses_much() -> None:
    start = np.array([1200.0, 800.0])  # expected score 10/11
    assert tick(make_ballots("x>y"), start=start, k=11).ratings == pytest.approx([1201, 799])
    assert tick(make_ballots("x<y"), start=start, k=11).ratings == pytest.approx([1190, 810])


def test_a_vote_moves_by_its_weight() -> None:
    assert tick(make_ballots("x>y", weight=[0.5]), k=32).ratings.tolist() == [1008, 992]
    assert tick(make_ballots("x>y", weight=[0.0]), k=32).ratings.tolist() == [1000, 1000]


@settings(max_examples=40)
@given(st.integers(0, 80), st.integers(0, 80), st.floats(0.1, 60))
def test_two_batches_are_one_and_no_point_is_made_or_lost(n: int, cut: int, k: float) -> None:
    votes, cut = some_votes(n), min(cut, n)
    first = tick(votes.take(np.arange(cut)), k=k)
    second = tick(votes.take(np.arange(cut, n)), k=k, start=first.ratings)
    whole = tick(votes, k=k, after=[cut])
    assert second.ratings.tolist() == whole.ratings.tolist()
    assert whole.history.tolist() == [first.ratings.tolist()]
    assert whole.ratings.sum() == pytest.approx(3000)


def test_the_history_stands_where_it_was_asked_for() -> None:
    votes = some_votes(50)
    found = tick(votes, after=[0, 10, 10, 50])
    assert found.history.shape == (4, 3)
    assert found.history[0].tolist() == [1000, 1000, 1000]
    assert (
        found.history[1].tolist()
        == found.history[2].tolist()
        == tick(votes.take(np.arange(10))).ratings.tolist()
    )
    assert found.history[3].tolist() == found.ratings.tolist()
    assert tick(votes).history.shape == (0, 3)


def test_the_order_of_votes_matters_which_is_why_it_is_no_ranking() -> None:
    votes = make_ballots("x>y*10", "y>x*10")
    back = votes.take(np.arange(20)[::-1])
    assert tick(votes, k=32).ratings[1] > 1000 > tick(back, k=32).ratings[1]


def test_more_votes_do_not_make_it_more_exact() -> None:
    late = [tick(some_votes(n, seed), k=32).ratings[1] for n in (600, 2400) for seed in range(40)]
    assert np.std(late[:40]) > 10
    assert np.std(late[40:]) > 0.7 * np.std(late[:40])


def test_a_long_run_hovers_around_the_strengths() -> None:
    found = tick(some_votes(20_000), k=1)
    assert found.ratings == pytest.approx([1104, 1000, 896], abs=20)


def test_no_votes_move_nobody() -> None:
    assert tick(make_ballots()).ratings.shape == (0,)
    votes = some_votes(0)
    assert tick(votes, start=np.array([1.0, 2.0, 3.0]), after=[0]).ratings.tolist() == [1, 2, 3]


def test_a_rating_out_of_all_proportion_is_still_a_number() -> None:
    found = tick(make_ballots("x>y", "x<y"), start=np.array([0.0, 1e9]), k=4)
    assert np.isfinite(found.ratings).all()


def test_what_cannot_be_played_is_refused() -> None:
    votes = some_votes(5)
    for start in (np.zeros(2), np.array([1.0, 2.0, np.nan])):
        with pytest.raises(ValueError, match="3 models"):
            tick(votes, start=start)
    for k in (0.0, -1.0, float("inf"), float("nan")):
        with pytest.raises(ValueError, match="k is above 0"):
            tick(votes, k=k)
    for after in ([-1], [6], [3, 2]):
        with pytest.raises(ValueError, match="ascending within 0 to 5"):
            tick(votes, after=after)
