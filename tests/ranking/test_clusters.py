from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ranking import clusters
from ranking.ballots import NOBODY, Ballots
from ranking.clusters import clustered_covariance
from ranking.errors import NotConverged
from ranking.fit import Fit, fit_points, win_probabilities
from ranking.points import points_of
from ranking.ranks import quantile
from ranking.tally import Matrix
from ranking.types import TieRule
from ranking.uncertainty import weighted_sandwich
from tests.ranking.crowds import common_strengths, crowd, make_ballots

SPREAD = np.linspace(-0.8, 0.8, 6)
SCORES = np.array([1.0, 0.0, 0.5, 0.5])


def fitted(ballots: Ballots, ties: TieRule = TieRule.HALF) -> Fit:
    return fit_points(points_of(ballots.weighted_counts(), ties), ties=ties)


def refits_without_each(ballots: Ballots, fit: Fit) -> Matrix:
    """The jackknife vote by vote and cluster by cluster, with numpy's own pseudo-inverse of size m."""
    m, p = len(ballots.models), win_probabilities(fit.strengths)
    numbers, weights = ballots.clusters(), ballots.weights()
    total = np.zeros((m, m))
    for cluster in range(numbers.max() + 1):
        score, hessian = np.zeros(m), np.zeros((m, m))
        for vote in np.flatnonzero(numbers == cluster):
            a, b = ballots.a[vote], ballots.b[vote]
            if fit.ties is TieRule.DROP and ballots.outcome[vote] > 1:
                continue
            direction = np.zeros(m)
            direction[a], direction[b] = 1, -1
            score += weights[vote] * (SCORES[ballots.outcome[vote]] - p[a, b]) * direction
            hessian += weights[vote] * p[a, b] * p[b, a] * np.outer(direction, direction)
        step = np.linalg.pinv(fit.hessian - hessian) @ score
        total += np.outer(step, step)
    n = numbers.max() + 1
    return np.asarray(total * (n - 1) / n)


@pytest.mark.parametrize("ties", list(TieRule))
@pytest.mark.parametrize("weighted", [False, True])
def test_small_solves_give_what_whole_pseudo_inverses_give(ties: TieRule, weighted: bool) -> None:
    rng = np.random.default_rng(11)
    ballots = crowd(SPREAD, users=30, votes=15, taste=0.5, rng=rng)
    if weighted:
        ballots = ballots.reweighted(rng.random(ballots.n_votes) + 0.1)
    fit = fitted(ballots, ties)
    found = clustered_covariance(ballots, fit)
    assert found.covariance == pytest.approx(refits_without_each(ballots, fit), rel=1e-9, abs=1e-13)
    assert found.n_clusters == 30


def test_batches_of_any_size_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(12)
    whole = crowd(SPREAD, users=60, votes=10, rng=rng)
    uneven = whole.take(rng.random(whole.n_votes) < whole.user / 60 + 0.05)
    fit = fitted(uneven)
    at_once = clustered_covariance(uneven, fit)
    for numbers in (1, 50, 333):
        monkeypatch.setattr(clusters, "_CHUNK_NUMBERS", numbers)
        assert clustered_covariance(uneven, fit).covariance == pytest.approx(at_once.covariance)


def test_one_step_is_near_the_refit_without_a_voter() -> None:
    ballots = crowd(SPREAD, users=25, votes=30, taste=0.6, rng=np.random.default_rng(13))
    fit = fitted(ballots)
    gone = [fitted(ballots.take(ballots.user != user)).strengths - fit.strengths for user in range(25)]
    exact = np.einsum("gi,gj->ij", gone, gone) * 24 / 25
    found = clustered_covariance(ballots, fit).covariance
    assert np.diag(found) == pytest.approx(np.diag(exact), rel=0.05)


def test_votes_of_nobody_are_each_a_voter() -> None:
    ballots = crowd(SPREAD, users=500, votes=1, rng=np.random.default_rng(14))
    nobody = Ballots(ballots.models, ballots.a, ballots.b, ballots.outcome, np.full(500, NOBODY))
    fit = fitted(ballots)
    named, unnamed = clustered_covariance(ballots, fit), clustered_covariance(nobody, fit)
    assert unnamed.covariance == pytest.approx(named.covariance)
    assert unnamed.n_clusters == 500
    per_vote = weighted_sandwich(ballots.weighted_counts(), fit)
    assert np.diag(unnamed.covariance) == pytest.approx(np.diag(per_vote), rel=0.06)
    assert (np.diag(unnamed.covariance) > np.diag(per_vote)).all()


@settings(max_examples=25)
@given(st.integers(2, 7), st.integers(0, 2**32 - 1))
def test_the_covariance_is_symmetric_positive_and_sums_to_zero(m: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    ballots = crowd(rng.normal(0, 0.5, m), users=20, votes=30, taste=0.3, rng=rng)
    covariance = clustered_covariance(ballots, fitted(ballots)).covariance
    assert (covariance == covariance.T).all()
    assert covariance.sum(axis=1) == pytest.approx(np.zeros(m), abs=1e-9)
    assert np.linalg.eigvalsh(covariance).min() > -1e-9


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_the_order_of_votes_users_sides_and_models_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ballots = crowd(SPREAD, users=20, votes=30, taste=0.5, rng=rng)
    covariance = clustered_covariance(ballots, fitted(ballots)).covariance
    models, people = rng.permutation(6), rng.permutation(20)
    mirrored = np.array([1, 0, 2, 3])
    other = Ballots(
        ballots.models, models[ballots.b], models[ballots.a], mirrored[ballots.outcome], people[ballots.user]
    ).take(rng.permutation(ballots.n_votes))
    twin = clustered_covariance(other, fitted(other)).covariance
    assert twin[np.ix_(models, models)] == pytest.approx(covariance)


@pytest.mark.parametrize("scale", [1e-3, 7.0])
def test_only_the_proportions_of_weights_matter(scale: float) -> None:
    rng = np.random.default_rng(15)
    ballots = crowd(SPREAD, users=20, votes=30, rng=rng)
    weight = rng.random(ballots.n_votes)
    one, other = ballots.reweighted(weight), ballots.reweighted(weight * scale)
    found = clustered_covariance(other, fitted(other)).covariance
    assert found == pytest.approx(clustered_covariance(one, fitted(one)).covariance)


def test_a_voter_without_weight_is_no_cluster() -> None:
    ballots = crowd(SPREAD, users=20, votes=30, rng=np.random.default_rng(16))
    silenced = ballots.reweighted((ballots.user != 3).astype(np.float64))
    found = clustered_covariance(silenced, fitted(silenced))
    without = ballots.take(ballots.user != 3)
    assert found.n_clusters == 19
    assert found.covariance == pytest.approx(clustered_covariance(without, fitted(without)).covariance)


def test_voters_who_all_say_the_same_have_no_spread() -> None:
    ballots = make_ballots("ane: x>y y>x", "jon: x>y y>x", "iker: x>y y>x")
    assert (clustered_covariance(ballots, fitted(ballots)).covariance == 0).all()


def test_spread_that_is_rounding_is_none() -> None:
    ballots = make_ballots(*(f"{name}: x>y*2 y>x y>z*3 z>y x>z*5 z>x*2" for name in ("ane", "jon", "iker")))
    assert (clustered_covariance(ballots, fitted(ballots)).covariance == 0).all()


@pytest.mark.parametrize(
    "written",
    [
        ["ane: x>y*9 y>x*9"],
        ["ane: x>y y>x", "jon: y>z z>y x>y y>x"],
        ["ane: x>y y>x x>y", "jon: z>w w>z z>w", "iker: x>z z>x"],
    ],
)
def test_a_board_that_hangs_on_one_voter_has_no_clustered_variance(written: Sequence[str]) -> None:
    ballots = make_ballots(*written)
    with pytest.raises(NotConverged, match="without one of the voters"):
        clustered_covariance(ballots, fitted(ballots))


def test_votes_of_nobody_at_all_have_no_clustered_variance() -> None:
    even = Fit(np.zeros(1), np.ones((1, 1)), 0.0, TieRule.HALF)
    with pytest.raises(NotConverged):
        clustered_covariance(make_ballots(models=["x"]), even)


@pytest.mark.parametrize(
    ("weights", "said"),
    [([1.0, 1e-20], "without one of the voters the Hessian is singular"), ([1e200, 1e200], "out of range")],
)
def test_weights_beyond_floating_point_numbers_have_no_clustered_variance(
    weights: list[float], said: str
) -> None:
    ballots = make_ballots("ane: x>y y>x", "jon: x>y*3 y>x")
    weighed = ballots.reweighted(np.array(weights)[ballots.user])
    with pytest.raises(NotConverged, match=said):
        clustered_covariance(weighed, fitted(weighed))


def coverage(*, users: int, votes: int, taste: float, boards: int) -> tuple[float, float]:
    """How often 95 % intervals hold the truth: per vote, and clustered."""
    rng = np.random.default_rng(2025)
    truth = common_strengths(SPREAD, taste)
    held = np.zeros(2)
    for _ in range(boards):
        ballots = crowd(SPREAD, users=users, votes=votes, taste=taste, rng=rng)
        fit = fitted(ballots)
        found = clustered_covariance(ballots, fit)
        per_vote = weighted_sandwich(ballots.weighted_counts(), fit)
        reaches = [
            quantile(0.95) * np.sqrt(np.diag(per_vote)),
            quantile(0.95, found.n_clusters - 1) * np.sqrt(np.diag(found.covariance)),
        ]
        held += [np.mean(np.abs(fit.strengths - truth) <= reach) for reach in reaches]
    return float(held[0] / boards), float(held[1] / boards)


def test_clustered_intervals_cover_where_strong_tastes_break_those_per_vote() -> None:
    per_vote, clustered = coverage(users=80, votes=60, taste=1.0, boards=200)
    assert per_vote < 0.70
    assert 0.92 <= clustered <= 0.975


def test_a_dozen_voters_are_enough_with_students_t() -> None:
    _, clustered = coverage(users=12, votes=60, taste=1.0, boards=150)
    assert clustered >= 0.92


def test_without_tastes_clustering_costs_little() -> None:
    per_vote, clustered = coverage(users=80, votes=40, taste=0.0, boards=100)
    assert 0.93 <= per_vote <= 0.97
    assert 0.93 <= clustered <= 0.97
