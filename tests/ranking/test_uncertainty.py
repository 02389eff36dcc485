from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ranking.board import build_board
from ranking.errors import NotConverged
from ranking.fit import Fit, fit_bradley_terry, fit_points, win_probabilities
from ranking.points import points_of
from ranking.ranks import separated
from ranking.tally import Tally
from ranking.types import Outcome, TieRule
from ranking.uncertainty import pseudo_inverse, sandwich_covariance, weighted_sandwich
from tests.ranking.builders import make_tally, simulated
from tests.ranking.crowds import crowd


def sandwich_vote_by_vote(tally: Tally, ties: TieRule) -> np.ndarray:
    """White's formula written out over single votes, with numpy's own pseudo-inverse."""
    fit = fit_bradley_terry(tally, ties=ties)
    p = win_probabilities(fit.strengths)
    m = len(tally.models)
    meat, bread = np.zeros((m, m)), np.zeros((m, m))
    scores = {Outcome.A_BETTER: 1.0, Outcome.B_BETTER: 0.0, Outcome.TIE: 0.5, Outcome.BOTH_BAD: 0.5}
    for i, j, place in np.ndindex(m, m, 4):
        outcome = list(Outcome)[place]
        if ties is TieRule.DROP and scores[outcome] == 0.5:
            continue
        direction = np.zeros(m)
        direction[i], direction[j] = 1, -1
        for _ in range(int(tally.counts[i, j, place])):
            score = (scores[outcome] - p[i, j]) * direction
            meat += np.outer(score, score)
            bread += p[i, j] * p[j, i] * np.outer(direction, direction)
    inverse = np.linalg.pinv(bread)
    return np.asarray(inverse @ meat @ inverse)


@pytest.mark.parametrize("ties", [TieRule.HALF, TieRule.DROP])
def test_counts_give_the_sandwich_that_single_votes_give(ties: TieRule) -> None:
    rng = np.random.default_rng(11)
    tally = simulated(np.array([0.8, 0.1, -0.2, -0.7]), per_pair=25, tie_rate=0.4, rng=rng)
    fit = fit_bradley_terry(tally, ties=ties)
    covariance = sandwich_covariance(tally, fit)
    assert covariance == pytest.approx(sandwich_vote_by_vote(tally, ties), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("ties", list(TieRule))
def test_a_weighted_sandwich_sums_each_votes_squared_score(ties: TieRule) -> None:
    rng = np.random.default_rng(12)
    ballots = crowd(np.array([0.5, 0.1, -0.6]), users=1, votes=200, rng=rng).reweighted(rng.random(200))
    fit = fit_points(points_of(ballots.weighted_counts(), ties), ties=ties)
    p = win_probabilities(fit.strengths)
    meat = np.zeros((3, 3))
    for a, b, outcome, weight in zip(ballots.a, ballots.b, ballots.outcome, ballots.weights(), strict=True):
        if ties is TieRule.HALF or outcome < 2:
            score = np.zeros(3)
            score[[a, b]] = weight * ((1.0, 0.0, 0.5, 0.5)[outcome] - p[a, b]) * np.array([1, -1])
            meat += np.outer(score, score)
    inverse = np.linalg.pinv(fit.hessian)
    found = weighted_sandwich(ballots.weighted_counts(power=2), fit)
    assert found == pytest.approx(inverse @ meat @ inverse, rel=1e-9)


def test_the_scale_of_weights_does_not_move_the_sandwich() -> None:
    ballots = crowd(np.array([0.5, 0.1, -0.6]), users=1, votes=200, rng=np.random.default_rng(12))
    found = []
    for scale in (1.0, 1e-3, 50.0):
        weighed = ballots.reweighted(np.full(200, scale))
        fit = fit_points(points_of(weighed.weighted_counts(), TieRule.HALF))
        found.append(weighted_sandwich(weighed.weighted_counts(power=2), fit))
    assert found[1] == pytest.approx(found[0])
    assert found[2] == pytest.approx(found[0])


def test_intervals_from_weighted_votes_hold_the_truth() -> None:
    rng = np.random.default_rng(18)
    true = np.linspace(-0.6, 0.6, 5)
    held = []
    for _ in range(200):
        ballots = crowd(true, users=1, votes=600, rng=rng)
        weighed = ballots.reweighted(rng.choice([0.1, 1.0, 3.0], 600))
        fit = fit_points(points_of(weighed.weighted_counts(), TieRule.HALF))
        covariance = weighted_sandwich(weighed.weighted_counts(power=2), fit)
        held.append(np.abs(fit.strengths - true) <= 1.96 * np.sqrt(np.diag(covariance)))
    assert 0.92 <= np.mean(held) <= 0.97


def test_the_pseudo_inverse_is_numpys() -> None:
    fit = fit_bradley_terry(make_tally("x>y*3", "y>x", "y>z*2", "z>x*5", "x=z"))
    assert pseudo_inverse(fit.hessian) == pytest.approx(np.linalg.pinv(fit.hessian))


def test_without_ties_two_models_have_the_binomial_variance() -> None:
    tally = make_tally("x>y*30", "y>x*10")
    covariance = sandwich_covariance(tally, fit_bradley_terry(tally))
    difference = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    assert difference == pytest.approx(1 / 30 + 1 / 10)


def test_ties_narrow_the_interval() -> None:
    decisive, tied = make_tally("x>y*20", "y>x*20"), make_tally("x>y*10", "y>x*10", "x=y*20")
    wide = sandwich_covariance(decisive, fit_bradley_terry(decisive))[0, 0]
    narrow = sandwich_covariance(tied, fit_bradley_terry(tied))[0, 0]
    assert narrow == pytest.approx(wide / 2)


@settings(max_examples=30)
@given(st.integers(2, 9), st.integers(0, 2**32 - 1))
def test_the_covariance_is_symmetric_positive_and_sums_to_zero(m: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    tally = simulated(rng.normal(0, 0.5, m), per_pair=30, tie_rate=0.2, rng=rng)
    covariance = sandwich_covariance(tally, fit_bradley_terry(tally))
    assert covariance == pytest.approx(covariance.T)
    assert covariance.sum(axis=1) == pytest.approx(np.zeros(m), abs=1e-9)
    assert np.linalg.eigvalsh(covariance).min() > -1e-9


def test_a_hundred_times_the_votes_make_a_tenth_of_the_error() -> None:
    tally = simulated(np.linspace(-1, 1, 5), per_pair=60, tie_rate=0.2, rng=np.random.default_rng(5))
    more = Tally(tally.models, tally.counts * 100)
    small = sandwich_covariance(tally, fit_bradley_terry(tally))
    large = sandwich_covariance(more, fit_bradley_terry(more))
    assert large * 100 == pytest.approx(small)


def test_intervals_of_95_percent_hold_the_truth_in_95_percent_of_simulated_boards() -> None:
    rng = np.random.default_rng(2025)
    true = np.linspace(-0.9, 0.9, 8)
    held = []
    for _ in range(400):
        board = build_board(simulated(true, per_pair=50, tie_rate=0.35, rng=rng))
        for row in board.ratings:
            truth = 1000 + 400 / np.log(10) * true[int(row.model[1:])]
            assert row.low is not None
            assert row.high is not None
            held.append(row.low <= truth <= row.high)
    assert len(held) == 3200
    assert 0.93 <= np.mean(held) <= 0.97


def test_a_fit_without_curvature_or_spread_has_no_variance() -> None:
    even = Fit(strengths=np.zeros(2), hessian=np.zeros((2, 2)), score_norm=0.0, ties=TieRule.HALF)
    with pytest.raises(NotConverged, match="singular"):
        sandwich_covariance(make_tally("x>y", "y>x"), even)
    ties_only = make_tally("x=y*9")
    with pytest.raises(NotConverged, match="lost in rounding"):
        sandwich_covariance(ties_only, fit_bradley_terry(ties_only))


def test_rank_intervals_hold_the_true_rank_at_least_as_often_as_they_say() -> None:
    rng = np.random.default_rng(77)
    true = np.array([0.8, 0.5, 0.45, 0.1, -0.1, -0.15, -0.6, -1.0])
    held = []
    for _ in range(120):
        for row in build_board(simulated(true, per_pair=40, tie_rate=0.3, rng=rng)).ratings:
            assert row.rank_low is not None
            assert row.rank_high is not None
            held.append(row.rank_low <= int(row.model[1:]) + 1 <= row.rank_high)
    assert np.mean(held) >= 0.94


def test_two_models_of_equal_strength_are_told_apart_in_one_board_of_twenty() -> None:
    rng = np.random.default_rng(31)
    true = np.array([0.3, 0.0, 0.0, -0.3])
    apart = 0
    for _ in range(600):
        tally = simulated(true, per_pair=60, tie_rate=0.3, rng=rng)
        fit = fit_bradley_terry(tally)
        better = separated(fit.strengths, sandwich_covariance(tally, fit), level=0.95)
        apart += bool(better[1, 2] or better[2, 1])
    assert 0.03 <= apart / 600 <= 0.07
