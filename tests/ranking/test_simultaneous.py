from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal, norm, studentized_range

from ranking import reference, simultaneous
from ranking.fit import fit_bradley_terry
from ranking.ranks import quantile, rank_intervals, ranks, separated
from ranking.readers import read_tally
from ranking.simultaneous import (
    critical_value,
    rank_probabilities,
    simultaneous_differences,
    simultaneous_ranks,
    simultaneous_ratings,
)
from ranking.uncertainty import sandwich_covariance
from tests.ranking.builders import simulated


def centred(m: int) -> np.ndarray:
    """The covariance of *m* independent estimates less their mean."""
    return np.asarray(np.eye(m) - 1 / m)


def drawn_covariance(seed: int, m: int) -> np.ndarray:
    root = np.random.default_rng(seed).normal(size=(m, m)) * 0.3
    return np.asarray(root @ root.T)


def test_differences_of_independent_estimates_have_tukeys_critical_value() -> None:
    for m in (3, 8, 20):
        expected = studentized_range.ppf(0.95, m, np.inf) / np.sqrt(2)
        assert critical_value(centred(m), of="differences", seed=1) == pytest.approx(expected, abs=0.04)


def test_independent_ratings_have_sidaks_critical_value() -> None:
    expected = norm.ppf(0.5 + 0.95 ** (1 / 7) / 2)
    assert critical_value(np.eye(7), of="ratings", seed=1) == pytest.approx(expected, abs=0.03)


def test_few_degrees_of_freedom_reach_further() -> None:
    one = critical_value(np.eye(1), of="ratings", seed=1, draws=200_000, freedom=6)
    assert one == pytest.approx(quantile(0.95, 6), abs=0.04)
    expected = studentized_range.ppf(0.95, 8, 10) / np.sqrt(2)
    assert critical_value(centred(8), of="differences", seed=2, freedom=10) == pytest.approx(
        expected, abs=0.06
    )


def test_two_models_are_one_comparison() -> None:
    covariance = centred(2)
    for of in ("ratings", "differences"):
        assert critical_value(covariance, of=of, seed=4) == pytest.approx(quantile(0.95), abs=0.03)


@pytest.mark.parametrize("m", [0, 1])
def test_nothing_to_compare_has_no_critical_value(m: int) -> None:
    assert critical_value(np.zeros((m, m)), of="differences", seed=1) == 0
    assert critical_value(np.zeros((m, m)), of="ratings", seed=1) == 0


def test_a_variance_of_zero_leaves_the_others_alone() -> None:
    covariance = np.zeros((3, 3))
    covariance[:2, :2] = centred(2)
    assert critical_value(covariance, of="ratings", seed=1) == pytest.approx(1.96, abs=0.03)


@settings(max_examples=30)
@given(st.integers(2, 8), st.integers(0, 2**32 - 1))
def test_the_critical_value_lies_between_one_test_and_bonferronis(m: int, seed: int) -> None:
    covariance = drawn_covariance(seed, m)
    ratings = critical_value(covariance, of="ratings", seed=1, draws=4000)
    differences = critical_value(covariance, of="differences", seed=1, draws=4000)
    for found, tests in ((ratings, m), (differences, m * (m - 1) / 2)):
        assert quantile(0.95) - 0.15 <= found <= quantile(1 - 0.05 / tests) + 0.15


def test_the_seed_decides_and_pieces_stay_close(monkeypatch: pytest.MonkeyPatch) -> None:
    covariance = drawn_covariance(3, 6)
    at_once = critical_value(covariance, of="differences", seed=1)
    assert critical_value(covariance, of="differences", seed=1) == at_once
    assert critical_value(covariance, of="differences", seed=2) != at_once
    monkeypatch.setattr(simultaneous, "_CHUNK_NUMBERS", 1000)
    assert critical_value(covariance, of="differences", seed=1) == pytest.approx(at_once)


def test_intervals_reach_the_critical_value_to_both_sides() -> None:
    strengths, covariance = np.array([0.4, 0.1, -0.5]), drawn_covariance(5, 3)
    ratings = simultaneous_ratings(strengths, covariance, seed=1)
    assert (ratings.high - ratings.low) / 2 == pytest.approx(ratings.critical * np.sqrt(np.diag(covariance)))
    assert (ratings.high + ratings.low) / 2 == pytest.approx(strengths)
    gaps = simultaneous_differences(strengths, covariance, seed=1)
    assert gaps.low == pytest.approx(-gaps.high.T)
    assert gaps.high[0, 1] - 0.3 == pytest.approx(
        gaps.critical * np.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    )


def test_all_intervals_hold_at_once_in_95_percent_of_simulated_boards() -> None:
    rng = np.random.default_rng(9)
    true = np.linspace(-0.7, 0.7, 6)
    rank = np.arange(6, 0, -1)
    held = []
    for _ in range(300):
        tally = simulated(true, per_pair=60, tie_rate=0.3, rng=rng)
        fit = fit_bradley_terry(tally)
        covariance = sandwich_covariance(tally, fit)
        found = simultaneous_ratings(fit.strengths, covariance, seed=1, draws=4000)
        gaps = simultaneous_differences(fit.strengths, covariance, seed=1, draws=4000)
        low, high = simultaneous_ranks(fit.strengths, covariance, seed=1, draws=4000)
        apart = true[:, None] - true
        held.append(
            (
                ((found.low <= true) & (true <= found.high)).all(),
                ((gaps.low <= apart) & (apart <= gaps.high)).all(),
                ((low <= rank) & (rank <= high)).all(),
            )
        )
    ratings, differences, ranked = np.mean(held, axis=0)
    assert 0.92 <= ratings <= 0.98
    assert 0.92 <= differences <= 0.98
    assert ranked >= 0.95


@settings(max_examples=40)
@given(st.integers(1, 8), st.integers(0, 2**32 - 1))
def test_simultaneous_ranks_hold_those_pair_by_pair(m: int, seed: int) -> None:
    strengths, covariance = np.random.default_rng(seed).normal(size=m), drawn_covariance(seed + 1, m)
    low, high = simultaneous_ranks(strengths, covariance, seed=1, draws=2000)
    critical = critical_value(covariance, of="differences", seed=1, draws=2000)
    if critical >= quantile(0.95):
        inner_low, inner_high = rank_intervals(separated(strengths, covariance, level=0.95))
        assert (low <= inner_low).all()
        assert (inner_high <= high).all()
    assert (low <= ranks(strengths)).all()
    assert (ranks(strengths) <= high).all()


@settings(max_examples=30)
@given(st.integers(1, 8), st.integers(0, 2**32 - 1))
def test_chances_of_ranks_rise_to_one_and_share_out_every_place(m: int, seed: int) -> None:
    strengths, covariance = np.random.default_rng(seed).normal(size=m), drawn_covariance(seed + 1, m)
    chances = rank_probabilities(strengths, covariance, seed=1, draws=500)
    assert chances.shape == (m, m)
    assert (np.diff(chances, axis=1) >= 0).all()
    assert chances[:, -1] == pytest.approx(np.ones(m))
    assert chances.sum(axis=0) == pytest.approx(np.arange(1, m + 1))


def test_the_chance_of_the_first_of_two_is_the_normal_one() -> None:
    covariance = np.array([[0.04, 0.01], [0.01, 0.09]])
    chances = rank_probabilities(np.array([0.2, 0.0]), covariance, seed=1)
    assert chances[0, 0] == pytest.approx(norm.cdf(0.2 / np.sqrt(0.11)), abs=0.01)


def test_the_chance_of_the_first_of_three_is_the_integral() -> None:
    strengths, covariance = np.array([0.1, 0.0, -0.1]), np.diag([0.02, 0.03, 0.04])
    lead = np.array([[1.0, -1, 0], [1, 0, -1]])
    expected = multivariate_normal(lead @ strengths, lead @ covariance @ lead.T).cdf(
        [np.inf, np.inf], lower_limit=[0, 0]
    )
    chances = rank_probabilities(strengths, covariance, seed=1)
    assert chances[0, 0] == pytest.approx(expected, abs=0.012)


def test_without_any_doubt_the_order_is_certain() -> None:
    chances = rank_probabilities(np.array([0.1, 0.3, 0.2]), np.zeros((3, 3)), seed=1, draws=10)
    assert chances.tolist() == [[0, 0, 1], [1, 1, 1], [0, 1, 1]]


def test_the_published_leader_is_first_and_its_runner_up_is_not_sure_of_its_place() -> None:
    tally = read_tally(reference.pairs_path())
    fit = fit_bradley_terry(tally)
    covariance = sandwich_covariance(tally, fit)
    first, second, third = np.argsort(-fit.strengths)[:3]
    chances = rank_probabilities(fit.strengths, covariance, seed=1)
    assert chances[first, 0] > 0.98
    assert 0.7 < chances[second, 1] < 0.85
    assert chances[third, 2] > 0.99
    low, high = simultaneous_ranks(fit.strengths, covariance, seed=1)
    assert [(low[i], high[i]) for i in (first, second, third)] == [(1, 3), (1, 3), (1, 3)]
    critical = critical_value(covariance, of="differences", seed=1)
    assert critical == pytest.approx(3.56, abs=0.04)
