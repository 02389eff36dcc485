from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranking.canaries import draw_opponent, draw_with_canaries, mixed_probabilities, pools
from ranking.policies import SamplingPolicy
from ranking.sampler import PairDraw, Situation, draw, pair_probabilities, situation_of
from ranking.tally import Tally
from tests.ranking.builders import NAMES, Vote, make_tally, votes_strategy
from tests.ranking.test_policies import policies_strategy

models_strategy = st.lists(st.sampled_from(NAMES), min_size=2, unique=True)
shares_strategy = st.dictionaries(
    st.sampled_from(NAMES), st.floats(0, 1, allow_subnormal=False).map(lambda x: round(x, 6))
)
POLICY = SamplingPolicy()


def situation(*names: str) -> Situation:
    return situation_of(make_tally("ama>bide*3", "bide>core"), names)


def able(models: list[str], shares: dict[str, float]) -> bool:
    return sum(shares.get(name, 1.0) > 0 for name in models) >= 2


@given(models_strategy, shares_strategy)
def test_pools_are_nested_of_two_or_more_and_their_chances_sum_to_one(
    models: list[str], shares: dict[str, float]
) -> None:
    if not able(models, shares):
        with pytest.raises(ValueError, match="at least two"):
            pools(models, shares)
        return
    found = pools(models, shares)
    assert sum(weight for weight, _ in found) == pytest.approx(1)
    assert all(len(pool) >= 2 and weight > 0 for weight, pool in found)
    for (_, wider), (_, narrower) in pairwise(found):
        assert set(narrower) < set(wider)


@given(models_strategy, shares_strategy)
def test_a_canary_is_in_the_pool_for_its_share_of_the_battles(
    models: list[str], shares: dict[str, float]
) -> None:
    steady = [name for name in models if shares.get(name, 1.0) >= 1.0]
    if len(steady) < 2:
        return
    for name in models:
        inside = sum(weight for weight, pool in pools(models, shares) if name in pool)
        assert inside == pytest.approx(shares.get(name, 1.0))


def test_where_only_canaries_are_left_the_smallest_pair_of_them_takes_the_rest() -> None:
    found = pools(["ama", "bide", "core"], {"ama": 0.1, "bide": 0.5, "core": 0.2})
    assert [pool for _, pool in found] == [("ama", "bide", "core"), ("bide", "core")]
    assert [weight for weight, _ in found] == pytest.approx([0.1, 0.9])


@given(votes_strategy, models_strategy, policies_strategy, shares_strategy)
def test_propensities_sum_to_one_and_nobody_without_a_share_is_drawn(
    votes: list[Vote], models: list[str], policy: SamplingPolicy, shares: dict[str, float]
) -> None:
    if not able(models, shares):
        return
    here = situation_of(Tally.from_votes(votes), models)
    table = mixed_probabilities(here, policy, shares)
    assert table.sum() == pytest.approx(1)
    assert not np.diag(table).any()
    for name, row, column in zip(here.models, table, table.T, strict=True):
        assert (row.sum() + column.sum() > 0) == (shares.get(name, 1.0) > 0)


@given(votes_strategy, models_strategy, policies_strategy, st.integers())
def test_without_canaries_the_draw_is_the_samplers(
    votes: list[Vote], models: list[str], policy: SamplingPolicy, seed: int
) -> None:
    here = situation_of(Tally.from_votes(votes), models)
    ours = draw_with_canaries(here, policy, {}, random.Random(seed))
    theirs = draw(here, policy, random.Random(seed))
    assert (ours.model_a, ours.model_b, ours.policy) == (theirs.model_a, theirs.model_b, theirs.policy)
    assert ours.propensity == pytest.approx(theirs.propensity)


def test_the_logged_propensity_is_how_often_the_pair_comes() -> None:
    here = situation("ama", "bide", "core", "denda")
    shares = {"core": 0.3, "denda": 0.1}
    rng = random.Random(33)
    drawn = [draw_with_canaries(here, POLICY, shares, rng) for _ in range(4000)]
    told = {(each.model_a, each.model_b): each.propensity for each in drawn}
    for pair, times in Counter((each.model_a, each.model_b) for each in drawn).items():
        assert times / 4000 == pytest.approx(told[pair], abs=0.03)


@given(votes_strategy, models_strategy, policies_strategy, shares_strategy, st.booleans(), st.integers())
def test_an_opponent_is_drawn_beside_who_stands_on_its_side(
    votes: list[Vote],
    models: list[str],
    policy: SamplingPolicy,
    shares: dict[str, float],
    beside_is_a: bool,
    seed: int,
) -> None:
    here = situation_of(Tally.from_votes(votes), models)
    beside = models[0]
    rivals = [name for name in models[1:] if shares.get(name, 1.0) > 0]

    def drawn() -> PairDraw:
        return draw_opponent(
            here, policy, shares, random.Random(seed), beside=beside, beside_is_a=beside_is_a
        )

    if not rivals:
        with pytest.raises(ValueError, match="at least two"):
            drawn()
        return
    pair = drawn()
    stands, other = (pair.model_a, pair.model_b) if beside_is_a else (pair.model_b, pair.model_a)
    assert stands == beside
    assert other in rivals
    assert 0 < pair.propensity <= 1


def test_an_opponents_propensity_is_the_tables_given_who_stands() -> None:
    here = situation("ama", "bide", "core")
    table = pair_probabilities(here, POLICY)
    drawn = draw_opponent(here, POLICY, {}, random.Random(1), beside="bide", beside_is_a=False)
    row = here.models.index(drawn.model_a)
    column = here.models.index("bide")
    assert drawn.propensity == pytest.approx(table[row, column] / table[:, column].sum())


def test_a_stranger_can_meet_nobody() -> None:
    with pytest.raises(ValueError, match="not among"):
        draw_opponent(situation("ama", "bide"), POLICY, {}, random.Random(1), beside="core", beside_is_a=True)
