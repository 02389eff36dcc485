from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from ranking import reference
from ranking.errors import DisconnectedTally, NotConverged, UnboundedTally
from ranking.fit import (
    SCORE_TOLERANCE,
    fit_bradley_terry,
    fit_points,
    log_likelihood,
    regular,
    win_probabilities,
)
from ranking.readers import read_tally
from ranking.tally import Tally
from ranking.types import TieRule
from tests.ranking.builders import Vote, make_tally, ring, simulated, votes_strategy


def solved_otherwise(tally: Tally, ties: TieRule = TieRule.HALF) -> np.ndarray:
    """The same maximum by a general-purpose optimiser that knows nothing of ours."""
    points = tally.points(ties)

    def loss(strengths: np.ndarray) -> float:
        return -log_likelihood(points, strengths)

    def slope(strengths: np.ndarray) -> np.ndarray:
        p = 1 / (1 + np.exp(strengths[None, :] - strengths[:, None]))
        return np.asarray((points.T * p - points * (1 - p)).sum(axis=1))

    found = minimize(loss, np.zeros(len(points)), jac=slope, method="BFGS", options={"gtol": 1e-7})
    return np.asarray(found.x - found.x.mean())


def test_the_published_votes_fit_like_an_independent_solver() -> None:
    tally = read_tally(reference.pairs_path())
    for ties in (TieRule.HALF, TieRule.DROP):
        fit = fit_bradley_terry(tally, ties=ties)
        assert np.abs(fit.strengths - solved_otherwise(tally, ties)).max() * 400 / np.log(10) < 1e-3
        assert fit.score_norm < SCORE_TOLERANCE
        assert fit.ties is ties


def test_two_models_have_the_log_odds_of_their_points() -> None:
    fit = fit_bradley_terry(make_tally("x>y*3", "y>x", "x=y*2"))
    assert fit.strengths[0] - fit.strengths[1] == pytest.approx(np.log(4 / 2))
    assert fit.strengths.sum() == pytest.approx(0)


def test_dropped_ties_leave_the_decisive_votes() -> None:
    with_ties, without = make_tally("x>y*3", "y>x", "x=y*50"), make_tally("x>y*3", "y>x")
    dropped = fit_bradley_terry(with_ties, ties=TieRule.DROP)
    assert dropped.strengths == pytest.approx(fit_bradley_terry(without).strengths)


def test_rao_kuppers_ties_are_no_half_wins() -> None:
    with pytest.raises(ValueError, match="rao-kupper"):
        fit_bradley_terry(make_tally("x>y", "y>x", "x=y"), ties=TieRule.RAO_KUPPER)


def test_points_of_any_fraction_fit_like_whole_ones() -> None:
    points = make_tally("x>y*3", "y>x", "y>z*2", "z>x").points()
    third = fit_points(points / 3, ties=TieRule.HALF)
    assert third.strengths == pytest.approx(fit_points(points, ties=TieRule.HALF).strengths)
    assert third.hessian * 3 == pytest.approx(fit_points(points, ties=TieRule.HALF).hessian)


def test_a_ring_of_wins_is_even() -> None:
    assert fit_bradley_terry(ring(7, times=3)).strengths == pytest.approx(np.zeros(7))


def test_a_warm_start_ends_where_a_cold_one_does() -> None:
    tally = simulated(np.linspace(-1, 1, 6), per_pair=40, tie_rate=0.2, rng=np.random.default_rng(7))
    cold = fit_bradley_terry(tally)
    warm = fit_bradley_terry(tally, start=np.linspace(3, -3, 6) + 10)
    assert warm.strengths == pytest.approx(cold.strengths, abs=1e-10)


def test_strengths_of_a_large_simulated_board_come_back() -> None:
    true = np.linspace(-1.5, 1.5, 10)
    tally = simulated(true, per_pair=40_000, tie_rate=0.3, rng=np.random.default_rng(3))
    assert np.abs(fit_bradley_terry(tally).strengths - true).max() < 0.02


def test_no_maximum_is_an_error_that_says_why() -> None:
    with pytest.raises(UnboundedTally):
        fit_bradley_terry(make_tally("x>y*9"))
    with pytest.raises(DisconnectedTally):
        fit_bradley_terry(make_tally("a>b", "b>a", "c>d", "d>c"))
    with pytest.raises(DisconnectedTally):
        fit_bradley_terry(Tally.empty(["x"]))


@pytest.mark.parametrize("times", [1, 10**3, 10**6, 10**12])
def test_a_steep_ladder_still_converges(times: int) -> None:
    rungs = [f"m{i:02}>m{i + 1:02}*1" for i in range(30)] + [f"m{i + 1:02}>m{i:02}*1" for i in range(30)]
    tally = make_tally(*rungs)
    steep = Tally(
        tally.models, tally.counts * np.triu(np.full((31, 31), times))[:, :, None] + tally.counts * 1
    )
    fit = fit_bradley_terry(steep)
    gaps = -np.diff(fit.strengths)
    assert gaps == pytest.approx(np.full(30, np.log(times + 1)), rel=1e-6)


def test_billions_of_votes_converge_to_what_rounding_leaves() -> None:
    small = simulated(np.linspace(-1, 1, 8), per_pair=50, tie_rate=0.2, rng=np.random.default_rng(1))
    large = Tally(small.models, small.counts * 10**12)
    assert fit_bradley_terry(large).strengths == pytest.approx(fit_bradley_terry(small).strengths, abs=1e-9)


def test_a_start_out_of_range_is_an_error_and_no_rating(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ranking.fit.MOST_STEPS", 1)
    with pytest.raises(NotConverged, match="after 1 steps"):
        fit_bradley_terry(make_tally("x>y*3", "y>x"), start=np.array([9.0, -9.0]))


def test_the_filled_hessian_is_regular_and_keeps_its_range() -> None:
    fit = fit_bradley_terry(ring(5))
    filled, size = regular(fit.hessian)
    assert filled @ np.ones(5) == pytest.approx(size * np.ones(5))
    contrast = np.array([1.0, -1, 0, 0, 0])
    assert filled @ contrast == pytest.approx(fit.hessian @ contrast)


def test_probabilities_of_a_pair_sum_to_one() -> None:
    p = win_probabilities(np.array([0.3, -4.0, 800.0]))
    assert p + p.T == pytest.approx(np.ones((3, 3)))


@settings(max_examples=60)
@given(votes_strategy)
def test_at_the_maximum_each_model_scores_what_is_expected_of_it(votes: list[Vote]) -> None:
    tally = ring(5, times=1).merged(Tally.from_votes(votes))
    tally = tally.merged(make_tally(*(f"m0={name}" for name in tally.models if name != "m0")))
    fit = fit_bradley_terry(tally)
    points = tally.points()
    expected = ((points + points.T) * win_probabilities(fit.strengths)).sum(axis=1)
    assert expected == pytest.approx(points.sum(axis=1), abs=1e-7)


def test_a_step_that_overshoots_is_halved() -> None:
    fit = fit_bradley_terry(make_tally("x>y*3", "y>x"), start=np.array([4.0, -4.0]))
    assert fit.strengths[0] - fit.strengths[1] == pytest.approx(np.log(3))


def test_a_board_beyond_the_linear_algebra_of_the_start_is_fitted_from_zeros(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tally = make_tally("x>y*3", "y>x")

    def fails(points: np.ndarray) -> np.ndarray:
        raise ValueError("stationary distribution could not be computed")

    for start in (fails, lambda points: np.array([np.inf, 0.0])):
        monkeypatch.setattr("choix.lsr_pairwise_dense", start)
        assert fit_bradley_terry(tally).strengths[0] == pytest.approx(np.log(3) / 2)


@settings(max_examples=100, deadline=None)
@given(
    st.integers(2, 7),
    st.lists(st.integers(0, 4), min_size=14, max_size=14),
    st.lists(st.integers(-6, 6), min_size=7, max_size=7),
)
def test_any_lopsided_ring_converges_from_anywhere(m: int, powers: list[int], start: list[int]) -> None:
    wins = np.zeros((m, m), dtype=np.int64)
    for i in range(m):
        j = (i + 1) % m
        wins[i, j] += 10 ** powers[2 * i]
        wins[j, i] += 10 ** powers[2 * i + 1] if powers[2 * i + 1] % 2 else 0
    counts = np.zeros((m, m, 4), dtype=np.int64)
    counts[:, :, 0] = wins
    tally = Tally(tuple(f"m{i}" for i in range(m)), counts)
    fit = fit_bradley_terry(tally, start=np.array(start[:m], dtype=np.float64))
    assert fit.strengths == pytest.approx(fit_bradley_terry(tally).strengths, abs=1e-6)


def test_a_place_that_never_stands_still_is_good_enough_where_the_score_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ranking.fit.SHORTEST_STEP", 0.0)
    fit = fit_bradley_terry(make_tally("x>y*3", "y>x"))
    assert fit.score_norm < SCORE_TOLERANCE


def test_a_hessian_without_an_inverse_is_an_error_of_ours() -> None:
    with pytest.raises(NotConverged, match="floating-point"):
        fit_bradley_terry(make_tally("x>y", "y>x"), start=np.array([1e9, -1e9]))
