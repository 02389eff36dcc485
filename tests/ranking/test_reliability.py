from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from ranking.ballots import NOBODY, Ballots
from ranking.fit import Fit, fit_bradley_terry
from ranking.reliability import ReliabilityReport, UserReliability, user_reliability
from ranking.types import TieRule
from tests.ranking.volunteers import CLICKER, HONEST, STRENGTHS, volunteers


def judged(ballots: Ballots, level: float = 0.95) -> ReliabilityReport:
    return user_reliability(ballots, fit_bradley_terry(ballots.tally()), level=level)


def sloped(slopes: np.ndarray, n_votes: int, rng: np.random.Generator) -> Ballots:
    """Decisive votes alone, of users who follow the published strengths by their slopes."""
    n, m = len(slopes) * n_votes, len(STRENGTHS)
    user = np.repeat(np.arange(len(slopes)), n_votes)
    a = rng.integers(m, size=n)
    b = (a + rng.integers(1, m, size=n)) % m
    won = rng.random(n) < expit(slopes[user] * 1.24 * (STRENGTHS[a] - STRENGTHS[b]))
    return Ballots(tuple(f"m{k:02}" for k in range(m)), a, b, np.where(won, 0, 1), user)


def slope_of(user: UserReliability) -> float:
    assert user.slope is not None
    return user.slope


def test_users_who_click_at_random_are_near_chance_and_others_beat_it() -> None:
    users = judged(volunteers([HONEST] * 300 + [CLICKER] * 30, 80, np.random.default_rng(1))).users
    honest, clickers = users[:300], users[300:]
    assert np.mean([user.beats_chance for user in honest]) > 0.95
    assert np.mean([user.beats_chance for user in clickers]) < 0.3
    assert np.mean([slope_of(user) for user in clickers]) < 0.4
    assert np.mean([slope_of(user) for user in honest]) == pytest.approx(1.05, abs=0.1)


def test_intervals_hold_a_user_s_own_slope_as_often_as_they_say() -> None:
    rng = np.random.default_rng(2)
    held = []
    for _ in range(3):
        slopes = rng.normal(1, 0.5, 400)
        report = judged(sloped(slopes, 40, rng))
        scale = 1 / slopes.mean()
        held += [
            user.low <= slopes[user.user] * scale <= user.high
            for user in report.users
            if user.low is not None and user.high is not None
        ]
        assert report.spread == pytest.approx(0.5, abs=0.12)
    assert len(held) == 1200
    assert 0.92 <= np.mean(held) <= 0.98


def test_shrunken_slopes_are_nearer_to_the_truth_than_the_share_of_agreement_tells() -> None:
    rng = np.random.default_rng(3)
    slopes = rng.normal(1, 0.5, 400)
    users = judged(sloped(slopes, 25, rng)).users
    ours = np.corrcoef([slope_of(user) for user in users], slopes)[0, 1]
    plain = np.corrcoef([user.n_agreed / user.n_decisive for user in users], slopes)[0, 1]
    assert ours > plain


def test_few_votes_are_shrunken_further() -> None:
    rng = np.random.default_rng(4)
    ballots = sloped(np.ones(300), 60, rng)
    kept = (ballots.user >= 20) | (np.arange(ballots.n_votes) % 60 < 2)
    report = judged(ballots.take(kept))
    few = np.array([slope_of(user) for user in report.users[:20]])
    assert [user.n_decisive for user in report.users[:20]] == [2] * 20
    assert np.abs(few - report.mean).max() < 0.1
    assert report.users[0].high is not None
    assert report.users[0].low is not None
    assert report.users[50].high is not None
    assert report.users[50].low is not None
    assert report.users[0].high - report.users[0].low > report.users[50].high - report.users[50].low


def test_a_user_is_held_against_the_board_of_the_others() -> None:
    ballots = volunteers([HONEST] * 12, 60, np.random.default_rng(5))
    with_them = fit_bradley_terry(ballots.tally()).strengths
    ours = naive = 0
    for found in judged(ballots).users:
        alone = ballots.user == found.user
        others = fit_bradley_terry(ballots.take(~alone).tally()).strengths
        mine = ballots.take(alone & (ballots.outcome < 2))
        exact, included = (
            int(((strengths[mine.a] > strengths[mine.b]) == (mine.outcome == 0)).sum())
            for strengths in (others, with_them)
        )
        ours += abs(found.n_agreed - exact)
        naive += abs(included - exact)
    assert ours <= 12
    assert naive >= 2 * ours


def test_clickers_on_a_small_board_do_not_agree_with_themselves() -> None:
    rng = np.random.default_rng(6)
    rates = []
    for _ in range(30):
        users = judged(volunteers([HONEST] * 15 + [CLICKER], 100, rng)).users
        rates.append(users[15].n_agreed / users[15].n_decisive)
    assert np.mean(rates) == pytest.approx(0.5, abs=0.03)


def test_who_cast_most_votes_has_no_others_to_agree_with() -> None:
    ballots = volunteers([HONEST] * 3, 60, np.random.default_rng(7))
    kept = (ballots.user == 0) | (np.arange(ballots.n_votes) % 3 == 0)
    first, *others = judged(ballots.take(kept)).users
    assert (first.slope, first.low, first.high, first.beats_chance) == (None, None, None, False)
    assert all(user.slope is not None for user in others)


@pytest.mark.parametrize("outcome", [[2, 3], [0, 0]])
def test_only_ties_or_votes_of_nobody_make_an_empty_report(outcome: list[int]) -> None:
    a, b = np.array([0, 1]), np.array([1, 0])
    user = np.array([NOBODY, NOBODY]) if outcome == [0, 0] else np.array([1, 2])
    report = judged(Ballots(("x", "y"), a, b, np.array(outcome), user))
    assert report.users == ()


def test_equal_models_tell_nothing_of_anybody() -> None:
    a, b = np.array([0, 1, 0, 1] * 3), np.array([1, 0, 1, 0] * 3)
    outcome, user = np.array([0, 0, 1, 1] * 3), np.repeat(np.arange(3), 4)
    report = judged(Ballots(("x", "y"), a, b, outcome, user))
    for each in report.users:
        assert each.slope == pytest.approx(report.mean, abs=0.05)
        assert not each.beats_chance or report.spread < 0.5


def test_order_of_votes_and_weights_do_not_matter() -> None:
    rng = np.random.default_rng(8)
    ballots = volunteers([HONEST] * 30, 20, rng)
    fit = fit_bradley_terry(ballots.tally())
    plain = user_reliability(ballots, fit)
    weighted = ballots.reweighted(rng.uniform(0, 2, ballots.n_votes)).take(rng.permutation(ballots.n_votes))
    for one, other in zip(plain.users, user_reliability(weighted, fit).users, strict=True):
        assert (one.user, one.n_agreed) == (other.user, other.n_agreed)
        assert slope_of(one) == pytest.approx(slope_of(other))


def test_a_fit_without_ties_leaves_ties_aside() -> None:
    ballots = volunteers([HONEST] * 60, 40, np.random.default_rng(9))
    decisive = ballots.take(ballots.outcome < 2)
    fit = fit_bradley_terry(decisive.tally(), ties=TieRule.DROP)
    for one, other in zip(
        user_reliability(ballots, fit).users, user_reliability(decisive, fit).users, strict=True
    ):
        assert slope_of(one) == pytest.approx(slope_of(other))


def test_a_level_that_is_none_and_a_fit_of_another_board_are_refused() -> None:
    ballots = volunteers([HONEST] * 5, 60, np.random.default_rng(10))
    fit = fit_bradley_terry(ballots.tally())
    for level in (0.0, 1.0, float("nan")):
        with pytest.raises(ValueError, match="level"):
            user_reliability(ballots, fit, level=level)
    with pytest.raises(ValueError, match="another board"):
        user_reliability(ballots, Fit(np.zeros(2), np.eye(2), 0.0, TieRule.HALF))
