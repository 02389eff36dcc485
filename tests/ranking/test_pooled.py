from __future__ import annotations

import numpy as np
import pytest

from ranking.ballots import NOBODY, Ballots
from ranking.errors import DisconnectedTally
from ranking.fit import fit_bradley_terry, win_probabilities
from ranking.pooled import PooledReport, compare_group
from ranking.types import TieRule
from tests.ranking.volunteers import FAN, HONEST, PUBLISHED, REALISTIC, STRENGTHS, Variety, volunteers

WEAKEST = PUBLISHED.models[int(np.argmin(STRENGTHS))]


def compared(
    n_honest: int, n_fans: int, seed: int, *, n_votes: int = 20, variety: Variety | None = None
) -> PooledReport:
    """The last users, *n_fans* fans or else as many as a twentieth, against everybody else."""
    kinds = [HONEST] * n_honest + [FAN] * n_fans
    ballots = volunteers(kinds, n_votes, np.random.default_rng(seed), variety)
    first = n_honest if n_fans else n_honest - n_honest // 20
    return compare_group(ballots, ballots.user >= first)


def by_single_votes(ballots: Ballots, group: np.ndarray, model: int) -> tuple[float, float, float]:
    """Score, clustered standard error and information of one model's shift, vote by vote with a pseudo-inverse."""
    fit = fit_bradley_terry(ballots.tally())
    p = win_probabilities(fit.strengths)[ballots.a, ballots.b]
    residual = np.array([1, 0, 0.5, 0.5])[ballots.outcome] - p
    design = np.zeros((ballots.n_votes, len(ballots.models)))
    design[np.arange(ballots.n_votes), ballots.a] = 1
    design[np.arange(ballots.n_votes), ballots.b] = -1
    weight = p * (1 - p)
    hessian = design.T @ (weight[:, None] * design)
    shift = design[:, model] * group
    projected = shift - design @ np.linalg.pinv(hessian) @ (design.T @ (weight * shift))
    by_user = np.array(
        [(residual * projected)[ballots.clusters() == k].sum() for k in range(ballots.clusters().max() + 1)]
    )
    return by_user.sum(), float(np.sqrt((by_user**2).sum())), float((weight * projected**2).sum())


def test_the_test_is_the_one_written_out_vote_by_vote() -> None:
    ballots = volunteers([HONEST] * 60, 30, np.random.default_rng(3))
    user = np.where(ballots.user % 7 == 0, NOBODY, ballots.user)
    ballots = Ballots(ballots.models, ballots.a, ballots.b, ballots.outcome, user)
    group = np.arange(ballots.n_votes) % 3 == 0
    report = compare_group(ballots, group)
    for model in (0, 8, 20):
        score, error, information = by_single_votes(ballots, group, model)
        found = report.models[model]
        assert found.effect == pytest.approx(score / information)
        assert found.error == pytest.approx(error / information)
        assert found.statistic == pytest.approx(score / error)


def test_a_campaign_of_new_accounts_shows_in_the_model_it_is_for() -> None:
    report = compared(500, 40, 1)
    worst = min(report.models, key=lambda model: model.p)
    assert worst.model == WEAKEST
    assert worst.flagged
    assert worst.effect is not None
    assert worst.error is not None
    assert worst.effect > 4 * worst.error
    assert (report.n_users, report.n_votes) == (40, 800)
    assert 35 <= worst.n_users <= 40


@pytest.mark.parametrize("variety", [None, REALISTIC])
def test_a_group_like_the_others_is_told_apart_in_one_test_of_twenty(variety: Variety | None) -> None:
    p = [model.p for seed in range(24) for model in compared(600, 0, seed, variety=variety).models]
    assert 0.02 <= np.mean(np.array(p) <= 0.05) <= 0.07


def test_false_alarms_over_all_models_are_rare() -> None:
    assert sum(bool(compared(300, 0, 100 + seed).flagged) for seed in range(40)) <= 5


def test_alike_votes_of_one_user_are_not_taken_for_many() -> None:
    ballots = volunteers([HONEST] * 200 + [FAN] * 2, 400, np.random.default_rng(4))
    report = compare_group(ballots, ballots.user >= 200)
    assert report.flagged == ()
    (model,) = (model for model in report.models if model.model == WEAKEST)
    assert model.effect is not None
    assert model.effect > 1
    anonymous = Ballots(
        ballots.models, ballots.a, ballots.b, ballots.outcome, np.full(ballots.n_votes, NOBODY)
    )
    assert WEAKEST in {model.model for model in compare_group(anonymous, ballots.user >= 200).flagged}


def test_the_effect_is_the_shift_in_nats() -> None:
    rng = np.random.default_rng(6)
    n, strengths = 120_000, np.array([0.5, 0.0, -0.5])
    a = rng.integers(3, size=n)
    b = (a + rng.integers(1, 3, size=n)) % 3
    user = rng.integers(2000, size=n)
    group = user < 400
    shift = 0.3 * group * ((a == 1).astype(float) - (b == 1))
    won = rng.random(n) < 1 / (1 + np.exp(-(strengths[a] - strengths[b] + shift)))
    report = compare_group(Ballots(("x", "y", "z"), a, b, np.where(won, 0, 1), user), group)
    assert report.models[1].effect == pytest.approx(0.3, abs=0.05)
    assert report.models[1].flagged


def test_the_rest_against_the_group_is_the_same_difference_turned() -> None:
    ballots = volunteers([HONEST] * 100, 20, np.random.default_rng(5))
    group = ballots.user < 30
    for one, other in zip(
        compare_group(ballots, group).models, compare_group(ballots, ~group).models, strict=True
    ):
        assert one.effect is not None
        assert other.statistic is not None
        assert one.statistic is not None
        assert np.sign(other.statistic) == -np.sign(one.statistic) or abs(one.statistic) < 0.3


@pytest.mark.parametrize("whole", [True, False])
def test_a_group_of_all_or_of_nobody_is_compared_with_nothing(whole: bool) -> None:
    ballots = volunteers([HONEST] * 60, 20, np.random.default_rng(5))
    report = compare_group(ballots, np.full(ballots.n_votes, whole))
    assert {(model.statistic, model.p, model.q, model.flagged) for model in report.models} == {
        (None, 1.0, 1.0, False)
    }
    assert report.n_votes == whole * ballots.n_votes


def test_one_user_is_no_group() -> None:
    ballots = volunteers([HONEST] * 60 + [FAN], 100, np.random.default_rng(5))
    report = compare_group(ballots, ballots.user == 60)
    assert {model.effect for model in report.models} == {None}
    assert report.n_users == 1


def test_dropped_ties_are_no_evidence() -> None:
    ballots = volunteers([HONEST] * 80, 20, np.random.default_rng(7))
    group = ballots.user < 30
    decisive = ballots.outcome < 2
    dropped = compare_group(ballots, group, ties=TieRule.DROP)
    without = compare_group(ballots.take(decisive), group[decisive])
    for one, other in zip(dropped.models, without.models, strict=True):
        assert one.statistic == pytest.approx(other.statistic)
        assert one.n_votes == other.n_votes


def test_votes_without_a_fit_and_arguments_that_are_none_are_refused() -> None:
    nothing = np.zeros(0, dtype=np.int64)
    empty = Ballots(("x", "y"), nothing, nothing, nothing, nothing)
    with pytest.raises(DisconnectedTally):
        compare_group(empty, np.zeros(0, dtype=np.bool_))
    with pytest.raises(ValueError, match="mask"):
        compare_group(empty, np.zeros(3, dtype=np.bool_))
    with pytest.raises(ValueError, match="rate"):
        compare_group(empty, np.zeros(0, dtype=np.bool_), fdr=1.0)
    with pytest.raises(ValueError, match="ties"):
        compare_group(empty, np.zeros(0, dtype=np.bool_), ties="other")  # type: ignore[arg-type]  # wrong on purpose
