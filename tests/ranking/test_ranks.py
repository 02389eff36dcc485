from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm, t

from ranking.ranks import (
    difference_errors,
    quantile,
    rank_intervals,
    ranks,
    separated,
    separated_beyond,
    tiers,
)


def make_covariance(seed: int, m: int) -> np.ndarray:
    root = np.random.default_rng(seed).normal(size=(m, m)) * 0.4
    return np.asarray(root @ root.T)


def test_the_quantile_is_the_normal_one_and_always_finite() -> None:
    assert quantile(0.95) == pytest.approx(1.959964, abs=1e-6)
    assert np.isfinite(quantile(np.nextafter(1.0, 0.0)))
    assert quantile(5e-324) == 0


@pytest.mark.parametrize("freedom", [1, 4, 30])
def test_few_degrees_of_freedom_have_students_quantile(freedom: int) -> None:
    assert quantile(0.95, freedom) == pytest.approx(t.ppf(0.975, freedom))
    assert quantile(0.95, freedom) > quantile(0.95)
    assert quantile(0.95, 10.0**9) == pytest.approx(quantile(0.95))
    assert np.isfinite(quantile(np.nextafter(1.0, 0.0), freedom))


def test_few_degrees_of_freedom_separate_less() -> None:
    strengths, covariance = np.array([2.2, 0.0]), np.diag([0.5, 0.5])
    assert separated(strengths, covariance, level=0.95)[0, 1]
    assert not separated(strengths, covariance, level=0.95, freedom=5).any()


def test_the_error_of_a_difference_needs_the_covariance_of_both() -> None:
    covariance = np.array([[0.04, 0.01, 0.0], [0.01, 0.09, 0.0], [0.0, 0.0, 0.25]])
    errors = difference_errors(covariance)
    assert errors[0, 1] == errors[1, 0] == pytest.approx(np.sqrt(0.11))
    assert errors[0, 2] == pytest.approx(np.sqrt(0.29))
    assert np.diag(errors).tolist() == [0, 0, 0]


def test_a_pair_is_apart_beyond_the_critical_value_alone() -> None:
    strengths, covariance = np.array([1.0, 0.0]), np.diag([0.125, 0.125])
    assert separated_beyond(strengths, covariance, 1.99).tolist() == [[False, True], [False, False]]
    assert not separated_beyond(strengths, covariance, 2.01).any()


def test_a_difference_is_tested_with_the_covariance_between_both() -> None:
    strengths = np.array([0.3, 0.0])
    apart = np.array([[0.04, 0.0], [0.0, 0.04]])
    together = np.array([[0.04, 0.035], [0.035, 0.04]])
    assert not separated(strengths, apart, level=0.95).any()
    assert separated(strengths, together, level=0.95).tolist() == [[False, True], [False, False]]


def test_the_level_moves_the_verdict_where_the_z_value_says() -> None:
    strengths, covariance = np.array([1.0, 0.0]), np.diag([0.2, 0.2])
    level = 2 * norm.cdf(1 / np.sqrt(0.4)) - 1
    assert separated(strengths, covariance, level=level - 1e-6)[0, 1]
    assert not separated(strengths, covariance, level=level + 1e-6)[0, 1]


def test_equal_strengths_share_a_rank_and_the_next_one_is_skipped() -> None:
    assert ranks(np.array([0.1, 0.5, 0.1 + 1e-12, -2.0])).tolist() == [2, 1, 2, 4]


def test_nothing_separated_leaves_every_rank_open() -> None:
    low, high = rank_intervals(np.zeros((4, 4), dtype=bool))
    assert low.tolist() == [1, 1, 1, 1]
    assert high.tolist() == [4, 4, 4, 4]


def test_everything_separated_leaves_one_rank_each() -> None:
    better = np.triu(np.ones((4, 4), dtype=bool), 1)
    low, high = rank_intervals(better)
    assert low.tolist() == high.tolist() == [1, 2, 3, 4]
    assert tiers(np.array([4.0, 3, 2, 1]), better).tolist() == [1, 2, 3, 4]


def test_a_link_puts_both_ends_into_one_tier() -> None:
    strengths = np.array([2.0, 1.0, 0.0, -5.0])
    better = strengths[:, None] - strengths[None, :] > 1.5  # neighbours are not told apart, ends are
    assert tiers(strengths, better).tolist() == [1, 1, 1, 2]


@settings(max_examples=100)
@given(st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_models_not_told_apart_share_a_tier_and_tiers_follow_the_order(m: int, seed: int) -> None:
    strengths = np.random.default_rng(seed).normal(size=m)
    better = separated(strengths, make_covariance(seed + 1, m), level=0.95)
    tier = tiers(strengths, better)
    for i in range(m):
        for j in range(m):
            if tier[i] != tier[j]:
                assert better[i, j] or better[j, i]
            if strengths[i] > strengths[j]:
                assert tier[i] <= tier[j]
    assert sorted(set(tier.tolist())) == list(range(1, tier.max() + 1))


@settings(max_examples=100)
@given(st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_the_rank_lies_inside_its_interval_and_no_better_model_is_worse(m: int, seed: int) -> None:
    strengths = np.random.default_rng(seed).normal(size=m)
    better = separated(strengths, make_covariance(seed + 1, m), level=0.9)
    low, high = rank_intervals(better)
    assert (low <= ranks(strengths)).all()
    assert (ranks(strengths) <= high).all()
    assert not (better & better.T).any()
