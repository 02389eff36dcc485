from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ranking import batch, bootstrap
from ranking.batch import fit_many, joined
from ranking.bootstrap import Bootstrap, bootstrap_clusters, bootstrap_votes
from ranking.clusters import clustered_covariance
from ranking.connectivity import check
from ranking.errors import NoFit
from ranking.fit import fit_bradley_terry, fit_points
from ranking.points import points_of
from ranking.types import POINT_RULES, Status, TieRule
from ranking.uncertainty import sandwich_covariance
from tests.ranking.builders import make_tally, ring, simulated
from tests.ranking.crowds import crowd, make_ballots

SPREAD = np.linspace(-0.6, 0.6, 5)


def drawn_points(m: int, r: int, seed: int, density: float = 0.7) -> np.ndarray:
    rng = np.random.default_rng(seed)
    points = rng.integers(1, 9, (r, m, m)) * (rng.random((r, m, m)) < density) / 2
    points[:, np.arange(m), np.arange(m)] = 0
    return points


@settings(max_examples=50)
@given(st.integers(2, 9), st.floats(0.05, 0.9), st.integers(0, 2**32 - 1))
def test_many_graphs_are_joined_where_each_is(m: int, density: float, seed: int) -> None:
    points = drawn_points(m, 12, seed, density)
    assert joined(points).tolist() == [check(each) is Status.OK for each in points]


def test_the_longest_way_round_is_found() -> None:
    rings = np.stack([ring(m).subset([f"m{i}" for i in range(m)]).points() for m in [33]])
    cut = rings.copy()
    cut[0, 32, 0] = 0
    assert joined(rings).all()
    assert not joined(cut).any()


@settings(max_examples=30)
@given(st.integers(2, 8), st.integers(0, 2**32 - 1))
def test_fits_in_a_batch_are_those_one_by_one(m: int, seed: int) -> None:
    points = drawn_points(m, 10, seed)
    strengths, found = fit_many(points, np.linspace(-1, 1, m))
    for each, fitted, ok in zip(points, strengths, found, strict=True):
        if check(each) is Status.OK:
            assert ok
            assert fitted == pytest.approx(fit_points(each).strengths, abs=1e-7)
        else:
            assert not ok
            assert np.isnan(fitted).all()


def test_a_batch_is_the_same_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    points = drawn_points(5, 40, 3)
    at_once = fit_many(points, np.zeros(5))[0]
    monkeypatch.setattr(batch, "_CHUNK_NUMBERS", 60)
    assert fit_many(points, np.zeros(5))[0] == pytest.approx(at_once, nan_ok=True)


def test_a_replicate_that_does_not_converge_is_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    points = np.stack([np.array([[0.0, 1], [1, 0]]), np.array([[0.0, 1e7], [1, 0]])])
    monkeypatch.setattr(batch, "_MOST_STEPS", 5)
    strengths, found = fit_many(points, np.zeros(2))
    assert found.tolist() == [True, False]
    assert np.isnan(strengths[1]).all()


def test_steps_beyond_floating_point_numbers_are_not_found() -> None:
    points = np.array([[[0.0, 1.0], [1.0, 0.0]]])
    assert fit_many(points, np.array([2000.0, -2000.0]))[1].tolist() == [False]


@pytest.mark.parametrize("ties", POINT_RULES)
def test_resampled_votes_spread_as_the_sandwich_says(ties: TieRule) -> None:
    tally = simulated(SPREAD, per_pair=80, tie_rate=0.3, rng=np.random.default_rng(4))
    fit = fit_bradley_terry(tally, ties=ties)
    found = bootstrap_votes(tally, ties=ties, seed=1)
    assert found.n_failed == 0
    assert found.strengths.shape == (1000, 5)
    errors, expected = (
        np.sqrt(np.diag(each)) for each in (found.covariance(), sandwich_covariance(tally, fit))
    )
    assert errors == pytest.approx(expected, rel=0.1)
    low, high = found.interval(0.95)
    assert (high - low) / 2 == pytest.approx(1.96 * expected, rel=0.15)
    assert (low < fit.strengths).all()
    assert (fit.strengths < high).all()


def test_resampled_users_spread_as_cr3_says() -> None:
    ballots = crowd(SPREAD, users=60, votes=40, taste=0.8, rng=np.random.default_rng(6))
    fit = fit_points(points_of(ballots.weighted_counts(), TieRule.HALF))
    found = bootstrap_clusters(ballots, seed=2)
    clustered = clustered_covariance(ballots, fit).covariance
    errors = np.sqrt(np.diag(found.covariance()))
    assert errors == pytest.approx(np.sqrt(np.diag(clustered)), rel=0.12)
    per_vote = bootstrap_votes(ballots.tally(), seed=2)
    assert (errors > 1.2 * np.sqrt(np.diag(per_vote.covariance()))).all()


def test_weights_count_in_resampled_users() -> None:
    ballots = crowd(SPREAD, users=30, votes=20, rng=np.random.default_rng(6))
    plain = bootstrap_clusters(ballots, replicates=50, seed=2)
    doubled = bootstrap_clusters(ballots.reweighted(np.full(600, 2.0)), replicates=50, seed=2)
    assert doubled.strengths == pytest.approx(plain.strengths, abs=1e-6)
    without = bootstrap_clusters(ballots.take(ballots.user > 0), replicates=300, seed=2)
    silenced = bootstrap_clusters(
        ballots.reweighted((ballots.user > 0).astype(np.float64)), replicates=300, seed=2
    )
    assert silenced.strengths.mean(axis=0) == pytest.approx(without.strengths.mean(axis=0), abs=0.03)


def test_the_seed_decides_the_draw_and_pieces_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    tally = simulated(SPREAD, per_pair=30, tie_rate=0.3, rng=np.random.default_rng(4))
    one, twin, other = (bootstrap_votes(tally, replicates=30, seed=seed).strengths for seed in (1, 1, 2))
    assert (one == twin).all()
    assert (one != other).any()
    monkeypatch.setattr(bootstrap, "_CHUNK_NUMBERS", 300)
    assert bootstrap_votes(tally, replicates=30, seed=1).strengths == pytest.approx(one)


def test_replicates_without_a_maximum_are_counted_and_left_out() -> None:
    """A model that lost once is undefeated in a share of (1 - 1/n)^n of the replicates, about e^-1."""
    tally = make_tally("x>y*30", "y>x")
    found = bootstrap_votes(tally, replicates=2000, seed=3)
    assert len(found.strengths) + found.n_failed == 2000
    assert found.n_failed / 2000 == pytest.approx(np.exp(-1), abs=0.04)
    assert np.isfinite(found.strengths).all()
    by_user = bootstrap_clusters(make_ballots("ane: x>y", "jon: x>y", "iker: y>x"), replicates=2000, seed=3)
    assert by_user.n_failed / 2000 == pytest.approx((2 / 3) ** 3 + (1 / 3) ** 3, abs=0.04)


def test_no_finite_replicate_is_an_error_and_no_interval() -> None:
    nothing = Bootstrap(np.empty((0, 2)), n_failed=9)
    with pytest.raises(NoFit):
        nothing.interval()
    with pytest.raises(NoFit):
        nothing.covariance()


@pytest.mark.parametrize("written", [[], ["ane: x>y"], ["ane: x>y*9", "jon: x>y"]])
def test_votes_without_a_fit_are_not_resampled(written: list[str]) -> None:
    ballots = make_ballots(*written, models=["x", "y"])
    with pytest.raises(NoFit):
        bootstrap_votes(ballots.tally(), seed=1)
    with pytest.raises(NoFit):
        bootstrap_clusters(ballots, seed=1)
