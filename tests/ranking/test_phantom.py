from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from ranking import connectivity, reference
from ranking.errors import DisconnectedTally, NotConverged
from ranking.fit import SCORE_TOLERANCE, Vector, fit_bradley_terry, log_likelihood
from ranking.phantom import PhantomFit, fit_with_phantom, phantom_covariance
from ranking.readers import read_tally
from ranking.tally import Matrix, Tally
from ranking.types import Status, TieRule
from ranking.uncertainty import sandwich_covariance
from tests.ranking.builders import TIE, B, Vote, make_tally, ring, simulated, votes_strategy


def of_difference(covariance: Matrix, one: int, other: int) -> float:
    return float(covariance[one, one] + covariance[other, other] - 2 * covariance[one, other])


def solved_otherwise(tally: Tally, virtual: float) -> Vector:
    """The penalised maximum by a general-purpose optimiser, the phantom being the last strength."""
    points, m = tally.points(), len(tally.models)

    def loss(place: Vector) -> float:
        against = place[:m] - place[m]
        penalty = np.logaddexp(0, against) + np.logaddexp(0, -against)
        return float(virtual / 2 * penalty.sum()) - log_likelihood(points, place[:m])

    found = minimize(loss, np.zeros(m + 1), method="BFGS", options={"gtol": 1e-6}).x[:m]
    return np.asarray(found - found.mean())


@pytest.mark.parametrize(
    "tally",
    [
        make_tally("x>y"),
        make_tally("x>y*1000"),
        make_tally("x=y*3"),
        make_tally("a>b", "b>a", "c>d*2"),
        make_tally("a>b", "b>c", "a>c", "c!d"),
        ring(4).merged(make_tally("new<m0*3", "star>m1*2")),
        Tally.empty(["x", "y", "z"]),
        make_tally("x>y", models=["w", "x", "y"]),
    ],
)
@pytest.mark.parametrize("virtual", [0.5, 2.0])
def test_any_board_has_finite_strengths_of_mean_zero(tally: Tally, virtual: float) -> None:
    fit = fit_with_phantom(tally, virtual=virtual)
    assert fit.strengths.shape == (len(tally.models),)
    assert fit.strengths == pytest.approx(solved_otherwise(tally, virtual), abs=1e-3)
    assert fit.strengths.sum() == pytest.approx(0, abs=1e-9)
    assert fit.score_norm < SCORE_TOLERANCE
    assert (fit.ties, fit.virtual) == (TieRule.HALF, virtual)


def test_two_models_of_one_vote_solve_the_equation_written_out() -> None:
    gap = fit_with_phantom(make_tally("x>y")).strengths @ [1, -1]
    half_gap = 1 / (1 + np.exp(-gap / 2))
    assert 1 / (1 + np.exp(gap)) == pytest.approx(0.25 * (2 * half_gap - 1))


def test_one_model_stands_at_zero_and_no_model_is_an_error() -> None:
    assert fit_with_phantom(Tally.empty(["x"])).strengths.tolist() == [0]
    with pytest.raises(DisconnectedTally):
        fit_with_phantom(Tally.empty([]))


@pytest.mark.parametrize("virtual", [0.0, -1.0, np.nan, np.inf])
def test_a_phantom_of_no_ties_is_refused(virtual: float) -> None:
    with pytest.raises(ValueError, match="virtual"):
        fit_with_phantom(make_tally("x>y"), virtual=virtual)


def test_rao_kuppers_ties_are_refused() -> None:
    with pytest.raises(ValueError, match="rao-kupper"):
        fit_with_phantom(make_tally("x>y", "x=y"), ties=TieRule.RAO_KUPPER)


def test_dropped_ties_leave_the_decisive_votes_and_the_phantom() -> None:
    dropped = fit_with_phantom(make_tally("x>y", "x=y*50"), ties=TieRule.DROP)
    assert dropped.strengths == pytest.approx(fit_with_phantom(make_tally("x>y")).strengths)


def test_the_phantom_moves_the_published_ratings_by_less_than_a_fifth_of_a_point() -> None:
    tally = read_tally(reference.pairs_path())
    plain, pulled = fit_bradley_terry(tally), fit_with_phantom(tally)
    assert 0.1 < np.abs(pulled.strengths - plain.strengths).max() * 400 / np.log(10) < 0.2
    assert (np.argsort(pulled.strengths) == np.argsort(plain.strengths)).all()
    assert (phantom_covariance(tally, pulled) == sandwich_covariance(tally, plain)).all()


def test_a_weaker_phantom_comes_to_the_plain_fit() -> None:
    tally = simulated(np.linspace(-1, 1, 5), per_pair=30, tie_rate=0.2, rng=np.random.default_rng(1))
    plain = fit_bradley_terry(tally).strengths
    off = [np.abs(fit_with_phantom(tally, virtual=v).strengths - plain).max() for v in (5, 0.5, 0.05, 5e-6)]
    assert (np.diff(off) < 0).all()
    assert off[-1] < 1e-6


@settings(max_examples=60, deadline=None)
@given(votes_strategy)
def test_who_won_more_of_the_same_battles_stands_higher(votes: list[Vote]) -> None:
    tally = Tally.from_votes([("x", "y", outcome) for _, _, outcome in votes], ["x", "y"])
    ahead = tally.points()[0, 1] - tally.points()[1, 0]
    assert np.sign(np.round(fit_with_phantom(tally).strengths[0], 9)) == np.sign(ahead)


@settings(max_examples=60, deadline=None)
@given(votes_strategy)
def test_names_and_sides_do_not_matter(votes: list[Vote]) -> None:
    tally = Tally.from_votes(votes, ["ama", "bide", "core", "denda", "egun"])
    turned = tally.subset(tally.models[::-1]).swapped()
    fit, twin = fit_with_phantom(tally), fit_with_phantom(turned)
    assert twin.strengths[::-1] == pytest.approx(fit.strengths, abs=1e-8)
    if connectivity.components(tally.points(), "weak").max() == 0:
        covariance = phantom_covariance(tally, fit)
        assert phantom_covariance(turned, twin)[::-1, ::-1] == pytest.approx(covariance, rel=1e-6, abs=1e-8)


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 7), st.integers(0, 2**32 - 1))
def test_where_the_votes_have_a_maximum_of_their_own_the_interval_is_exactly_theirs(
    m: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    tally = simulated(rng.normal(0, 0.5, m), per_pair=30, tie_rate=0.2, rng=rng)
    covariance = phantom_covariance(tally, fit_with_phantom(tally, virtual=3.0))
    assert (covariance == sandwich_covariance(tally, fit_bradley_terry(tally))).all()


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 50), st.integers(0, 50), st.integers(0, 2**32 - 1))
def test_a_newcomer_does_not_narrow_what_the_others_know_of_each_other(
    first: int, second: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    old = simulated(rng.normal(0, 0.5, 4), per_pair=20, tie_rate=0.2, rng=rng)
    tally = old.merged(make_tally(f"m00>new*{first}", *(f"m01>new*{second}" for _ in range(second > 0))))
    alone = sandwich_covariance(old, fit_bradley_terry(old))
    beside = phantom_covariance(tally, fit_with_phantom(tally))
    for one, other in combinations(range(4), 2):
        assert of_difference(beside, one, other) == pytest.approx(of_difference(alone, one, other))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 3000), st.floats(0.05, 1.0))
def test_an_undefeated_models_interval_is_wider_than_after_its_first_loss(wins: int, virtual: float) -> None:
    tally = ring(4, times=9).merged(make_tally(f"star>m0*{wins}"))
    lost = tally.moved("star", "m0", B)
    wide = phantom_covariance(tally, fit_with_phantom(tally, virtual=virtual))
    narrow = sandwich_covariance(lost, fit_bradley_terry(lost))
    for other in range(4):
        assert of_difference(wide, 4, other) > of_difference(narrow, 4, other)
        assert of_difference(wide, 4, other) > 2 / virtual


def test_a_newcomers_doubt_holds_that_of_whom_it_met() -> None:
    tally = make_tally("a>b*2", "b>a", "a>new*4")
    fit = fit_with_phantom(tally)
    covariance = phantom_covariance(tally, fit)
    p = 1 / (1 + np.exp(fit.strengths[2] - fit.strengths[0]))
    place, inside = 1 / (4 * p * (1 - p)), 1 / 2 + 1 / 1
    assert of_difference(covariance, 0, 2) == pytest.approx(place)
    assert of_difference(covariance, 1, 2) == pytest.approx(place + inside)
    assert of_difference(covariance, 0, 1) == pytest.approx(inside)


@settings(max_examples=60, deadline=None)
@given(votes_strategy)
def test_the_covariance_is_symmetric_positive_and_sums_to_zero(votes: list[Vote]) -> None:
    tally = Tally.from_votes([*votes, ("ama", "bide", TIE)])
    if connectivity.components(tally.points(), "weak").max() == 0:
        covariance = phantom_covariance(tally, fit_with_phantom(tally))
        assert covariance == pytest.approx(covariance.T)
        assert covariance.sum(axis=1) == pytest.approx(np.zeros(len(covariance)), abs=1e-7)
        assert np.linalg.eigvalsh(covariance).min() > -1e-7
        assert (np.diag(covariance) > 0).all()


def test_groups_joined_by_ties_alone_have_the_models_variance() -> None:
    tally = make_tally("x=y*9")
    assert phantom_covariance(tally, fit_with_phantom(tally)) == pytest.approx(
        np.array([[1, -1], [-1, 1]]) / 9
    )


def test_groups_that_never_met_have_strengths_and_no_interval() -> None:
    tally = make_tally("a>b*2", "b>a", "c>d")
    fit = fit_with_phantom(tally)
    with pytest.raises(DisconnectedTally):
        phantom_covariance(tally, fit)
    part = tally.subset(["a", "b"])
    assert of_difference(phantom_covariance(part, fit_with_phantom(part)), 0, 1) == pytest.approx(1.5)


def test_one_model_has_no_variance_and_no_error() -> None:
    tally = Tally.empty(["x"])
    assert phantom_covariance(tally, fit_with_phantom(tally)).tolist() == [[0]]


def test_strengths_beyond_floating_point_numbers_are_an_error() -> None:
    far = PhantomFit(np.array([900.0, -900.0]), 0.0, TieRule.HALF, 0.5)
    with pytest.raises(NotConverged):
        phantom_covariance(make_tally("x>y"), far)


def test_intervals_of_small_boards_with_an_undefeated_model_hold_the_truth() -> None:
    rng = np.random.default_rng(21)
    true = np.array([2.0, 0.5, 0.0, -0.5, -2.0])
    held = []
    for _ in range(300):
        tally = simulated(true, per_pair=3, tie_rate=0.2, rng=rng)
        if connectivity.check(tally.points()) is Status.UNBOUNDED:
            fit = fit_with_phantom(tally)
            error = np.sqrt(np.diag(phantom_covariance(tally, fit)))
            held.append(np.abs(fit.strengths - true) < 1.96 * error)
    assert len(held) > 60
    assert np.mean(held) >= 0.93
