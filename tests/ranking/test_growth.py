from __future__ import annotations

import numpy as np
import pytest

from ranking.fit import fit_bradley_terry
from ranking.growth import PUBLISHED_TIES, Boards, boards_from, grown
from ranking.knowledge import knowledge_of
from ranking.policies import PRESETS, SamplingPolicy
from ranking.tally import Tally
from ranking.uncertainty import sandwich_covariance
from tests.ranking.builders import make_tally, simulated

UNIFORM = PRESETS["uniform"]


def some_tally() -> Tally:
    rng = np.random.default_rng(3)
    return simulated(np.array([0.7, 0.2, -0.1, -0.8]), per_pair=50, tie_rate=0.4, rng=rng)


def boards(tally: Tally, repetitions: int = 400) -> Boards:
    return boards_from(tally, knowledge_of(tally), repetitions=repetitions, rng=np.random.default_rng(1))


def test_all_copies_start_from_the_boards_own_estimates() -> None:
    tally = some_tally()
    fit = fit_bradley_terry(tally)
    strengths, covariance = boards(tally, 5).estimates
    for copy in range(5):
        assert strengths[copy] == pytest.approx(fit.strengths)
        assert covariance[copy] == pytest.approx(sandwich_covariance(tally, fit))


def test_truths_are_spread_as_the_fit_leaves_open() -> None:
    tally = some_tally()
    fit = fit_bradley_terry(tally)
    truth = boards(tally, 4000).truth
    assert truth.mean(axis=0) == pytest.approx(fit.strengths, abs=0.02)
    assert np.cov(truth.T) == pytest.approx(sandwich_covariance(tally, fit), abs=0.004)


def test_votes_come_to_the_battles_and_to_the_information() -> None:
    before = boards(some_tally(), 3)
    after = grown(before, 500, UNIFORM, np.random.default_rng(2))
    assert np.triu(after.battles - before.battles).sum(axis=(1, 2)) == pytest.approx([500] * 3)
    assert (after.battles == np.swapaxes(after.battles, 1, 2)).all()
    assert after.information.sum(axis=2) == pytest.approx(np.zeros((3, 4)), abs=1e-9)
    assert after.meat.sum(axis=2) == pytest.approx(np.zeros((3, 4)), abs=1e-9)
    assert (
        np.trace(after.information, axis1=1, axis2=2) > np.trace(before.information, axis1=1, axis2=2)
    ).all()
    assert (after.truth == before.truth).all()


@pytest.mark.parametrize("policy", [UNIFORM, SamplingPolicy(floor=0.1, newcomer=0.5, duel=0.4)])
def test_errors_of_the_estimates_are_as_large_as_their_covariance_says(policy: SamplingPolicy) -> None:
    state, rng = boards(some_tally(), 1500), np.random.default_rng(5)
    for _ in range(8):
        state = grown(state, 100, policy, rng)
    strengths, covariance = state.estimates
    error = strengths - (state.truth - state.truth.mean(axis=1, keepdims=True))
    standardised = error / np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
    assert standardised.mean(axis=0) == pytest.approx(np.zeros(4), abs=0.1)
    assert standardised.std(axis=0) == pytest.approx(np.ones(4), abs=0.08)


def test_many_votes_find_the_truth() -> None:
    state = grown(boards(some_tally(), 20), 10**7, UNIFORM, np.random.default_rng(5))
    strengths, _ = state.estimates
    centred = state.truth - state.truth.mean(axis=1, keepdims=True)
    assert strengths == pytest.approx(centred, abs=0.01)


def test_grown_votes_narrow_a_board_as_real_ones_do() -> None:
    truth, rng = np.array([0.7, 0.2, -0.1, -0.8]), np.random.default_rng(8)
    real = simulated(truth, per_pair=1050, tie_rate=0.4, rng=rng)
    _, covariance = grown(boards(some_tally(), 50), 6000, PRESETS["uniform"], rng).estimates
    expected = np.diag(sandwich_covariance(real, fit_bradley_terry(real)))
    assert np.diagonal(covariance, axis1=1, axis2=2).mean(axis=0) == pytest.approx(expected, rel=0.08)


def test_models_without_a_rating_are_as_spread_as_the_rated_ones() -> None:
    tally = some_tally().merged(Tally.empty(["new"]))
    truth = boards(tally, 3000).truth
    spread = fit_bradley_terry(some_tally()).strengths.std()
    assert truth[:, 4].mean() == pytest.approx(0, abs=0.05)
    assert truth[:, 4].std() == pytest.approx(spread, rel=0.05)


def test_without_ratings_everybody_is_as_good_and_ties_are_as_published() -> None:
    state = boards(make_tally("x>y", models=["x", "y", "z"]), 3)
    assert not state.truth.any()
    assert state.tie_rate / 4 == PUBLISHED_TIES
    _, covariance = grown(state, 3000, UNIFORM, np.random.default_rng(4)).estimates
    even = (1 - PUBLISHED_TIES) * 4 / 2000 * (2 / 3) ** 2  # 2,000 battles a model, as in ``firm_battles``
    assert covariance[:, 0, 0] == pytest.approx(np.full(3, even), rel=0.05)


def test_a_board_of_ties_nearly_alone_is_not_certain_at_once() -> None:
    tally = make_tally("x=y*1000", "x>y", "y>x")
    _, covariance = grown(boards(tally, 3), 1000, UNIFORM, np.random.default_rng(4)).estimates
    assert (np.diagonal(covariance, axis1=1, axis2=2) > 0).all()
