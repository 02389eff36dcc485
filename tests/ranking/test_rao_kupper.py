from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from ranking import reference
from ranking.connectivity import wins_outnumber_ties
from ranking.errors import DisconnectedTally, NoFit, NotConverged, UnboundedTally
from ranking.fit import SCORE_TOLERANCE, Vector, fit_bradley_terry
from ranking.rao_kupper import TieFit, fit_rao_kupper, log_likelihood, rao_kupper_covariance
from ranking.readers import read_tally
from ranking.tally import Tally
from ranking.types import Outcome, TieRule
from ranking.uncertainty import sandwich_covariance
from tests.ranking.builders import NAMES, Vote, make_tally, ring, simulated, votes_strategy

Model = Callable[[Vector, float], tuple[Vector, Vector]]
ELO = 400 / np.log(10)


def rao_kupper(gap: Vector, threshold: float) -> tuple[Vector, Vector]:
    """Probabilities of win and tie at a gap in nats, with theta written as the paper has it."""
    theta, ratio = np.exp(threshold), np.exp(gap)
    win = ratio / (ratio + theta)
    return win, (theta**2 - 1) * ratio / ((ratio + theta) * (1 + theta * ratio))


def davidson(gap: Vector, log_nu: float) -> tuple[Vector, Vector]:
    """R. R. Davidson, "On extending the Bradley-Terry model to accommodate ties", J. Amer. Statist. Assoc. 65 (1970): a tie goes with the geometric mean."""
    tie = np.exp(log_nu + gap / 2)
    total = np.exp(gap) + 1 + tie
    return np.exp(gap) / total, tie / total


def maximised(
    tally: Tally, model: Model, lowest: float = 1e-3, beside: float = 0.5
) -> tuple[Vector, float, float]:
    """Strengths, the parameter of ties and the log-likelihood at its maximum, by a general-purpose optimiser that knows nothing of ours."""
    wins, ties = tally.wins(), tally.ties() / 2

    def loss(place: Vector) -> float:
        win, tie = model(place[:-1, None] - place[None, :-1], place[-1])
        return -float((wins * np.log(win) + ties * np.log(tie)).sum())

    m = len(wins)
    found = minimize(
        loss,
        np.append(np.zeros(m), beside),
        jac="3-point",
        method="L-BFGS-B",
        bounds=[(-5.0, 5.0)] * m + [(lowest, 5.0)],
        options={"ftol": 1e-15, "gtol": 1e-5},
    )
    return found.x[:-1] - found.x[:-1].mean(), float(found.x[-1]), -float(found.fun)


def drawn(strengths: Vector, threshold: float, *, per_pair: int, rng: np.random.Generator) -> Tally:
    """A board on which Rao and Kupper are right."""
    m = len(strengths)
    counts = np.zeros((m, m, 4), dtype=np.int64)
    for i, j in zip(*np.triu_indices(m, 1), strict=True):
        win, tie = rao_kupper(strengths[i] - strengths[j], threshold)
        counts[i, j, :3] = rng.multinomial(per_pair, [win, 1 - win - tie, tie])
    return Tally(tuple(f"m{index:02}" for index in range(m)), counts)


@pytest.fixture(scope="module")
def published() -> Tally:
    return read_tally(reference.pairs_path())


@pytest.fixture(scope="module")
def published_fit(published: Tally) -> TieFit:
    return fit_rao_kupper(published)


def test_the_published_votes_fit_like_an_independent_optimiser(
    published: Tally, published_fit: TieFit
) -> None:
    strengths, threshold, level = maximised(published, rao_kupper)
    assert np.abs(published_fit.strengths - strengths).max() * ELO < 0.02
    assert published_fit.log_threshold == pytest.approx(threshold, abs=1e-4)
    ours = log_likelihood(published, published_fit.strengths, published_fit.log_threshold)
    assert ours == pytest.approx(level, abs=1e-5)
    assert ours >= level - 1e-9
    assert published_fit.score_norm < SCORE_TOLERANCE
    assert published_fit.ties is TieRule.RAO_KUPPER


def test_rao_kupper_beats_davidson_on_the_published_votes_by_15_7_nats(
    published: Tally, published_fit: TieFit
) -> None:
    ours = log_likelihood(published, published_fit.strengths, published_fit.log_threshold)
    assert ours - maximised(published, davidson, lowest=-5.0)[2] == pytest.approx(15.7, abs=0.1)


def test_ties_stretch_the_published_scale_and_hardly_touch_its_order(
    published: Tally, published_fit: TieFit
) -> None:
    half = fit_bradley_terry(published).strengths
    assert np.polyfit(half, published_fit.strengths, 1)[0] == pytest.approx(1.056, abs=0.002)
    assert np.exp(published_fit.log_threshold) == pytest.approx(1.573, abs=0.001)
    assert np.abs(np.argsort(np.argsort(half)) - np.argsort(np.argsort(published_fit.strengths))).max() == 1


def test_two_models_have_the_solution_written_out() -> None:
    fit = fit_rao_kupper(make_tally("x>y*5", "y>x*3", "x=y*2", "x!y*2"))
    win, loss = 5 / 12, 3 / 12
    assert fit.strengths[0] - fit.strengths[1] - fit.log_threshold == pytest.approx(np.log(win / (1 - win)))
    assert fit.strengths[1] - fit.strengths[0] - fit.log_threshold == pytest.approx(np.log(loss / (1 - loss)))


def test_both_kinds_of_tie_count_alike() -> None:
    tied = fit_rao_kupper(make_tally("x>y*5", "y>x*3", "x=y*4"))
    bad = fit_rao_kupper(make_tally("x>y*5", "y>x*3", "x!y*4"))
    assert bad.strengths == pytest.approx(tied.strengths)
    assert bad.log_threshold == pytest.approx(tied.log_threshold)


def test_without_a_tie_the_threshold_is_at_its_bound_and_the_fit_bradley_terrys() -> None:
    tally = simulated(np.linspace(-1, 1, 5), per_pair=40, tie_rate=0, rng=np.random.default_rng(4))
    fit, plain = fit_rao_kupper(tally), fit_bradley_terry(tally)
    assert fit.log_threshold == 0.0
    assert fit.strengths == pytest.approx(plain.strengths)
    assert not fit.hessian[-1].any()
    assert rao_kupper_covariance(tally, fit) == pytest.approx(sandwich_covariance(tally, plain))
    assert log_likelihood(tally, fit.strengths, 0.0) > log_likelihood(tally, fit.strengths, 0.01)


def test_a_single_tie_among_many_votes_leaves_the_bound_by_a_little() -> None:
    even = make_tally("x>y", "y>x")
    fit = fit_rao_kupper(Tally(even.models, even.counts * 500_000).moved("x", "y", Outcome.TIE))
    assert 0 < fit.log_threshold == pytest.approx(2 * np.arctanh(1 / 1_000_001))
    assert log_likelihood(make_tally("x=y"), np.zeros(2), 0.0) == -np.inf


@pytest.mark.parametrize(
    ("tally", "error"),
    [
        (Tally.empty([]), DisconnectedTally),
        (Tally.empty(["x"]), DisconnectedTally),
        (Tally.empty(["x", "y"]), DisconnectedTally),
        (make_tally("a>b", "b>a", "a=b", "c>d", "d>c"), DisconnectedTally),
        (make_tally("x>y*9"), UnboundedTally),
        (make_tally("x>y", "y>x", "x=y", "x>z"), UnboundedTally),
        (make_tally("x=y*9"), UnboundedTally),
        (make_tally("x>y*9", "x=y"), UnboundedTally),
        (make_tally("x>y", "y>z", "z=x", "x=y"), None),
        (make_tally("x>y", "y=z", "z=x"), UnboundedTally),
        (make_tally("x>y", "y>z", "z>w", "w=x"), None),
        (make_tally("x>y", "y>z", "z=w", "w=x"), UnboundedTally),
        (make_tally("x>y", "y>x", "x=z"), None),
    ],
)
def test_a_maximum_exists_where_a_cycle_holds_more_wins_than_ties(
    tally: Tally, error: type[NoFit] | None
) -> None:
    if error is None:
        assert np.isfinite(fit_rao_kupper(tally).strengths).all()
    else:
        with pytest.raises(error):
            fit_rao_kupper(tally)


def test_where_no_cycle_holds_more_wins_than_ties_the_likelihood_rises_without_end() -> None:
    tally = make_tally("x>y", "y=z", "z=x")
    assert not wins_outnumber_ties(tally.wins().astype(float), tally.ties().astype(float))
    levels = [log_likelihood(tally, far * np.array([0.5, -0.5, 0.0]), far) for far in (1.0, 4.0, 8.0, 16.0)]
    assert (np.diff(levels) > 0).all()


@settings(max_examples=80, deadline=None)
@given(votes_strategy)
def test_any_votes_have_a_maximum_or_an_error_that_says_why(votes: list[Vote]) -> None:
    tally = Tally.from_votes(votes)
    try:
        fit = fit_rao_kupper(tally)
    except NoFit:
        return
    assert fit.score_norm < SCORE_TOLERANCE
    assert fit.strengths.sum() == pytest.approx(0, abs=1e-9)
    assert fit.log_threshold >= 0
    level = log_likelihood(tally, fit.strengths, fit.log_threshold)
    for place in range(len(fit.strengths)):
        for shift in (-0.01, 0.01):
            moved = fit.strengths.copy()
            moved[place] += shift
            assert log_likelihood(tally, moved, fit.log_threshold) < level
    assert log_likelihood(tally, fit.strengths, fit.log_threshold + 0.01) < level


@settings(max_examples=40, deadline=None)
@given(votes_strategy)
def test_names_and_sides_do_not_matter(votes: list[Vote]) -> None:
    tally = ring(5).merged(Tally.from_votes(votes)).merged(make_tally(*(f"m0={n}" for n in ("m1", *NAMES))))
    turned = tally.subset(tally.models[::-1]).swapped()
    fit, twin = fit_rao_kupper(tally), fit_rao_kupper(turned)
    assert twin.strengths[::-1] == pytest.approx(fit.strengths, abs=1e-8)
    assert twin.log_threshold == pytest.approx(fit.log_threshold)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(-9, 9), min_size=6, max_size=6), st.integers(0, 3))
def test_any_start_ends_at_the_same_place(start: list[int], steepness: int) -> None:
    tally = drawn(np.linspace(-1, 1, 6) * steepness, 0.4, per_pair=30, rng=np.random.default_rng(8)).merged(
        make_tally(*(f"m0{i + 1}>m0{i}" for i in range(5)), *(f"m0{i}>m0{i + 1}" for i in range(5)))
    )
    warm = fit_rao_kupper(tally, start=np.array(start, dtype=np.float64))
    assert warm.strengths == pytest.approx(fit_rao_kupper(tally).strengths, abs=1e-8)


@pytest.mark.parametrize("ties", [1, 10**3, 10**6, 10**9])
def test_lopsided_shares_of_ties_still_converge(ties: int) -> None:
    tally = Tally(("x", "y"), np.array([[[0] * 4, [3, 1, ties, 0]], [[0] * 4, [0] * 4]], dtype=np.int64))
    fit = fit_rao_kupper(tally)
    n = ties + 4
    assert fit.strengths[0] - fit.strengths[1] - fit.log_threshold == pytest.approx(
        np.log(3 / (n - 3)), rel=1e-6
    )


def test_billions_of_votes_converge_to_what_rounding_leaves() -> None:
    small = drawn(np.linspace(-1, 1, 6), 0.5, per_pair=50, rng=np.random.default_rng(1))
    large = Tally(small.models, small.counts * 10**12)
    assert fit_rao_kupper(large).strengths == pytest.approx(fit_rao_kupper(small).strengths, abs=1e-9)


def test_parameters_of_a_large_simulated_board_come_back() -> None:
    true = np.linspace(-1.5, 1.5, 8)
    fit = fit_rao_kupper(drawn(true, 0.45, per_pair=40_000, rng=np.random.default_rng(3)))
    assert np.abs(fit.strengths - true).max() < 0.02
    assert fit.log_threshold == pytest.approx(0.45, abs=0.01)


def covariance_vote_by_vote(tally: Tally, fit: TieFit) -> np.ndarray:
    """White's formula over single votes, scores and curvature by finite differences of the probabilities as the paper writes them."""
    m = len(tally.models)
    centre = np.append(fit.strengths, fit.log_threshold)

    def log_probability(place: Vector, i: int, j: int, outcome: int) -> float:
        win, tie = rao_kupper(place[i] - place[j], place[-1])
        return float(np.log([win, 1 - win - tie, tie, tie][outcome]))

    def slope(place: Vector, i: int, j: int, outcome: int) -> Vector:
        steps = 1e-5 * np.eye(m + 1)
        return np.array(
            [
                (log_probability(place + s, i, j, outcome) - log_probability(place - s, i, j, outcome)) / 2e-5
                for s in steps
            ]
        )

    meat, bread = np.zeros((m + 1, m + 1)), np.zeros((m + 1, m + 1))
    for i, j, outcome in zip(*np.nonzero(tally.counts), strict=True):
        n = tally.counts[i, j, outcome]
        score = slope(centre, i, j, outcome)
        meat += n * np.outer(score, score)
        steps = 1e-4 * np.eye(m + 1)
        bread -= n * np.array(
            [(slope(centre + s, i, j, outcome) - slope(centre - s, i, j, outcome)) / 2e-4 for s in steps]
        )
    inverse = np.linalg.pinv((bread + bread.T) / 2, rcond=1e-6)
    return np.asarray((inverse @ meat @ inverse)[:m, :m])


def test_counts_give_the_sandwich_that_single_votes_give() -> None:
    tally = drawn(np.array([0.8, 0.1, -0.2, -0.7]), 0.5, per_pair=25, rng=np.random.default_rng(11))
    tally = tally.merged(make_tally("m00!m01*3", "m03>m00*2"))
    fit = fit_rao_kupper(tally)
    assert rao_kupper_covariance(tally, fit) == pytest.approx(covariance_vote_by_vote(tally, fit), rel=1e-4)


def test_two_models_have_the_multinomial_delta_variance() -> None:
    n, win, loss = 12, 5 / 12, 3 / 12
    tally = make_tally("x>y*5", "y>x*3", "x=y*4")
    covariance = rao_kupper_covariance(tally, fit_rao_kupper(tally))
    # the difference is (logit win - logit loss) / 2
    by_win, by_loss = 1 / (2 * win * (1 - win)), -1 / (2 * loss * (1 - loss))
    variance = (
        by_win**2 * win * (1 - win) + by_loss**2 * loss * (1 - loss) - 2 * by_win * by_loss * win * loss
    )
    assert covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1] == pytest.approx(variance / n)


def test_the_covariance_is_symmetric_positive_and_sums_to_zero(
    published: Tally, published_fit: TieFit
) -> None:
    covariance = rao_kupper_covariance(published, published_fit)
    assert covariance == pytest.approx(covariance.T)
    assert covariance.sum(axis=1) == pytest.approx(np.zeros(21), abs=1e-9)
    assert np.linalg.eigvalsh(covariance).min() > -1e-9
    assert 1.96 * ELO * np.sqrt(np.diag(covariance)).mean() == pytest.approx(18.26, abs=0.02)


def test_intervals_of_95_percent_hold_the_truth_in_95_percent_of_simulated_boards() -> None:
    rng = np.random.default_rng(2025)
    true = np.linspace(-0.9, 0.9, 8)
    held = []
    for _ in range(200):
        tally = drawn(true, 0.45, per_pair=50, rng=rng)
        fit = fit_rao_kupper(tally)
        held.append(np.abs(fit.strengths - true) < 1.96 * np.sqrt(np.diag(rao_kupper_covariance(tally, fit))))
    assert 0.935 <= np.mean(held) <= 0.965


def test_a_fit_that_runs_out_of_steps_or_range_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    tally = make_tally("x>y*3", "y>x", "x=y")
    with pytest.raises(NotConverged, match="floating-point"):
        fit_rao_kupper(tally, start=np.array([1e9, -1e9]))
    monkeypatch.setattr("ranking.rao_kupper.MOST_STEPS", 1)
    with pytest.raises(NotConverged, match="after 1 steps"):
        fit_rao_kupper(tally, start=np.array([9.0, -9.0]))


def test_a_place_that_never_stands_still_is_good_enough_where_the_score_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ranking.rao_kupper.SHORTEST_STEP", 0.0)
    assert fit_rao_kupper(make_tally("x>y*3", "y>x", "x=y")).score_norm < SCORE_TOLERANCE


def test_a_fit_without_curvature_or_spread_has_no_variance() -> None:
    tally = make_tally("x>y", "y>x", "x=y")
    with pytest.raises(NotConverged, match="singular"):
        rao_kupper_covariance(tally, TieFit(np.zeros(2), 0.5, np.zeros((3, 3)), 0.0))
    with pytest.raises(NotConverged, match="rounding"):
        rao_kupper_covariance(Tally.empty(["x", "y"]), fit_rao_kupper(tally))
