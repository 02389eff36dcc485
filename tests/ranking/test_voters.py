from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ranking.ballots import NOBODY, Ballots
from ranking.contextual import ContextualFit, fit_contextual
from ranking.covariates import Covariates
from ranking.errors import NoFit, NotConverged
from ranking.fit import fit_bradley_terry
from ranking.uncertainty import sandwich_covariance
from ranking.voters import Spread, contextual_covariance, voter_covariance, voter_influences
from tests.ranking.voters import make_ballots, make_covariates, simulate

TRUE = np.array([0.5, 0.0, -0.5])


def make_fitted(
    n: int = 400, users: int = 30, seed: int = 1, taste: float = 0.0
) -> tuple[Ballots, Covariates, ContextualFit]:
    rng = np.random.default_rng(seed)
    covariates = make_covariates(n, rng)
    ballots = simulate(TRUE, n=n, users=users, rng=rng, taste=taste)
    return ballots, covariates, fit_contextual(ballots, covariates)


def vote_by_vote(
    ballots: Ballots, covariates: Covariates, fit: ContextualFit
) -> tuple[np.ndarray, np.ndarray]:
    """Scores of single votes, shape (n, m + q), and their curvatures, (n, m + q, m + q), written out."""
    m = len(ballots.models)
    rows = np.zeros((ballots.n_votes, m + len(fit.names)))
    for row, (a, b, x) in enumerate(zip(ballots.a, ballots.b, covariates.values, strict=True)):
        rows[row, a], rows[row, b], rows[row, m:] = 1, -1, x
    p = 1 / (1 + np.exp(-rows @ np.concatenate([fit.strengths, fit.coefficients])))
    weight = np.ones(len(p)) if ballots.weight is None else ballots.weight
    won = np.array([1.0, 0.0, 0.5, 0.5])[ballots.outcome]
    scores = (weight * (won - p))[:, None] * rows
    return scores, (weight * p * (1 - p))[:, None, None] * rows[:, :, None] * rows[:, None, :]


def summed(parts: np.ndarray, group: np.ndarray) -> np.ndarray:
    return np.stack([parts[group == each].sum(axis=0) for each in np.unique(group)])


def weighted(ballots: Ballots, seed: int = 6) -> Ballots:
    return ballots.reweighted(np.random.default_rng(seed).choice([0.5, 1.0, 3.0], ballots.n_votes))


def test_the_covariance_over_votes_is_whites_formula_written_out() -> None:
    ballots, covariates, _ = make_fitted()
    ballots = weighted(ballots)
    fit = fit_contextual(ballots, covariates)
    scores, curvature = vote_by_vote(ballots, covariates, fit)
    inverse = np.linalg.pinv(curvature.sum(axis=0), rcond=1e-10)
    expected = inverse @ (scores.T @ scores) @ inverse
    found = contextual_covariance(ballots, covariates, fit, Spread.VOTES)
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-12)


def test_without_covariates_the_covariance_is_that_of_the_tally() -> None:
    ballots, _, _ = make_fitted()
    nothing = Covariates.none(ballots.n_votes)
    plain = fit_bradley_terry(ballots.tally())
    found = contextual_covariance(ballots, nothing, fit_contextual(ballots, nothing), Spread.VOTES)
    assert found == pytest.approx(sandwich_covariance(ballots.tally(), plain), abs=1e-10)


def test_cr1_is_the_clustered_sandwich_written_out() -> None:
    ballots, covariates, _ = make_fitted()
    ballots = weighted(ballots)
    fit = fit_contextual(ballots, covariates)
    scores, curvature = vote_by_vote(ballots, covariates, fit)
    inverse = np.linalg.pinv(curvature.sum(axis=0), rcond=1e-10)
    by_user = summed(scores, ballots.user)
    expected = 30 / 29 * inverse @ by_user.T @ by_user @ inverse
    found = contextual_covariance(ballots, covariates, fit, Spread.CR1)
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("users", [4, 30, 400])
def test_cr3_takes_each_voters_score_and_curvature_out(users: int) -> None:
    ballots, covariates, _ = make_fitted(users=users)
    ballots = weighted(ballots)
    fit = fit_contextual(ballots, covariates)
    scores, curvature = vote_by_vote(ballots, covariates, fit)
    by_user, bent, whole = (
        summed(scores, ballots.user),
        summed(curvature, ballots.user),
        curvature.sum(axis=0),
    )
    moved = [np.linalg.pinv(whole - h, rcond=1e-10) @ s for s, h in zip(by_user, bent, strict=True)]
    g = len(by_user)
    expected = np.sqrt((g - 1) / g) * np.array(moved)
    assert voter_influences(ballots, covariates, fit) == pytest.approx(expected, rel=1e-6, abs=1e-10)


def test_cr3_is_nearly_the_jackknife_of_whole_refits() -> None:
    ballots, covariates, fit = make_fitted(n=1500, users=25, taste=0.5)
    covariance = contextual_covariance(ballots, covariates, fit, Spread.CR3)
    left_out = []
    for user in range(25):
        rest = ballots.user != user
        again = fit_contextual(ballots.take(rest), covariates.take(rest))
        left_out.append(
            np.concatenate([again.strengths - fit.strengths, again.coefficients - fit.coefficients])
        )
    jackknife = 24 / 25 * np.array(left_out).T @ np.array(left_out)
    assert np.diag(covariance) == pytest.approx(np.diag(jackknife), rel=0.02)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(list(Spread)))
def test_a_covariance_is_symmetric_positive_and_its_strengths_sum_to_zero(seed: int, spread: Spread) -> None:
    ballots, covariates, fit = make_fitted(n=150, users=12, seed=seed)
    found = contextual_covariance(ballots, covariates, fit, spread)
    assert found == pytest.approx(found.T)
    assert np.linalg.eigvalsh(found).min() > -1e-12
    assert found[:, :3].sum(axis=1) == pytest.approx(np.zeros(6), abs=1e-9)


@pytest.mark.parametrize("spread", list(Spread))
def test_units_of_covariates_only_rescale(spread: Spread) -> None:
    ballots, covariates, fit = make_fitted()
    units = np.array([1.0, 1e4, 1e-4])
    other = Covariates(covariates.names, covariates.values * units)
    rescaled = contextual_covariance(ballots, other, fit_contextual(ballots, other), spread)
    scale = np.concatenate([np.ones(3), units])
    assert rescaled * np.outer(scale, scale) == pytest.approx(
        contextual_covariance(ballots, covariates, fit, spread), rel=1e-6, abs=1e-12
    )


def test_votes_of_nobody_are_voters_of_their_own() -> None:
    ballots, covariates, fit = make_fitted(n=60)
    alone = Ballots(ballots.models, ballots.a, ballots.b, ballots.outcome, np.full(60, NOBODY))
    numbered = Ballots(ballots.models, ballots.a, ballots.b, ballots.outcome, np.arange(60))
    assert voter_influences(alone, covariates, fit) == pytest.approx(
        voter_influences(numbered, covariates, fit)
    )


def test_a_voter_whose_votes_weigh_nothing_is_none() -> None:
    ballots, covariates, fit = make_fitted()
    rows = np.arange(400) % 5
    ghost = Ballots(
        ballots.models,
        np.concatenate([ballots.a, ballots.a[:5]]),
        np.concatenate([ballots.b, ballots.b[:5]]),
        np.concatenate([ballots.outcome, rows[:5] % 2]),
        np.concatenate([ballots.user, np.full(5, 999)]),
        np.concatenate([np.ones(400), np.zeros(5)]),
    )
    padded = Covariates(covariates.names, np.concatenate([covariates.values, covariates.values[:5]]))
    for spread in Spread:
        assert contextual_covariance(ghost, padded, fit, spread) == pytest.approx(
            contextual_covariance(ballots, covariates, fit, spread)
        )


def test_clustered_intervals_cover_where_those_over_votes_do_not() -> None:
    rng = np.random.default_rng(12)
    true = np.array([0.6, 0.2, -0.1, -0.7])
    held: dict[Spread, list[bool]] = {spread: [] for spread in Spread}
    for _ in range(120):
        ballots = simulate(true, n=2400, users=40, rng=rng, taste=0.8)
        nothing = Covariates.none(2400)
        fit = fit_contextual(ballots, nothing)
        for spread in Spread:
            error = np.sqrt(np.diag(contextual_covariance(ballots, nothing, fit, spread)))
            # the average of logistic tastes is flatter than the logistic: by about a factor of 0.84
            centre = true / np.sqrt(1 + 0.346 * 2 * 0.8**2)
            held[spread] += list(np.abs(fit.strengths - centre) < 1.96 * error)
    assert np.mean(held[Spread.VOTES]) < 0.75
    assert np.mean(held[Spread.CR1]) > 0.88
    assert np.mean(held[Spread.CR3]) >= 0.90
    assert np.mean(held[Spread.CR3]) >= np.mean(held[Spread.CR1])


def test_one_voter_gives_no_clustered_error() -> None:
    ballots = make_ballots("x>y*3", "y>x*2")
    nothing = Covariates.none(5)
    fit = fit_contextual(ballots, nothing)
    with pytest.raises(NoFit, match="two voters"):
        voter_influences(ballots, nothing, fit, Spread.CR1)
    covariance, spread = voter_covariance(ballots, nothing, fit)
    assert spread is Spread.VOTES
    assert (covariance == contextual_covariance(ballots, nothing, fit, Spread.VOTES)).all()


def test_a_voter_without_whom_a_model_is_unknown_leaves_cr1() -> None:
    ballots = make_ballots("x>y*3", "y>x*2", "x>y", "z>x", "x>z", users=[0, 1, 2, 3, 4, 5, 9, 9])
    nothing = Covariates.none(8)
    fit = fit_contextual(ballots, nothing)
    with pytest.raises(NotConverged, match="without one voter"):
        contextual_covariance(ballots, nothing, fit, Spread.CR3)
    covariance, spread = voter_covariance(ballots, nothing, fit)
    assert spread is Spread.CR1
    assert (np.diag(covariance) > 0).all()


def test_a_voter_with_more_votes_than_unknowns_without_whom_nothing_stands_leaves_cr1() -> None:
    ballots = make_ballots("x>y*30", "y>x*20", "x>y", "z>x*9", "x>z*9", users=[*range(51), *[99] * 18])
    nothing = Covariates.none(69)
    assert voter_covariance(ballots, nothing, fit_contextual(ballots, nothing))[1] is Spread.CR1
