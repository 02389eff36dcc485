from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranking.fit import Vector
from ranking.pairing import newcomer_shares, newcomers, open_neighbours, pair_shares, unsettled
from ranking.policies import PRESETS, SamplingPolicy
from ranking.tally import Indices, Matrix
from tests.ranking.test_policies import policies_strategy

NEWCOMERS_ONLY = SamplingPolicy(floor=0.01, newcomer=0.5, duel=0.0)


@dataclass(frozen=True)
class Case:
    """The arrays that a policy looks at."""

    battles: Matrix
    strengths: Vector
    covariance: Matrix
    seen: Matrix

    def shares(self, policy: SamplingPolicy) -> Matrix:
        return pair_shares(
            policy,
            battles=self.battles,
            strengths=self.strengths,
            covariance=self.covariance,
            seen=self.seen,
        )

    def relabelled(self, order: Indices) -> Case:
        block = np.ix_(order, order)
        return Case(self.battles[block], self.strengths[order], self.covariance[block], self.seen[block])


def settled(m: int, *, per_pair: int = 200, gap: float = 0.5) -> Case:
    """Models that stand *gap* nats apart, the strongest first, with so many even battles a pair."""
    battles = per_pair * (np.ones((m, m)) - np.eye(m))
    covariance = 4 / (per_pair * m) * (np.eye(m) - 1 / m)
    return Case(battles, np.linspace(0, -gap * (m - 1), m), covariance, np.zeros((m, m)))


def with_newcomers(case: Case, *indices: int, variance: float = 1.0) -> Case:
    """The case where these models have met nobody."""
    battles, covariance = case.battles.copy(), case.covariance.copy()
    for index in indices:
        battles[index] = battles[:, index] = 0
        covariance[index] = covariance[:, index] = 0
        covariance[index, index] = variance
    return Case(battles, case.strengths, covariance, case.seen)


def random_case(m: int, seed: int) -> Case:
    rng = np.random.default_rng(seed)
    battles = np.triu(rng.integers(0, rng.choice([2, 50, 10**6]), (m, m)), 1).astype(np.float64)
    spread = rng.normal(0, rng.choice([0.01, 0.1, 1]), (m, m))
    seen = np.triu(rng.integers(0, 6, (m, m)), 1).astype(np.float64)
    return Case(battles + battles.T, rng.normal(0, 1, m), spread @ spread.T, seen + seen.T)


cases = st.builds(random_case, st.integers(2, 9), st.integers(0, 2**32 - 1))
any_policy = st.one_of(policies_strategy, st.sampled_from(list(PRESETS.values())))


@given(cases, any_policy)
def test_shares_sum_to_one_and_leave_no_pair_out(case: Case, policy: SamplingPolicy) -> None:
    shares = case.shares(policy)
    m = len(shares)
    assert np.triu(shares).sum() == pytest.approx(1)
    assert shares == pytest.approx(shares.T)
    assert not np.diag(shares).any()
    lowest = policy.floor / (m * (m - 1) / 2)
    assert (shares[~np.eye(m, dtype=bool)] >= lowest * (1 - 1e-12)).all()
    assert (shares[~np.eye(m, dtype=bool)] > 0).all()


@given(cases, any_policy, st.integers(0, 2**32 - 1))
def test_names_and_their_order_do_not_matter(case: Case, policy: SamplingPolicy, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(case.strengths))
    assert case.relabelled(order).shares(policy) == pytest.approx(case.shares(policy)[np.ix_(order, order)])


def test_models_that_nobody_knows_are_drawn_alike_whatever_their_order() -> None:
    m = 5
    blank = Case(np.zeros((m, m)), np.zeros(m), np.eye(m), np.zeros((m, m)))
    for policy in (*PRESETS.values(), SamplingPolicy(floor=0.1, newcomer=0.5, duel=0.5)):
        assert blank.shares(policy)[np.triu_indices(m, 1)] == pytest.approx(np.full(10, 0.1))


@given(cases, any_policy)
def test_many_boards_at_once_have_the_shares_of_each_alone(case: Case, policy: SamplingPolicy) -> None:
    other = random_case(len(case.strengths), 7)
    both = Case(
        *(
            np.stack(arrays)
            for arrays in zip(
                (case.battles, case.strengths, case.covariance, case.seen),
                (other.battles, other.strengths, other.covariance, other.seen),
                strict=True,
            )
        )
    )
    together = both.shares(policy)
    assert together[0] == pytest.approx(case.shares(policy))
    assert together[1] == pytest.approx(other.shares(policy))


@given(cases, any_policy)
def test_newcomers_have_at_most_half_or_what_uniform_drawing_gives(
    case: Case, policy: SamplingPolicy
) -> None:
    new = newcomers(unsettled(case.battles, case.covariance)[0])
    of_new = new[:, None] | new[None, :]
    if policy.newcomer:
        uniform = case.shares(PRESETS["uniform"])
        most = max(0.5, float(np.triu(uniform * of_new).sum()))
        assert np.triu(case.shares(policy) * of_new).sum() <= most + 1e-9


def test_one_newcomer_among_twenty_gets_its_half_and_the_floor_the_rest() -> None:
    shares = with_newcomers(settled(21), 4).shares(SamplingPolicy(floor=0.1, newcomer=0.5))
    assert shares[4].sum() == pytest.approx(0.9 * 0.5 + 0.1 * 20 / 210)


def test_six_newcomers_among_twenty_get_what_uniform_drawing_gives_shared_alike() -> None:
    shares = with_newcomers(settled(20, gap=0.0), *range(6)).shares(NEWCOMERS_ONLY)
    pairs, of_new = 20 * 19 / 2, 6 * 14 + 15
    assert of_new / pairs > 0.5
    assert np.triu(shares)[:6].sum() == pytest.approx(of_new / pairs)
    assert shares[:6].sum(axis=1) == pytest.approx(np.full(6, shares[0].sum()))


def test_a_young_pool_has_no_newcomers_and_is_balanced() -> None:
    young = with_newcomers(settled(7), *range(4))
    assert not newcomers(unsettled(young.battles, young.covariance)[0]).any()
    shares = young.shares(SamplingPolicy(floor=0.1, newcomer=0.5))
    expected = 0.1 * young.shares(PRESETS["uniform"]) + 0.9 * young.shares(PRESETS["balanced"])
    assert shares == pytest.approx(expected)


def test_the_few_the_wide_and_the_late_are_not_settled() -> None:
    case = settled(8)
    assert not unsettled(case.battles, case.covariance)[0].any()
    few = with_newcomers(case, 1, variance=1e-6)
    assert list(np.flatnonzero(unsettled(few.battles, few.covariance)[0])) == [1]
    wide = case.covariance.copy()
    wide[2, 2] += (26 / 1.96 / (400 / np.log(10))) ** 2
    assert list(np.flatnonzero(unsettled(case.battles, wide)[0])) == [2]
    late = case.battles.copy()
    late[3] *= 0.7
    late[:, 3] *= 0.7
    assert list(np.flatnonzero(unsettled(late, case.covariance)[0])) == [3]


def test_a_newcomer_in_the_mean_does_not_make_the_others_wide() -> None:
    case = with_newcomers(settled(10), 0)
    centring = np.eye(10) - 0.1
    as_a_fit_tells_it = centring @ case.covariance @ centring.T
    assert as_a_fit_tells_it[5, 5] > 3 * case.covariance[5, 5]
    assert list(np.flatnonzero(unsettled(case.battles, as_a_fit_tells_it)[0])) == [0]
    found = case.shares(NEWCOMERS_ONLY)
    assert Case(case.battles, case.strengths, as_a_fit_tells_it, case.seen).shares(
        NEWCOMERS_ONLY
    ) == pytest.approx(found)


def test_a_newcomer_meets_most_the_opponent_that_takes_most_of_its_variance() -> None:
    case = with_newcomers(settled(6), 3)
    case.covariance[1, 1] *= 200  # as near as 5, but less well known
    shares = newcomer_shares(np.arange(6) == 3, case.strengths, case.covariance, np.ones((6, 6)))[3]
    assert shares[2] == pytest.approx(shares[4])
    assert shares[2] > shares[5] > shares[1]
    assert shares[2] > shares[5] > shares[0]


@given(st.integers(3, 8), st.integers(0, 2**32 - 1))
def test_opponents_rank_by_the_variance_that_one_vote_leaves(m: int, seed: int) -> None:
    case = random_case(m, seed)
    new = np.arange(m) == 0
    shares = newcomer_shares(new, case.strengths, case.covariance, np.ones((m, m)))[0, 1:]
    left = []
    for opponent in range(1, m):
        p = 1 / (1 + np.exp(case.strengths[opponent] - case.strengths[0]))
        x = np.eye(m)[0] - np.eye(m)[opponent]
        left.append(after_a_vote(case.covariance, x, p * (1 - p))[0, 0])
    gained = case.covariance[0, 0] - np.array(left)
    assert shares == pytest.approx(gained**4 / (gained**4).sum(), rel=1e-3, abs=1e-6)


def after_a_vote(covariance: Matrix, x: Vector, weight: float) -> Matrix:
    """The posterior covariance by the Kalman form, on its own."""
    gain = covariance @ x / (1 / weight + x @ covariance @ x)
    return np.asarray(covariance - np.outer(gain, x) @ covariance)


def test_a_pair_that_the_volunteer_met_comes_less_often_but_never_below_the_floor() -> None:
    case = with_newcomers(settled(6), 5)
    before = case.shares(SamplingPolicy(floor=0.2, newcomer=0.4, duel=0.2))
    for met in ((0, 1), (4, 5)):
        case.seen[met] = case.seen[met[::-1]] = 1000
    after = case.shares(SamplingPolicy(floor=0.2, newcomer=0.4, duel=0.2))
    for met in ((0, 1), (4, 5)):
        assert after[met] < before[met] / 2
        assert after[met] >= 0.2 / 15
    assert after[5].sum() == pytest.approx(before[5].sum())  # the newcomer's share stays its own


def test_what_a_volunteer_met_does_not_bend_uniform_drawing() -> None:
    case = random_case(5, 3)
    assert case.seen.any()
    assert case.shares(PRESETS["uniform"])[np.triu_indices(5, 1)] == pytest.approx(np.full(10, 0.1))


def test_balanced_weights_fall_with_the_square_of_what_was_met() -> None:
    case = settled(3)
    case.battles[:] = [[0, 1, 3], [1, 0, 0], [3, 0, 0]]
    shares = case.shares(PRESETS["balanced"])
    assert shares[1, 2] == pytest.approx(4 * shares[0, 1])
    assert shares[0, 1] == pytest.approx(4 * shares[0, 2])


def test_open_neighbours_are_those_that_the_test_leaves_open() -> None:
    strengths = np.array([0.0, 0.3, 0.35, 1.0])
    covariance = 0.002 * np.eye(4)  # a difference of 0.124 is certain
    everybody = np.ones(4, dtype=bool)
    found = open_neighbours(strengths, covariance, everybody)
    assert list(zip(*np.nonzero(np.triu(found)), strict=True)) == [(1, 2)]
    wider = open_neighbours(strengths, 10 * covariance, everybody)  # and now 0.392 is
    assert list(zip(*np.nonzero(np.triu(wider)), strict=True)) == [(0, 1), (1, 2)]
    without = open_neighbours(strengths, 10 * covariance, np.array([True, False, True, True]))
    assert list(zip(*np.nonzero(np.triu(without)), strict=True)) == [(0, 2)]


def test_a_shared_error_does_not_keep_neighbours_open() -> None:
    strengths = np.array([0.0, 0.3])
    shared = 0.5 * np.ones((2, 2)) + 0.001 * np.eye(2)
    assert not open_neighbours(strengths, shared, np.ones(2, dtype=bool)).any()


def test_equal_strengths_share_a_rank_and_are_neighbours_of_the_next() -> None:
    found = open_neighbours(np.array([0.0, 0.0, 0.0, -0.1, -0.2]), np.eye(5), np.ones(5, dtype=bool))
    assert found[0, 1] == found[0, 2] == found[1, 2] == found[2, 3] == found[0, 3] == found[3, 4] == 1
    assert not found[0, 4]


def test_duels_take_their_share_only_while_a_neighbour_is_open() -> None:
    policy = SamplingPolicy(floor=0.1, newcomer=0.0, duel=0.4)
    clear = settled(5)
    expected = 0.1 * clear.shares(PRESETS["uniform"]) + 0.9 * clear.shares(PRESETS["balanced"])
    assert clear.shares(policy) == pytest.approx(expected)
    clear.strengths[3] = clear.strengths[2] - 0.01
    assert clear.shares(policy)[2, 3] == pytest.approx(0.1 / 10 + 0.9 * (0.4 + 0.6 / 10))


def test_nobody_unsettled_duels() -> None:
    case = with_newcomers(settled(6), 0, 1)
    shares = case.shares(SamplingPolicy(floor=0.1, newcomer=0.0, duel=1.0))
    balanced = case.shares(SamplingPolicy(floor=0.1, newcomer=0.0, duel=0.0))
    assert shares == pytest.approx(balanced)
