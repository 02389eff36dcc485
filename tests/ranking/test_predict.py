from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest

from ranking import reference
from ranking.fit import Fit, Vector, fit_bradley_terry
from ranking.predict import calibrate, expected_points, mean_win_probability, predict
from ranking.rao_kupper import TieFit, fit_rao_kupper
from ranking.readers import read_tally
from ranking.tally import Tally
from ranking.types import TieRule
from tests.ranking.builders import NAMES, Vote, make_tally, ring, simulated, votes_strategy


def tie_fit(strengths: Vector, threshold: float) -> TieFit:
    m = len(strengths)
    return TieFit(strengths, threshold, np.zeros((m + 1, m + 1)), 0.0)


def drawn(strengths: Vector, threshold: float, *, per_pair: int, rng: np.random.Generator) -> Tally:
    """A board on which Rao and Kupper are right."""
    expected, m = predict(tie_fit(strengths, threshold)), len(strengths)
    counts = np.zeros((m, m, 4), dtype=np.int64)
    shares = np.stack([expected.win, expected.loss, expected.tie], axis=2)[np.triu_indices(m, 1)]
    counts[(*np.triu_indices(m, 1), slice(3))] = rng.multinomial(per_pair, shares)
    return Tally(tuple(f"m{index:02}" for index in range(m)), counts)


def joined(votes: list[Vote]) -> Tally:
    """The votes on a board that any tie rule can fit."""
    decisive = make_tally(*(f"m0>{name}" for name in NAMES), *(f"m1<{name}" for name in NAMES))
    return ring(3).merged(decisive).merged(make_tally("m1=m2")).merged(Tally.from_votes(votes))


@pytest.fixture(scope="module")
def published() -> Tally:
    return read_tally(reference.pairs_path())


def fits(tally: Tally) -> list[Fit | TieFit]:
    return [
        fit_bradley_terry(tally),
        fit_bradley_terry(tally, ties=TieRule.DROP),
        fit_rao_kupper(tally),
    ]


def test_a_pair_has_the_probabilities_that_rao_and_kupper_wrote() -> None:
    prediction = predict(tie_fit(np.array([0.4, -0.4]), np.log(1.5)))
    good, bad, theta = np.exp(0.4), np.exp(-0.4), 1.5
    assert prediction.win[0, 1] == pytest.approx(good / (good + theta * bad))
    assert prediction.win[1, 0] == pytest.approx(bad / (bad + theta * good))
    assert prediction.tie[0, 1] == pytest.approx(
        (theta**2 - 1) * good * bad / ((good + theta * bad) * (theta * good + bad))
    )


@given(st.lists(st.floats(-8, 8), min_size=1, max_size=6), st.floats(0, 5))
def test_the_outcomes_of_a_pair_sum_to_one_and_turn_with_it(strengths: list[float], threshold: float) -> None:
    prediction = predict(tie_fit(np.array(strengths), threshold))
    assert prediction.win + prediction.tie + prediction.loss == pytest.approx(1)
    assert (prediction.loss == prediction.win.T).all()
    assert prediction.tie == pytest.approx(prediction.tie.T)
    assert (prediction.tie >= 0).all()


def test_at_the_bound_nobody_ties() -> None:
    fit = fit_rao_kupper(make_tally("x>y*3", "y>x"))
    assert not predict(fit).tie.any()
    assert predict(fit).win[0, 1] == pytest.approx(3 / 4)


def test_expected_points_count_a_tie_as_half() -> None:
    prediction = predict(tie_fit(np.array([1.0, 0.0]), 0.5))
    points = expected_points(tie_fit(np.array([1.0, 0.0]), 0.5))
    assert points[0, 1] == pytest.approx(prediction.win[0, 1] + prediction.tie[0, 1] / 2)
    assert points + points.T == pytest.approx(np.ones((2, 2)))
    half = fit_bradley_terry(make_tally("x>y*3", "y>x", "x=y*2"))
    assert expected_points(half)[0, 1] == pytest.approx(4 / 6)


@settings(max_examples=40, deadline=None)
@given(votes_strategy)
def test_expected_points_add_up_to_those_made_under_half_wins(votes: list[Vote]) -> None:
    tally = joined(votes)
    met = tally.wins() + tally.wins().T + tally.ties()
    made = (met * expected_points(fit_bradley_terry(tally))).sum(axis=1)
    assert made == pytest.approx(tally.points().sum(axis=1), abs=1e-6)


def test_expected_ties_add_up_to_about_those_seen(published: Tally) -> None:
    met = published.wins() + published.wins().T + published.ties()
    expected = (met * predict(fit_rao_kupper(published)).tie).sum() / 2
    assert expected == pytest.approx(2513, rel=0.01)


def test_the_mean_win_probability_leaves_oneself_out() -> None:
    mean = mean_win_probability(np.array([1.0, 0.0, -1.0]))
    p = 1 / (1 + np.exp(-np.array([1.0, 2.0])))
    assert mean[0] == pytest.approx(p.mean())
    assert mean[1] == pytest.approx(0.5)
    assert mean.mean() == pytest.approx(0.5)
    with pytest.raises(ValueError, match="opponent"):
        mean_win_probability(np.zeros(1))


def test_the_published_votes_fit_every_rule_about_as_well_as_chance_allows(published: Tally) -> None:
    half, drop, tied = (calibrate(published, fit) for fit in fits(published))
    assert (half.degrees, drop.degrees, tied.degrees) == (190, 190, 399)
    assert half.chi_square == pytest.approx(218.05, abs=0.1)
    assert half.p_value == pytest.approx(0.080, abs=0.001)
    assert drop.p_value == pytest.approx(0.069, abs=0.001)
    assert tied.p_value == pytest.approx(0.121, abs=0.001)
    assert half.dispersion == pytest.approx(
        (17.57 / 19.89) ** 2, abs=0.005
    )  # as the sandwich against Fisher's widths


def test_bins_hold_all_votes_in_order_and_the_published_ones_are_near_what_is_expected(
    published: Tally,
) -> None:
    for fit in fits(published):
        bins = calibrate(published, fit).bins
        assert len(bins) == 10
        assert sum(each.n for each in bins) == (10_377 if fit.ties is TieRule.DROP else 12_890)
        predicted = [each.predicted for each in bins]
        assert predicted == sorted(predicted)
        assert predicted[0] >= 0.5
        assert max(abs(each.observed - each.predicted) / each.standard_error for each in bins) < 3


def test_two_models_are_fitted_without_a_rest() -> None:
    tally = make_tally("x>y*5", "y>x*3", "x=y*4")
    for fit in fits(tally):
        found = calibrate(tally, fit)
        assert found.residuals[0, 1] == pytest.approx(0, abs=1e-6)
        assert (found.degrees, found.p_value) == (0, 1.0)
        (only,) = found.bins
        assert only.observed == pytest.approx(only.predicted)


def test_three_models_have_the_residuals_written_out() -> None:
    tally = make_tally("x>y*6", "y>x*2", "y>z*6", "z>y*2", "x>z*4", "z>x*4")
    fit = fit_bradley_terry(tally, ties=TieRule.DROP)
    found = calibrate(tally, fit, bins=1)
    p = 1 / (1 + np.exp(fit.strengths[2] - fit.strengths[0]))
    assert found.residuals[0, 2] == pytest.approx((4 - 8 * p) / np.sqrt(8 * p * (1 - p)))
    assert found.degrees == 1
    assert found.chi_square == pytest.approx(np.nansum(np.triu(found.residuals) ** 2))
    assert found.bins[0].observed == pytest.approx(16 / 24)


def test_a_pair_that_never_met_has_no_residual() -> None:
    tally = make_tally("x>y*2", "y>x", "y>z*2", "z>y")
    for fit in fits(tally):
        found = calibrate(tally, fit)
        assert np.isnan(found.residuals[0, 2])
        assert np.isnan(np.diag(found.residuals)).all()
        assert found.degrees == 0


def test_votes_that_never_differ_within_a_pair_leave_the_dispersion_at_one() -> None:
    for tally in (ring(4), make_tally("x=y*3", "y=z*2", "z=x")):
        found = calibrate(tally, fit_bradley_terry(tally))
        assert found.dispersion == 1.0
        assert np.isfinite(found.chi_square)


def test_without_ties_the_dispersion_of_half_wins_is_about_one() -> None:
    tally = simulated(np.linspace(-1, 1, 8), per_pair=400, tie_rate=0, rng=np.random.default_rng(3))
    assert calibrate(tally, fit_bradley_terry(tally)).dispersion == pytest.approx(1, abs=0.01)


def test_without_ties_all_rules_say_the_same_lack_of_fit() -> None:
    tally = simulated(np.linspace(-1, 1, 5), per_pair=40, tie_rate=0, rng=np.random.default_rng(6))
    half, drop, tied = (calibrate(tally, fit) for fit in fits(tally))
    assert tied.chi_square == pytest.approx(drop.chi_square)
    assert tied.degrees == drop.degrees == half.degrees
    assert half.chi_square * half.dispersion == pytest.approx(drop.chi_square)


def test_models_worlds_apart_still_have_a_finite_residual() -> None:
    steep = make_tally("x>y", "y>x", "y>z", "z>y")
    far = Tally(steep.models, steep.counts * np.array([[1, 10**9, 1], [1, 1, 10**9], [1, 1, 1]])[:, :, None])
    tally = far.merged(make_tally("x>z"))
    for fit in fits(tally):
        found = calibrate(tally, fit)
        assert fit.strengths[0] - fit.strengths[2] > 40
        assert np.isfinite(found.residuals[0, 2])
        assert np.isfinite(found.chi_square)


def test_no_bin_is_refused() -> None:
    tally = make_tally("x>y", "y>x")
    with pytest.raises(ValueError, match="bin"):
        calibrate(tally, fit_bradley_terry(tally), bins=0)


@settings(max_examples=40, deadline=None)
@given(votes_strategy, st.integers(1, 12))
def test_any_board_is_calibrated_alike_whatever_the_names_and_sides(votes: list[Vote], bins: int) -> None:
    tally = joined(votes)
    turned = tally.subset(tally.models[::-1]).swapped()
    for fit, twin in zip(fits(tally), fits(turned), strict=True):
        one, other = calibrate(tally, fit, bins=bins), calibrate(turned, twin, bins=bins)
        assert other.chi_square == pytest.approx(one.chi_square, abs=1e-6)
        assert other.residuals[::-1, ::-1] == pytest.approx(one.residuals, abs=1e-6, nan_ok=True)
        assert one.residuals == pytest.approx(-one.residuals.T, nan_ok=True)
        assert 1 <= len(one.bins) <= bins
        assert 0 <= one.p_value <= 1


@pytest.mark.parametrize("rule", list(TieRule))
def test_p_values_of_boards_that_fit_are_uniform(rule: TieRule) -> None:
    rng = np.random.default_rng(17)
    true = np.linspace(-0.8, 0.8, 6)
    found = []
    for _ in range(200):
        if rule is TieRule.RAO_KUPPER:
            tally = drawn(true, 0.45, per_pair=60, rng=rng)
            found.append(calibrate(tally, fit_rao_kupper(tally)).p_value)
        else:
            tally = simulated(true, per_pair=60, tie_rate=0.4 if rule is TieRule.HALF else 0, rng=rng)
            found.append(calibrate(tally, fit_bradley_terry(tally, ties=rule)).p_value)
    assert kstest(found, "uniform").pvalue > 0.01


def test_a_cycle_that_no_strengths_explain_is_found() -> None:
    tally = make_tally("x>y*30", "y>x*10", "y>z*30", "z>y*10", "z>x*30", "x>z*10")
    for fit in fits(tally.merged(make_tally("x=y*5", "y=z*5", "z=x*5"))):
        found = calibrate(tally.merged(make_tally("x=y*5", "y=z*5", "z=x*5")), fit)
        assert found.p_value < 1e-4
        assert found.residuals[0, 1] > 3


def test_one_odd_pair_has_the_largest_residual() -> None:
    tally = drawn(np.linspace(-1, 1, 7), 0.4, per_pair=60, rng=np.random.default_rng(2))
    odd = tally.merged(make_tally("m00>m06*25"))
    for fit in fits(odd):
        z = calibrate(odd, fit).residuals
        assert np.nanargmax(z) == 6  # of the first row
        assert z[0, 6] > 4
