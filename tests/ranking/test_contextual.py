from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from ranking.ballots import Ballots
from ranking.contextual import Cells, ContextualFit, _uphill, fit_contextual
from ranking.covariates import Covariates
from ranking.errors import DisconnectedTally, NoFit, NotConverged, UnboundedTally
from ranking.fit import SCORE_TOLERANCE, fit_bradley_terry, fit_points
from ranking.rateable import rateable, weighted_points
from ranking.types import Status
from tests.ranking.voters import make_ballots, make_covariates, simulate

TRUE = np.array([0.6, 0.2, -0.1, -0.7])
WORTH = np.array([0.25, 0.5, -0.3])


def make_styled(n: int = 3000, seed: int = 1) -> tuple[Ballots, Covariates]:
    rng = np.random.default_rng(seed)
    covariates = make_covariates(n, rng)
    return simulate(TRUE, n=n, users=200, rng=rng, covariates=covariates, coefficients=WORTH), covariates


def solved_otherwise(ballots: Ballots, covariates: Covariates) -> np.ndarray:
    """The same maximum, vote by vote, by a general-purpose optimiser; the first strength is held at zero."""
    rows = np.zeros((ballots.n_votes, len(ballots.models) + len(covariates.names)))
    each = np.arange(ballots.n_votes)
    rows[each, ballots.a], rows[each, ballots.b] = 1, -1
    rows[:, len(ballots.models) :] = covariates.values
    won = np.array([1.0, 0.0, 0.5, 0.5])[ballots.outcome]
    weight = np.ones(ballots.n_votes) if ballots.weight is None else ballots.weight

    def loss(beta: np.ndarray) -> float:
        advantage = rows[:, 1:] @ beta
        both = won * np.logaddexp(0, -advantage) + (1 - won) * np.logaddexp(0, advantage)
        return float(weight @ both)

    def slope(beta: np.ndarray) -> np.ndarray:
        return np.asarray(rows[:, 1:].T @ (weight * (1 / (1 + np.exp(-rows[:, 1:] @ beta)) - won)))

    found = minimize(loss, np.zeros(rows.shape[1] - 1), jac=slope, method="BFGS", options={"gtol": 1e-7})
    return np.asarray(found.x)


def assert_same(fit: ContextualFit, other: np.ndarray) -> None:
    m = len(fit.strengths)
    assert fit.strengths[1:] - fit.strengths[0] == pytest.approx(other[: m - 1], abs=1e-5)
    assert fit.coefficients == pytest.approx(other[m - 1 :], abs=1e-5)


def test_the_joint_fit_is_that_of_an_independent_solver() -> None:
    ballots, covariates = make_styled(600)
    fit = fit_contextual(ballots, covariates)
    assert_same(fit, solved_otherwise(ballots, covariates))
    assert fit.score_norm < SCORE_TOLERANCE
    assert fit.strengths.sum() == pytest.approx(0, abs=1e-12)


def test_weights_count() -> None:
    ballots, covariates = make_styled(500)
    weighted = ballots.reweighted(np.random.default_rng(4).choice([0.0, 0.5, 2.0], 500))
    assert_same(fit_contextual(weighted, covariates), solved_otherwise(weighted, covariates))


def test_strengths_and_coefficients_of_a_large_simulation_come_back() -> None:
    fit = fit_contextual(*make_styled(60_000))
    assert np.abs(fit.strengths - (TRUE - TRUE.mean())).max() < 0.04
    assert np.abs(fit.coefficients - WORTH).max() < 0.04


def test_without_covariates_it_is_the_plain_fit() -> None:
    ballots, _ = make_styled(800)
    fit = fit_contextual(ballots, Covariates.none(800))
    plain = fit_bradley_terry(ballots.tally())
    assert fit.strengths == pytest.approx(plain.strengths, abs=1e-9)
    assert fit.hessian == pytest.approx(plain.hessian)


def test_whole_weights_are_repeated_votes_and_no_weight_is_no_vote() -> None:
    ballots, covariates = make_styled(300)
    times = np.random.default_rng(9).integers(0, 4, 300)
    repeated = np.repeat(np.arange(300), times)
    weighted = fit_contextual(ballots.reweighted(times.astype(float)), covariates)
    written_out = fit_contextual(ballots.take(repeated), covariates.take(repeated))
    assert weighted.coefficients == pytest.approx(written_out.coefficients, abs=1e-9)
    assert weighted.hessian == pytest.approx(written_out.hessian)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(1e-4, 1e4))
def test_order_sides_and_units_do_not_matter(seed: int, unit: float) -> None:
    rng = np.random.default_rng(seed)
    ballots, covariates = make_styled(250, seed=3)
    fit = fit_contextual(ballots, covariates)
    order, flip = rng.permutation(250), rng.random(250) < 0.5
    a, b = np.where(flip, ballots.b, ballots.a), np.where(flip, ballots.a, ballots.b)
    outcome = np.where(flip, np.array([1, 0, 2, 3])[ballots.outcome], ballots.outcome)
    values = np.where(flip[:, None], -covariates.values, covariates.values) * unit
    turned = Ballots(ballots.models, a[order], b[order], outcome[order], ballots.user[order])
    again = fit_contextual(turned, Covariates(covariates.names, values[order]))
    assert again.strengths == pytest.approx(fit.strengths, abs=1e-7)
    assert again.coefficients * unit == pytest.approx(fit.coefficients, abs=1e-7)


def test_equal_votes_become_one_cell() -> None:
    ballots = make_ballots("x>y*5", "y<x*2", "x=y", "x!y", "y>x")
    values = np.array([[1.0]] * 5 + [[-1.0]] * 2 + [[1.0], [1.0], [1.0]])
    cells = Cells.of_ballots(ballots, Covariates(("length",), values)).together()
    assert cells.x.ravel().tolist() == [-1, 1]
    assert cells.weight.tolist() == [[0, 1, 0], [7, 0, 2]]


def test_different_votes_that_share_a_number_stay_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    ballots, covariates = make_styled(40)
    monkeypatch.setattr("ranking.contextual.np.sqrt", np.zeros_like)  # every row then has its pair's number
    assert len(Cells.of_ballots(ballots, covariates).together().a) == 40


def test_a_covariate_that_predicts_without_fail_is_named() -> None:
    ballots, covariates = make_styled(400)
    sign = np.array([1.0, -1.0, 0.0, 0.0])[ballots.outcome]
    oracle = sign * np.random.default_rng(2).uniform(0.1, 1, 400)
    spoiled = Covariates((*covariates.names, "oracle"), np.column_stack([covariates.values, oracle]))
    with pytest.raises(UnboundedTally, match=r"^oracle: predicts"):
        fit_contextual(ballots, spoiled)


def test_a_covariate_that_predicts_the_few_votes_it_bears_on_is_named() -> None:
    ballots, _ = make_styled(400)
    rare = np.zeros(400)
    rare[:3] = np.array([1.0, -1.0, 1.0, 1.0])[ballots.outcome[:3]]
    decisive = ballots.take(np.isin(ballots.outcome, (0, 1)) | (np.arange(400) >= 3))
    rare = rare[np.isin(ballots.outcome, (0, 1)) | (np.arange(400) >= 3)]
    with pytest.raises(UnboundedTally, match=r"^rare: predicts"):
        fit_contextual(decisive, Covariates(("rare",), rare[:, None]))


def test_a_vote_a_side_against_a_strong_covariate_is_enough_for_a_fit() -> None:
    ballots = make_ballots("x>y*400", "y>x*400", "x<y", "y<x")
    fit = fit_contextual(ballots, Covariates(("strong",), np.ones((802, 1))))
    assert fit.coefficients == pytest.approx([np.log(400)])
    assert fit.strengths == pytest.approx([0, 0], abs=1e-9)


def test_a_steep_board_that_is_not_separated_still_converges() -> None:
    ballots = make_ballots("x>y", "y>x", weight=[1e12, 1.0])
    fit = fit_contextual(ballots, Covariates.none(2))
    assert fit.strengths[0] - fit.strengths[1] == pytest.approx(np.log(1e12))


def test_a_step_that_overshoots_is_halved() -> None:
    cells = Cells.of_ballots(make_ballots("x>y", "y>x"), Covariates.none(2))
    step = _uphill(cells, np.array([1.0, -1.0]), np.array([-2.5, 2.5]), 5.0)
    assert step == pytest.approx([-1.25, 1.25])


@settings(max_examples=60, deadline=None)
@given(st.integers(3, 7), st.lists(st.integers(0, 6), min_size=14, max_size=14))
@example(7, [6, 0, 0, 0, 0, 0, 0, 0, 6, 6, 0, 6, 6, 6])  # so flat a top that rounding moves its place
@example(7, [2, 5, 0, 3, 5, 6, 4, 2, 2, 3, 2, 0, 1, 0])  # overshoots unless steps are bounded
@example(7, [6, 0, 6, 6, 0, 6, 6, 0, 0, 6, 0, 0, 0, 0])  # out of reach
@example(5, [0, 6, 2, 2, 3, 3, 0, 4, 1, 6, 6, 2, 6, 3])  # overshoots unless steps are halved
def test_any_lopsided_ring_converges_that_floating_point_numbers_reach(m: int, powers: list[int]) -> None:
    model, after = np.arange(m), (np.arange(m) + 1) % m
    ballots = Ballots(
        tuple(f"m{index}" for index in range(m)),
        np.concatenate([model, after]),
        np.concatenate([after, model]),
        np.zeros(2 * m, dtype=np.int64),
        np.arange(2 * m),
        10.0 ** np.array([*powers[:m], *powers[7 : 7 + m]]),
    )
    points, _ = weighted_points(ballots)
    try:
        fit = fit_contextual(ballots, Covariates.none(2 * m))
    except NotConverged:
        with pytest.raises(NotConverged):
            fit_points(points)
        return
    expected = (points + points.T) / (1 + np.exp(fit.strengths[None, :] - fit.strengths[:, None]))
    assert expected.sum(axis=1) == pytest.approx(points.sum(axis=1), rel=1e-6)


def test_a_covariate_that_never_differs_or_repeats_another_is_named() -> None:
    ballots, covariates = make_styled(200)
    with pytest.raises(NoFit, match="idle: the two answers never differ"):
        fit_contextual(ballots, Covariates(("idle",), np.zeros((200, 1))))
    twice = np.column_stack([covariates.values, covariates.values[:, 1] * 3])
    with pytest.raises(NoFit, match=r"^length, copy: a combination"):
        fit_contextual(ballots, Covariates((*covariates.names, "copy"), twice))


def test_what_only_the_models_decide_is_no_covariate() -> None:
    ballots, _ = make_styled(200)
    size = np.array([70.0, 8, 8, 1])
    of_model = (size[ballots.a] - size[ballots.b])[:, None]
    with pytest.raises(NoFit, match="size: a combination of the models"):
        fit_contextual(ballots, Covariates(("size",), of_model))


@pytest.mark.parametrize(
    ("written", "error"),
    [
        (["x>y*9"], UnboundedTally),
        (["a>b", "b>a", "c>d", "d>c"], DisconnectedTally),
        (["x>y"], UnboundedTally),
    ],
)
def test_no_maximum_is_an_error_that_says_why(written: list[str], error: type[NoFit]) -> None:
    ballots = make_ballots(*written)
    with pytest.raises(error):
        fit_contextual(ballots, Covariates.none(ballots.n_votes))


def test_no_votes_and_missing_rows_are_refused() -> None:
    empty = make_ballots()
    with pytest.raises(DisconnectedTally):
        fit_contextual(empty, Covariates.none(0))
    with pytest.raises(ValueError, match="3 rows of covariates for 1 votes"):
        fit_contextual(make_ballots("x>y"), Covariates.none(3))


def test_too_few_steps_are_an_error_and_no_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ranking.contextual._MOST_STEPS", 1)
    with pytest.raises(NotConverged, match="after 1 steps"):
        fit_contextual(*make_styled(100))


def test_curvature_that_vanishes_is_an_error_and_no_fit() -> None:
    ballots = make_ballots("x>y", "y>x", weight=[5e-324, 5e-324])
    with pytest.raises(NotConverged, match="floating-point"):
        fit_contextual(ballots, Covariates.none(2))


def test_the_core_of_ballots_leaves_out_who_only_lost_and_who_weighs_nothing() -> None:
    ballots = make_ballots("x>y", "y>x", "x>z", "x=y", weight=[1, 1, 1, 0])
    part = rateable(ballots)
    assert part.ballots.models == ("x", "y")
    assert part.within.tolist() == [True, True, False, False]
    assert part.statuses == (Status.OK, Status.OK, Status.UNBOUNDED)
    assert part.standing is Status.OK


def test_ballots_without_a_core_say_why() -> None:
    for written, standing in (
        (["x>y"], Status.UNBOUNDED),
        (["x=y*9"], Status.INSUFFICIENT),
        ([], Status.EMPTY),
    ):
        part = rateable(make_ballots(*written))
        assert part.standing is standing
        assert part.ballots.n_votes == 0


def test_points_of_ballots_are_those_of_their_tally() -> None:
    ballots, _ = make_styled(200)
    points, wins = weighted_points(ballots)
    assert points.tolist() == ballots.tally().points().tolist()
    assert wins.tolist() == ballots.tally().wins().tolist()
