"""Who votes so that nobody need wait for staff, and what the rigging drill then moves."""

from __future__ import annotations

import numpy as np
import pytest

from ranking.ballots import Ballots
from ranking.board import SCALE
from ranking.fit import Vector, fit_bradley_terry, fit_points
from ranking.points import points_of
from ranking.raters import OVERWHELMING, RaterReport, examine_raters
from ranking.types import TieRule
from ranking.weights import capped_weights
from tests.ranking.crowds import ACCOUNTS, ATTACK_VOTES, published_ballots, rigged
from tests.ranking.volunteers import ALWAYS_LEFT, CLICKER, FAN, HONEST, REALISTIC, Variety, volunteers

MUCH = Variety(taste=0.5, care=0.4, ties=0.8, side=0.3)


def examined(ballots: Ballots) -> RaterReport:
    return examine_raters(ballots, fit_bradley_terry(ballots.tally()))


def cited(ballots: Ballots) -> Vector:
    """Ratings as a snapshot has them: what one user weighs is capped."""
    weighed = ballots.reweighted(capped_weights(ballots))
    return SCALE * fit_points(points_of(weighed.weighted_counts(), TieRule.HALF)).strengths


def held(ballots: Ballots) -> set[int]:
    return {rater.user for rater in examined(ballots).overwhelming}


@pytest.mark.parametrize("up", [True, False])
def test_the_drill_moves_no_model_of_the_board_by_more_than_five_points(up: bool) -> None:
    rng = np.random.default_rng(4)
    honest = published_ballots(rng)
    before = cited(honest)
    for model in range(len(honest.models)):
        attacked = rigged(honest, model, rng, up=up)
        out = held(attacked)
        assert out <= set(range(honest.user.max() + 1, honest.user.max() + 1 + ACCOUNTS))
        after = cited(attacked.take(~np.isin(attacked.user, [*out])))
        assert np.abs(after - before).max() <= 5


@pytest.mark.parametrize(("model", "up"), [(1, True), (3, True), (0, False), (20, False)])
def test_where_the_cap_is_not_enough_all_three_accounts_are_held(model: int, up: bool) -> None:
    rng = np.random.default_rng(1)
    honest = published_ballots(rng)
    attacked = rigged(honest, model, rng, up=up)
    assert len(held(attacked)) == ACCOUNTS
    assert np.isin(attacked.user, [*held(attacked)]).sum() == ATTACK_VOTES


@pytest.mark.parametrize("n_votes", [12, 25, 100])
@pytest.mark.parametrize("variety", [None, REALISTIC, MUCH])
def test_no_honest_volunteer_is_held_whatever_their_taste(n_votes: int, variety: Variety | None) -> None:
    kinds = [HONEST] * 400 + [CLICKER] * 30
    ballots = volunteers(kinds, n_votes, np.random.default_rng(n_votes), variety)
    assert not {user for user in held(ballots) if user < 400}


def test_who_is_held_is_flagged_and_has_a_reason() -> None:
    ballots = volunteers([HONEST] * 200 + [ALWAYS_LEFT, FAN], 300, np.random.default_rng(3))
    found = examined(ballots)
    assert {rater.user for rater in found.overwhelming} == {200, 201}
    assert all(rater.flagged and rater.reasons for rater in found.overwhelming)
    assert all(rater.p * 202 <= OVERWHELMING for rater in found.overwhelming)


def test_three_who_hide_each_other_are_measured_without_each_other() -> None:
    """Every vote for one model is also a vote against another, so three accounts widen what passes for taste."""
    rng = np.random.default_rng(1)
    honest = published_ballots(rng)
    together = examined(rigged(honest, 9, rng)).raters[-ACCOUNTS:]
    n_tested = sum(rater.n_votes >= 5 for rater in examined(rigged(honest, 9, rng)).raters)
    assert all(rater.overwhelming for rater in together)
    assert all(rater.p * n_tested > OVERWHELMING for rater in together)


def test_nobody_is_held_where_few_are_tested() -> None:
    crowd = [ALWAYS_LEFT, *[HONEST] * 28]
    few = examined(volunteers(crowd, 100, np.random.default_rng(5)))
    enough = examined(volunteers([*crowd, HONEST], 100, np.random.default_rng(5)))
    assert few.flagged
    assert not few.overwhelming
    assert [rater.user for rater in enough.overwhelming] == [0]


def test_nobody_is_held_where_more_than_a_tenth_would_be() -> None:
    few = examined(volunteers([ALWAYS_LEFT] * 4 + [HONEST] * 36, 100, np.random.default_rng(6)))
    many = examined(volunteers([ALWAYS_LEFT] * 5 + [HONEST] * 35, 100, np.random.default_rng(6)))
    assert len(few.overwhelming) == 4
    assert len(many.flagged) >= 5
    assert not many.overwhelming
