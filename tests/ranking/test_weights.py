from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ranking.ballots import Ballots
from ranking.board import SCALE
from ranking.fit import Vector, fit_points
from ranking.points import points_of
from ranking.types import TieRule
from ranking.weights import DEFAULT_CAP, capped_weights
from tests.ranking.crowds import crowd, make_ballots, published_ballots, rigged


def per_user_and_model(ballots: Ballots, weight: Vector) -> np.ndarray:
    m = len(ballots.models)
    user = ballots.clusters() * m
    return np.bincount(np.concatenate([user + ballots.a, user + ballots.b]), np.concatenate([weight, weight]))


def ratings(ballots: Ballots, cap: int | None) -> Vector:
    weighed = ballots if cap is None else ballots.reweighted(capped_weights(ballots, cap))
    return SCALE * fit_points(points_of(weighed.weighted_counts(), TieRule.HALF)).strengths


def test_three_votes_on_a_model_weigh_one_each_and_more_share_three() -> None:
    ballots = make_ballots("ane: x>y x>z x>v x>w", "jon: x>y*3")
    assert capped_weights(ballots, 3).tolist() == [0.75] * 4 + [1.0] * 3
    assert DEFAULT_CAP == 3


def test_a_vote_takes_the_smaller_factor_of_its_two_models() -> None:
    ballots = make_ballots("ane: x>y*6 y>z z>v")
    assert capped_weights(ballots, 3) == pytest.approx([3 / 7] * 7 + [1.0])


def test_another_users_votes_weigh_what_they_did() -> None:
    alone = make_ballots("jon: x>y*2 y>z")
    beside = make_ballots("ane: x>y*50", "jon: x>y*2 y>z")
    assert capped_weights(beside, 2)[50:].tolist() == capped_weights(alone, 2).tolist()


def test_votes_of_nobody_are_not_capped() -> None:
    assert capped_weights(make_ballots(": x>y*9"), 1).tolist() == [1.0] * 9


def test_weights_that_votes_have_already_fill_the_cap() -> None:
    ballots = make_ballots("ane: x>y*4").reweighted(np.array([4.0, 1.0, 1.0, 0.0]))
    assert capped_weights(ballots, 3) == pytest.approx([2.0, 0.5, 0.5, 0.0])


def test_no_votes_have_no_weights() -> None:
    assert capped_weights(make_ballots(models=["x", "y"])).tolist() == []


@pytest.mark.parametrize("cap", [0, -3])
def test_a_cap_below_one_is_refused(cap: int) -> None:
    with pytest.raises(ValueError, match="leaves no vote"):
        capped_weights(make_ballots("ane: x>y"), cap)


@settings(max_examples=50)
@given(st.integers(2, 6), st.integers(1, 5), st.booleans(), st.integers(0, 2**32 - 1))
def test_no_user_weighs_more_than_the_cap_on_any_model(m: int, cap: int, weighted: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    ballots = crowd(np.zeros(m), users=6, votes=20, rng=rng)
    if weighted:
        ballots = ballots.reweighted(rng.random(120) * 5)
    before, after = ballots.weights(), capped_weights(ballots, cap)
    assert (after <= before).all()
    assert (after > 0).all()
    sums, capped = per_user_and_model(ballots, before), per_user_and_model(ballots, after)
    assert (capped <= cap + 1e-9).all()
    within = (sums <= cap)[ballots.clusters() * m + ballots.a] & (sums <= cap)[
        ballots.clusters() * m + ballots.b
    ]
    assert (after[within] == before[within]).all()
    assert (after[~within] < before[~within]).all()


@settings(max_examples=50)
@given(st.integers(0, 2**32 - 1))
def test_the_order_of_votes_users_and_sides_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ballots = crowd(np.zeros(4), users=6, votes=20, rng=rng)
    order, people = rng.permutation(120), rng.permutation(6)
    other = Ballots(ballots.models, ballots.b, ballots.a, ballots.outcome, people[ballots.user]).take(order)
    assert capped_weights(other, 2).tolist() == capped_weights(ballots, 2)[order].tolist()


def test_a_further_vote_weighs_less_than_the_one_before() -> None:
    weights = [capped_weights(make_ballots(f"ane: x>y*{n}"), 3)[0] for n in range(3, 40)]
    assert all(more < fewer for fewer, more in pairwise(weights))


def test_the_rigging_drill_moves_a_contender_by_at_most_five_points() -> None:
    rng = np.random.default_rng(1)
    honest = published_ballots(rng)
    uncapped, capped = ratings(honest, None), ratings(honest, DEFAULT_CAP)
    for model in np.argsort(-uncapped)[:15]:
        attacked = rigged(honest, int(model), rng)
        assert 0 < ratings(attacked, DEFAULT_CAP)[model] - capped[model] <= 5
        assert ratings(attacked, None)[model] - uncapped[model] > 45


def test_the_drill_on_the_third_model_is_what_was_measured() -> None:
    rng = np.random.default_rng(2)
    honest = published_ballots(rng)
    third = int(np.argsort(-ratings(honest, None))[2])
    attacked = rigged(honest, third, rng)
    assert ratings(attacked, None)[third] - ratings(honest, None)[third] == pytest.approx(50, abs=5)
    assert ratings(attacked, DEFAULT_CAP)[third] - ratings(honest, DEFAULT_CAP)[third] < 4
    assert ratings(attacked, None).argmax() == third
    assert ratings(attacked, DEFAULT_CAP).argmax() != third


def test_no_model_at_all_can_be_pushed_far() -> None:
    """The weakest model gains most by a win, as nobody expects one: nine full votes of three people would move it as far."""
    rng = np.random.default_rng(3)
    honest = published_ballots(rng)
    capped = ratings(honest, DEFAULT_CAP)
    moved = [ratings(rigged(honest, model, rng), DEFAULT_CAP)[model] - capped[model] for model in range(21)]
    assert np.median(moved) < 5
    assert max(moved) < 12


def test_the_cap_hardly_moves_an_honest_board() -> None:
    honest = published_ballots(np.random.default_rng(4))
    assert np.abs(ratings(honest, DEFAULT_CAP) - ratings(honest, None)).max() < 9
