from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from ranking import reference
from ranking.board import build_board
from ranking.fit import fit_bradley_terry, win_probabilities
from ranking.knowledge import knowledge_of
from ranking.policies import PRESETS, SamplingPolicy
from ranking.readers import Layout, read_tally
from ranking.sampler import (
    STEEPEST_COIN,
    Battles,
    PairDraw,
    Situation,
    draw,
    draw_pair,
    pair_probabilities,
    situation_of,
)
from ranking.tally import Counts, Matrix, Tally
from tests.ranking.builders import NAMES, Vote, make_tally, votes_strategy
from tests.ranking.test_policies import policies_strategy

DEFAULT = SamplingPolicy()
MIXED = SamplingPolicy(floor=0.2, newcomer=0.4, duel=0.3)
LOPSIDED = make_tally("ama>bide*3", "bide>ama", "bide>core*2", "core>ama", "ama=denda*2")

pools = st.lists(st.sampled_from(NAMES), min_size=2, unique=True)
seen_pairs = st.dictionaries(
    st.frozensets(st.sampled_from(NAMES), min_size=2, max_size=2), st.integers(0, 10**6)
)
any_policy = st.one_of(policies_strategy, st.sampled_from(list(PRESETS.values())))


def chance(seed: int) -> random.Random:
    return random.Random(seed)


@pytest.fixture(scope="module")
def published() -> Tally:
    return read_tally(reference.pairs_path(), layout=Layout.PAIRS)


@given(votes_strategy, pools, seen_pairs, any_policy)
def test_the_propensities_of_all_ordered_pairs_sum_to_one(
    votes: list[Vote], pool: list[str], seen: Battles, policy: SamplingPolicy
) -> None:
    table = pair_probabilities(situation_of(Tally.from_votes(votes), pool, seen=seen), policy)
    assert table.sum() == pytest.approx(1)
    assert not np.diag(table).any()
    assert (table[~np.eye(len(pool), dtype=bool)] > 0).all()


@given(votes_strategy, pools, any_policy, st.integers())
def test_a_draw_is_of_two_models_of_the_pool_with_the_tables_propensity(
    votes: list[Vote], pool: list[str], policy: SamplingPolicy, seed: int
) -> None:
    situation = situation_of(Tally.from_votes(votes), pool)
    drawn = draw(situation, policy, chance(seed))
    assert {drawn.model_a, drawn.model_b} <= set(pool)
    assert drawn.model_a != drawn.model_b
    at = situation.models.index(drawn.model_a), situation.models.index(drawn.model_b)
    assert drawn.propensity == pair_probabilities(situation, policy)[at]
    assert drawn.policy == policy.name


@given(votes_strategy, pools, any_policy, st.integers())
def test_the_same_seed_draws_the_same_whatever_the_order_of_pool_and_tally(
    votes: list[Vote], pool: list[str], policy: SamplingPolicy, seed: int
) -> None:
    tally = Tally.from_votes(votes)
    first = draw(situation_of(tally, pool), policy, chance(seed))
    again = draw(situation_of(tally.subset(tally.models[::-1]), pool[::-1]), policy, chance(seed))
    assert (again.model_a, again.model_b) == (first.model_a, first.model_b)
    assert again.propensity == pytest.approx(first.propensity)


@given(votes_strategy, any_policy)
def test_other_names_have_the_same_probabilities(votes: list[Vote], policy: SamplingPolicy) -> None:
    other = dict(zip(NAMES, NAMES[::-1], strict=True))
    tally = Tally.from_votes(votes, NAMES)
    renamed = Tally(tuple(other[name] for name in tally.models), tally.counts)
    table = pair_probabilities(situation_of(tally, NAMES), policy)
    assert pair_probabilities(situation_of(renamed, NAMES), policy)[::-1, ::-1] == pytest.approx(table)


@settings(max_examples=30)
@given(votes_strategy, any_policy, st.integers())
def test_an_unhealthy_model_is_never_drawn(votes: list[Vote], policy: SamplingPolicy, seed: int) -> None:
    situation = situation_of(Tally.from_votes(votes), NAMES, unhealthy={"ama", "core"})
    assert situation.models == ("bide", "denda", "egun")
    drawn = draw(situation, policy, chance(seed))
    assert not {drawn.model_a, drawn.model_b} & {"ama", "core"}


@pytest.mark.parametrize("policy", [*PRESETS.values(), MIXED], ids=lambda policy: policy.name)
def test_draws_come_as_often_as_their_propensity_says(policy: SamplingPolicy) -> None:
    situation = situation_of(LOPSIDED, NAMES[:4], seen={frozenset({"core", "denda"}): 2})
    table, rng = pair_probabilities(situation, policy), chance(5)
    draws = [draw(situation, policy, rng) for _ in range(2000)]
    seen = Counter((drawn.model_a, drawn.model_b) for drawn in draws)
    cells = [(i, j) for i in range(4) for j in range(4) if i != j]
    observed = [seen[situation.models[i], situation.models[j]] for i, j in cells]
    expected = np.array([table[cell] for cell in cells])
    assert chisquare(observed, expected / expected.sum() * len(draws)).pvalue > 0.01


def test_the_side_order_that_was_shown_less_is_favoured_but_never_certain() -> None:
    for written, share in (("x>y", 0.375), ("x>y*2", 0.25), ("x>y*90", 0.25), ("y<x*90", 0.75)):
        table = pair_probabilities(situation_of(make_tally(written), ["x", "y"]), DEFAULT)
        assert table[0, 1] == pytest.approx(share)
        assert 1 - STEEPEST_COIN <= table[0, 1] <= STEEPEST_COIN


def test_sides_stay_even_for_every_model_over_a_campaign(published: Tally) -> None:
    known, m = knowledge_of(published), len(published.models)
    shown, rng = np.zeros((m, m)), np.random.default_rng(11)
    while shown.sum() < published.n_votes:
        situation = Situation(published.models, shown, known.strengths, known.covariance, np.zeros((m, m)))
        table = pair_probabilities(situation, DEFAULT)
        shown = shown + rng.multinomial(10, table.ravel()).reshape(m, m)  # ten volunteers at once
    as_a = shown.sum(axis=1) / (shown.sum(axis=0) + shown.sum(axis=1))
    assert np.abs(as_a - 0.5).max() <= 0.01
    assert np.abs(shown - shown.T).max() <= 12  # of about 61


def without(tally: Tally, model: str) -> Tally:
    """The board as if *model* had not met anybody yet."""
    counts, index = tally.counts.copy(), tally.models.index(model)
    counts[index] = counts[:, index] = 0
    return Tally(tally.models, counts)


def judged(pairs: Counts, truth: Matrix, tie: float, rng: np.random.Generator) -> Counts:
    """Outcomes, shape ``(m, m, 4)``, of so many battles of each ordered pair; ties are *tie* times ``p (1 - p)``."""
    m = len(truth)
    counts = np.zeros((m, m, 4), dtype=np.int64)
    for i, j in zip(*np.nonzero(pairs), strict=True):
        p, tied = truth[i, j], tie * truth[i, j] * truth[j, i]
        counts[i, j, :3] = rng.multinomial(pairs[i, j], [p - tied / 2, 1 - p - tied / 2, tied])
    return counts


def votes_until(
    half_width: float, *, of: str, tally: Tally, truth: Matrix, policy: SamplingPolicy, batch: int
) -> tuple[int, float]:
    """How many simulated votes bring a newcomer to that half width, and its share of them. The board is refitted every *batch* votes."""
    rng, grown = np.random.default_rng(2), without(tally, of)
    before, m = grown.n_votes, len(tally.models)
    while True:
        row = next(row for row in build_board(grown).ratings if row.model == of)
        if row.half_width is not None and row.half_width <= half_width and row.n >= 100:
            spent = grown.n_votes - before
            return spent, row.n / spent
        situation = situation_of(grown, tally.models)
        assert situation.models == tuple(sorted(tally.models))
        table = pair_probabilities(situation, policy)
        back = [situation.models.index(name) for name in tally.models]
        pairs = rng.multinomial(batch, table[np.ix_(back, back)].ravel()).reshape(m, m).astype(np.int64)
        grown = Tally(tally.models, grown.counts + judged(pairs, truth, 0.89, rng))


@pytest.mark.parametrize("newcomer", ["exp_0_101", "gpt-4o-2024-11-20", "exp_2_011"])
def test_a_newcomer_is_known_with_a_quarter_of_the_votes_that_uniform_drawing_needs(
    published: Tally, newcomer: str
) -> None:
    truth = win_probabilities(fit_bradley_terry(published).strengths)
    fast, share = votes_until(20, of=newcomer, tally=published, truth=truth, policy=DEFAULT, batch=25)
    slow, _ = votes_until(20, of=newcomer, tally=published, truth=truth, policy=PRESETS["uniform"], batch=200)
    assert fast < slow / 4
    assert 8000 < slow < 13_000
    assert share <= 0.5


def test_the_published_board_has_nobody_new_and_is_drawn_by_balance(published: Tally) -> None:
    situation = situation_of(published, published.models)
    balanced = pair_probabilities(situation, PRESETS["balanced"])
    uniform = pair_probabilities(situation, PRESETS["uniform"])
    found = pair_probabilities(situation, DEFAULT)
    coin = found / (found + found.T + np.eye(21))
    even = (balanced + balanced.T) * 0.9 + (uniform + uniform.T) * 0.1
    assert found == pytest.approx(even * coin)


def test_duels_go_to_the_sixteen_neighbours_that_the_published_board_leaves_open(published: Tally) -> None:
    situation = situation_of(published, published.models)
    plain = pair_probabilities(situation, SamplingPolicy(floor=0.1, newcomer=0.0, duel=0.0))
    duelled = pair_probabilities(situation, SamplingPolicy(floor=0.1, newcomer=0.0, duel=0.5))
    more = np.triu((duelled + duelled.T) > (plain + plain.T))
    assert more.sum() == 16
    order = list(np.argsort(-situation.strengths))
    assert all(abs(order.index(i) - order.index(j)) == 1 for i, j in zip(*np.nonzero(more), strict=True))


def test_battles_outside_the_pool_help_to_know_those_inside() -> None:
    tally = make_tally("x>y*60", "y>x*40", "y>z*60", "z>y*40")
    situation = situation_of(tally, ["x", "z"])
    assert situation.models == ("x", "z")
    assert situation.strengths[0] > 0 > situation.strengths[1]
    assert not situation.shown.any()


@pytest.mark.parametrize("pool", [[], ["a"], ["a", "a"], ["a", "b", "a"]])
def test_a_pool_without_two_different_models_is_refused(pool: list[str]) -> None:
    with pytest.raises(ValueError, match="two models"):
        draw_pair(pool, {}, policy="uniform", rng=chance(1))
    with pytest.raises(ValueError, match="two models"):
        situation_of(Tally.empty([]), pool)


def test_a_pool_with_one_healthy_model_is_refused() -> None:
    with pytest.raises(ValueError, match="two models"):
        situation_of(LOPSIDED, ["ama", "bide"], unhealthy=["bide"])


def test_arrays_of_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="other shapes"):
        Situation(("a", "b"), np.zeros((2, 2)), np.zeros(3), np.eye(2), np.zeros((2, 2)))
    with pytest.raises(ValueError, match="other shapes"):
        Situation(("a", "b"), np.zeros((2, 2)), np.zeros(2), np.eye(3), np.zeros((2, 2)))


@pytest.mark.parametrize("tally", [Tally.empty([]), make_tally("ama>bide"), make_tally("ama=bide*7")])
@pytest.mark.parametrize("policy", [*PRESETS.values(), MIXED], ids=lambda policy: policy.name)
def test_a_board_without_ratings_is_drawn_from_all_the_same(tally: Tally, policy: SamplingPolicy) -> None:
    table = pair_probabilities(situation_of(tally, NAMES), policy)
    assert (table[~np.eye(5, dtype=bool)] >= 1 / 5000).all()


def test_counts_alone_give_the_draw_that_they_always_gave() -> None:
    met = {frozenset("ab"): 1, frozenset("ac"): 3}
    rng = chance(4)
    draws = {draw_pair("cab", met, policy="balanced", rng=rng) for _ in range(300)}
    weights = {"ab": 1 / 4, "ac": 1 / 16, "bc": 1.0}
    assert len(draws) == 6
    for each in draws:
        pair = "".join(sorted(each.model_a + each.model_b))
        assert each.propensity == pytest.approx(weights[pair] / sum(weights.values()) / 2)
        assert each.policy == "balanced"


@given(pools, seen_pairs, st.sampled_from(list(PRESETS)), st.integers())
def test_counts_alone_draw_the_same_whatever_the_pools_order(
    pool: list[str], met: Battles, policy: str, seed: int
) -> None:
    first = draw_pair(pool, met, policy=policy, rng=chance(seed))
    assert isinstance(first, PairDraw)
    assert draw_pair(pool[::-1], met, policy=policy, rng=chance(seed)) == first


def test_an_unknown_policy_is_refused() -> None:
    with pytest.raises(ValueError, match="'swiss'"):
        draw_pair("ab", {}, policy="swiss", rng=chance(1))


def test_balanced_counts_spread_less_than_uniform_ones() -> None:
    def spread(policy: str) -> float:
        met: Counter[frozenset[str]] = Counter()
        rng = chance(3)
        for _ in range(800):
            drawn = draw_pair("abcdef", met, policy=policy, rng=rng)
            met[frozenset((drawn.model_a, drawn.model_b))] += 1
        return float(np.std(list(met.values())))

    assert spread("balanced") < spread("uniform") * 0.7
