from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranking.sampler import POLICIES, Battles, draw_pair, pair_probabilities

pools = st.lists(st.sampled_from("abcdefgh"), min_size=2, max_size=8, unique=True)
counts = st.dictionaries(
    st.frozensets(st.sampled_from("abcdefgh"), min_size=2, max_size=2), st.integers(0, 10**9)
)
policies = st.sampled_from(sorted(POLICIES))


def chance(seed: int) -> random.Random:
    return random.Random(seed)


@given(pools, counts, policies)
def test_the_propensities_of_all_ordered_pairs_sum_to_one(pool: list[str], met: Battles, policy: str) -> None:
    pairs = pair_probabilities(pool, met, policy=policy)
    assert len(pairs) == len(pool) * (len(pool) - 1) // 2
    assert sum(pairs.values()) == pytest.approx(1)
    assert all(probability > 0 for probability in pairs.values())


@given(pools, counts, policies, st.integers())
def test_a_draw_is_of_two_models_of_the_pool_with_half_the_pairs_probability(
    pool: list[str], met: Battles, policy: str, seed: int
) -> None:
    draw = draw_pair(pool, met, policy=policy, rng=chance(seed))
    low, high = sorted((draw.model_a, draw.model_b))
    assert {low, high} <= set(pool)
    assert low != high
    assert draw.propensity == pair_probabilities(pool, met, policy=policy)[low, high] / 2
    assert draw.policy == policy


@given(pools, counts, policies, st.integers())
def test_the_same_seed_draws_the_same_whatever_the_pools_order(
    pool: list[str], met: Battles, policy: str, seed: int
) -> None:
    first = draw_pair(pool, met, policy=policy, rng=chance(seed))
    assert draw_pair(pool[::-1], met, policy=policy, rng=chance(seed)) == first


def test_draws_come_as_often_as_their_propensity_says() -> None:
    met = {frozenset("ab"): 3, frozenset("ac"): 1}
    rng = chance(5)
    draws = [draw_pair("abcd", met, policy="balanced", rng=rng) for _ in range(40_000)]
    said = {(draw.model_a, draw.model_b): draw.propensity for draw in draws}
    assert len(said) == 12
    assert sum(said.values()) == pytest.approx(1)
    seen = Counter((draw.model_a, draw.model_b) for draw in draws)
    for pair, propensity in said.items():
        assert seen[pair] / len(draws) == pytest.approx(propensity, abs=0.006)


def test_each_side_falls_to_each_model_half_of_the_time() -> None:
    rng = chance(8)
    first = sum(draw_pair("ab", {}, policy="uniform", rng=rng).model_a == "a" for _ in range(20_000))
    assert first / 20_000 == pytest.approx(0.5, abs=0.01)


def test_uniform_does_not_look_at_the_counts() -> None:
    pairs = pair_probabilities("abc", {frozenset("ab"): 10**6}, policy="uniform")
    assert list(pairs.values()) == pytest.approx([1 / 3] * 3)


def test_balanced_prefers_pairs_that_met_less_and_forgets_none() -> None:
    pairs = pair_probabilities("abc", {frozenset("ab"): 1, frozenset("ac"): 3}, policy="balanced")
    assert pairs["b", "c"] == pytest.approx(4 * pairs["a", "b"])
    assert pairs["a", "b"] == pytest.approx(4 * pairs["a", "c"])


def test_balanced_counts_spread_less_than_uniform_ones() -> None:
    def spread(policy: str) -> int:
        met: Counter[frozenset[str]] = Counter()
        rng = chance(3)
        for _ in range(3000):
            draw = draw_pair("abcdef", met, policy=policy, rng=rng)
            met[frozenset((draw.model_a, draw.model_b))] += 1
        return max(met.values()) - min(met.values())

    assert spread("balanced") < spread("uniform") / 2


@pytest.mark.parametrize("pool", [[], ["a"], ["a", "a"], ["a", "b", "a"]])
def test_a_pool_without_two_different_models_is_refused(pool: list[str]) -> None:
    with pytest.raises(ValueError, match="two models"):
        draw_pair(pool, {}, policy="uniform", rng=chance(1))


def test_an_unknown_policy_is_refused_and_the_known_ones_named() -> None:
    with pytest.raises(ValueError, match="'swiss'; there are uniform, balanced"):
        draw_pair("ab", {}, policy="swiss", rng=chance(1))
