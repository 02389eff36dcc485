from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from scipy.stats import kstest

from ranking import honest as honest_module
from ranking.ballots import NOBODY, Ballots
from ranking.fit import Fit, fit_bradley_terry
from ranking.honest import honest_yardstick
from ranking.raters import DEFAULT_FDR, Rater, RaterReport, RaterTest, examine_raters
from ranking.types import TieRule
from tests.ranking.volunteers import (
    ALWAYS_LEFT,
    CLICKER,
    EXPECTED,
    FAN,
    HONEST,
    PUBLISHED,
    REALISTIC,
    STRENGTHS,
    Variety,
    volunteers,
)


def examined(ballots: Ballots, fdr: float = DEFAULT_FDR) -> RaterReport:
    return examine_raters(ballots, fit_bradley_terry(ballots.tally()), fdr=fdr)


def shares(
    bad: str, n_bad: int, *, n_votes: int, seeds: Sequence[int], variety: Variety | None = None
) -> tuple[float, float]:
    """Which share of the bad users, and of 1,000 honest ones, is flagged, over boards drawn with these seeds."""
    found, alarms = [], []
    for seed in seeds:
        ballots = volunteers([HONEST] * 1000 + [bad] * n_bad, n_votes, np.random.default_rng(seed), variety)
        flagged = np.array([rater.flagged for rater in examined(ballots).raters])
        alarms.append(flagged[:1000].mean())
        found.append(flagged[1000:].mean())
    return float(np.mean(found)), float(np.mean(alarms))


def small_board(*rows: tuple[int, int, int, int]) -> tuple[Ballots, Fit]:
    """Rows of (a, b, outcome, user) on a board of three models, a nat apart."""
    columns = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    ballots = Ballots(("x", "y", "z"), columns[0], columns[1], columns[2], columns[3])
    return ballots, Fit(np.array([1.0, 0.0, -1.0]), np.eye(3), 0.0, TieRule.HALF)


@pytest.mark.parametrize("variety", [None, REALISTIC])
def test_users_who_always_choose_the_left_side_are_found_at_25_votes(variety: Variety | None) -> None:
    found, alarms = shares(ALWAYS_LEFT, 30, n_votes=25, seeds=[1, 2], variety=variety)
    assert found >= 0.95
    assert alarms <= 0.01


def test_some_random_clickers_are_found_at_25_votes() -> None:
    found, alarms = shares(CLICKER, 150, n_votes=25, seeds=range(5001, 5011))
    assert found >= 0.15
    assert alarms <= 0.01


def test_most_random_clickers_are_found_at_100_votes() -> None:
    found, alarms = shares(CLICKER, 150, n_votes=100, seeds=range(5001, 5005))
    assert found >= 0.90
    assert alarms <= 0.01


@pytest.mark.parametrize(("n_votes", "variety"), [(12, None), (25, REALISTIC), (100, REALISTIC)])
def test_hardly_any_honest_user_is_flagged(n_votes: int, variety: Variety | None) -> None:
    _, alarms = shares(CLICKER, 1, n_votes=n_votes, seeds=[11, 12], variety=variety)
    assert alarms <= 0.005


def test_the_reason_names_the_test_and_the_direction() -> None:
    kinds = [HONEST] * 400 + [ALWAYS_LEFT, FAN, CLICKER]
    left, fan, clicker = examined(volunteers(kinds, 300, np.random.default_rng(3))).raters[400:]
    assert RaterTest.POSITION in left.reasons
    assert left.position.statistic > 8
    assert fan.reasons == (RaterTest.ONE_MODEL,)
    assert fan.model == PUBLISHED.models[int(np.argmin(STRENGTHS))]
    assert fan.one_model.statistic > 4
    assert clicker.reasons == (RaterTest.RELIABILITY,)
    assert clicker.reliability.statistic < -4


def test_a_user_who_never_ties_is_told_from_one_who_does_not_look() -> None:
    ballots = volunteers([HONEST] * 400, 100, np.random.default_rng(5))
    mine = ballots.user == 7
    decided = np.where(ballots.outcome == 2, (ballots.a + ballots.b) % 2, ballots.outcome)
    outcome = np.where(mine, decided, ballots.outcome)
    changed = Ballots(ballots.models, ballots.a, ballots.b, outcome, ballots.user)
    rater = examined(changed).raters[7]
    assert rater.reasons == (RaterTest.TIE_RATE,)
    assert rater.tie_rate.statistic < -4
    ties_all = Ballots(ballots.models, ballots.a, ballots.b, np.where(mine, 3, ballots.outcome), ballots.user)
    assert examined(ties_all).raters[7].tie_rate.statistic > 4
    assert examined(ties_all).raters[7].reliability.p == 1


@pytest.mark.parametrize("n_votes", [12, 60])
def test_p_values_of_honest_users_are_no_smaller_than_they_say(n_votes: int) -> None:
    raters = examined(volunteers([HONEST] * 1500, n_votes, np.random.default_rng(21))).raters
    for test in RaterTest:
        p = np.array([getattr(rater, test.value).p for rater in raters])
        for level in (0.01, 0.05, 0.2):
            assert np.mean(p <= level) <= level + 3 * np.sqrt(level / 1500)
    reliability = [rater.reliability.p for rater in raters]
    assert kstest(reliability, "uniform").statistic < 0.1


def test_differences_between_honest_users_are_estimated_and_not_held_against_them() -> None:
    alike = examined(volunteers([HONEST] * 800, 100, np.random.default_rng(6))).spread
    varied = examined(volunteers([HONEST] * 800, 100, np.random.default_rng(6), REALISTIC)).spread
    assert alike[RaterTest.TIE_RATE] < 0.15
    assert varied[RaterTest.TIE_RATE] == pytest.approx(0.5, abs=0.08)
    careful = examined(volunteers([HONEST] * 800, 100, np.random.default_rng(6), Variety(care=0.4))).spread
    assert alike[RaterTest.RELIABILITY] < 0.15
    assert careful[RaterTest.RELIABILITY] == pytest.approx(0.4, abs=0.12)


def test_random_clickers_do_not_shorten_the_yardstick() -> None:
    ballots = volunteers([HONEST] * 800 + [CLICKER] * 200, 50, np.random.default_rng(9))
    honest = honest_yardstick(ballots, STRENGTHS)
    assert honest.expected.scale == pytest.approx(EXPECTED.scale, abs=0.05)
    assert honest.careless == pytest.approx(0.2, abs=0.03)
    assert honest.trust[:800].mean() > 0.9
    assert honest.trust[800:].mean() < 0.3


def test_without_clickers_nearly_everybody_is_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    ballots = volunteers([HONEST] * 800, 50, np.random.default_rng(9))
    assert honest_yardstick(ballots, STRENGTHS).careless < 0.03
    monkeypatch.setattr(honest_module, "_MOST_ROUNDS", 1)
    assert honest_yardstick(ballots, STRENGTHS).expected.scale == pytest.approx(EXPECTED.scale, abs=0.05)


def test_order_and_numbers_of_users_do_not_matter() -> None:
    rng = np.random.default_rng(31)
    ballots = volunteers([HONEST] * 60 + [ALWAYS_LEFT] * 3, 20, rng)
    fit = fit_bradley_terry(ballots.tally())
    plain = examine_raters(ballots, fit).raters
    shuffled = examine_raters(ballots.take(rng.permutation(ballots.n_votes)), fit).raters
    renumbered = Ballots(ballots.models, ballots.a, ballots.b, ballots.outcome, 900 - ballots.user * 5)
    for one, other, turned in zip(
        plain, shuffled, reversed(examine_raters(renumbered, fit).raters), strict=True
    ):
        assert turned.user == 900 - one.user * 5
        for each in (other, turned):
            assert each.p == pytest.approx(one.p)
            assert each.reasons == one.reasons


def test_exchanged_sides_turn_the_position_and_nothing_else() -> None:
    ballots = volunteers([HONEST] * 60 + [ALWAYS_LEFT] * 3, 20, np.random.default_rng(32))
    turned = np.array([1, 0, 2, 3])[ballots.outcome]
    swapped = Ballots(ballots.models, ballots.b, ballots.a, turned, ballots.user)
    for one, other in zip(examined(ballots).raters, examined(swapped).raters, strict=True):
        assert other.position.statistic == pytest.approx(-one.position.statistic, abs=1e-4)
        assert other.p == pytest.approx(one.p, rel=1e-3)


def test_what_the_third_user_does_is_exact_on_a_board_of_one_user() -> None:
    ballots, fit = small_board(*[(0, 1, 0, 5)] * 6, *[(1, 0, 0, 5)] * 6)
    (rater,) = examine_raters(ballots, fit).raters
    assert (rater.user, rater.n_votes, rater.n_decisive) == (5, 12, 12)
    assert rater.model in {"x", "y"}
    assert 0 < rater.q <= 1


@pytest.mark.parametrize("user", [0, NOBODY])
def test_one_vote_flags_nobody(user: int) -> None:
    ballots, fit = small_board((0, 1, 1, user))
    report = examine_raters(ballots, fit)
    assert report.flagged == ()
    assert [rater.q for rater in report.raters] == [1.0] * (user != NOBODY)


def test_no_votes_give_an_empty_report() -> None:
    assert examine_raters(*small_board()).raters == ()


def test_only_ties_leave_nothing_to_judge_but_the_ties() -> None:
    ballots, fit = small_board(*[(0, 1, 2, 1)] * 9, *[(1, 2, 3, 2)] * 9)
    for rater in examine_raters(ballots, fit).raters:
        assert (rater.reliability.p, rater.position.p, rater.one_model.p) == (1, 1, 1)
        assert rater.model is None
        assert not rater.flagged


def test_users_of_few_votes_neither_dilute_nor_are_flagged() -> None:
    ballots = volunteers([HONEST] * 100 + [ALWAYS_LEFT], 25, np.random.default_rng(2))
    fit = fit_bradley_terry(ballots.tally())
    early = (ballots.user < 50) & (np.arange(ballots.n_votes) % 25 >= 4)
    report = examine_raters(ballots.take(~early), fit)
    few = [rater for rater in report.raters if rater.n_votes == 4]
    assert len(few) == 50
    assert {rater.q for rater in few} == {1.0}
    assert [rater.user for rater in report.flagged] == [100]
    last: Rater = report.raters[100]
    assert last.q == pytest.approx(last.p * 51)


def test_a_rate_that_is_none_and_a_fit_of_another_board_are_refused() -> None:
    ballots, fit = small_board((0, 1, 1, 0))
    for fdr in (0.0, 1.0, float("nan")):
        with pytest.raises(ValueError, match="rate"):
            examine_raters(ballots, fit, fdr=fdr)
    with pytest.raises(ValueError, match="another board"):
        examine_raters(Ballots(("x", "y"), *(ballots.take(ballots.user > 0).a,) * 4), fit)


def test_ten_thousand_users_of_twelve_votes_are_examined() -> None:
    ballots = volunteers([HONEST] * 10_000, 12, np.random.default_rng(1))
    report = examined(ballots)
    assert len(report.raters) == 10_000
    assert len(report.flagged) <= 10


def test_the_scale_of_the_fit_does_not_matter() -> None:
    ballots = volunteers([HONEST] * 200, 25, np.random.default_rng(8))
    fit = fit_bradley_terry(ballots.tally())
    stretched = Fit(fit.strengths * 1.3, fit.hessian, fit.score_norm, fit.ties)
    plain, other = (examine_raters(ballots, each).raters for each in (fit, stretched))
    for one, two in zip(plain, other, strict=True):
        assert two.position.statistic == pytest.approx(one.position.statistic, abs=0.02)
        assert two.reliability.statistic == pytest.approx(one.reliability.statistic, abs=0.3)
