from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ranking.ballots import Ballots
from ranking.board import (
    INDEPENDENT,
    SCALE,
    BoardResult,
    Rating,
    build_board,
    build_board_from_ballots,
)
from ranking.clusters import clustered_covariance
from ranking.errors import NotConverged
from ranking.fit import fit_points
from ranking.points import points_of
from ranking.ranks import quantile, rank_intervals, separated
from ranking.types import POINT_RULES, Criterion, Status, TieRule
from ranking.uncertainty import weighted_sandwich
from ranking.weights import capped_weights
from tests.ranking.crowds import crowd, make_ballots
from tests.ranking.test_board import assert_sound

SPREAD = np.linspace(-0.5, 0.5, 6)
EVERYBODY = ["ane: x>y y>z z>x", "jon: y>x y>z z>x x=z", "iker: x>y z>y z>x y=x"]


def rows_of(board: BoardResult) -> dict[str, Rating]:
    return {row.model: row for row in board.ratings}


def large(*, taste: float = 0.8, seed: int = 4) -> Ballots:
    return crowd(SPREAD, users=60, votes=40, taste=taste, rng=np.random.default_rng(seed))


def some_ballots(seed: int, *, users: int = 5, votes: int = 4, weighted: bool = False) -> Ballots:
    rng = np.random.default_rng(seed)
    ballots = crowd(np.zeros(4), users=users, votes=votes, rng=rng)
    return ballots.reweighted(rng.choice([0.0, 0.3, 1.0, 40.0], ballots.n_votes)) if weighted else ballots


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.sampled_from(TieRule))
def test_votes_that_stand_for_themselves_make_the_tallys_board(seed: int, ties: TieRule) -> None:
    ballots = some_ballots(seed)
    found = build_board_from_ballots(ballots, criterion=Criterion.LANGUAGE, ties=ties, interval=0.9)
    expected = build_board(ballots.tally(), criterion=Criterion.LANGUAGE, ties=ties, interval=0.9)
    assert found.cluster == expected.cluster == INDEPENDENT == "none"
    assert found.status is expected.status
    for row, twin in zip(found.ratings, expected.ratings, strict=True):
        assert row.model == twin.model
        assert row.status is twin.status
        assert (row.rating, row.low, row.rank_low) == pytest.approx((twin.rating, twin.low, twin.rank_low))


def test_a_clustered_board_says_by_whom_and_has_the_intervals_of_cr3() -> None:
    ballots = large()
    board = build_board_from_ballots(ballots, cluster="username", interval=0.9)
    fit = fit_points(points_of(ballots.weighted_counts(), TieRule.HALF))
    found = clustered_covariance(ballots, fit)
    assert board.cluster == "username"
    assert board.as_json()["cluster"] == "username"
    low, high = rank_intervals(separated(fit.strengths, found.covariance, level=0.9, freedom=59))
    assert [rows_of(board)[model].rank_low for model in ballots.models] == low.tolist()
    assert [rows_of(board)[model].rank_high for model in ballots.models] == high.tolist()
    reach = quantile(0.9, 59) * np.sqrt(np.diag(found.covariance)) * SCALE
    for model, strength, each in zip(ballots.models, fit.strengths, reach, strict=True):
        row = rows_of(board)[model]
        assert row.rating == pytest.approx(1000 + SCALE * strength)
        assert row.half_width == pytest.approx(each)


def test_tastes_widen_the_intervals_and_leave_the_ratings() -> None:
    clustered, alone = (build_board_from_ballots(large(), cluster=cluster) for cluster in ("user", "none"))
    widths = [
        (row.half_width or 0) / (rows_of(alone)[row.model].half_width or 1) for row in clustered.ratings
    ]
    assert np.mean(widths) > 1.4
    for row in clustered.ratings:
        assert row.rating == pytest.approx(rows_of(alone)[row.model].rating)
        assert row.n == rows_of(alone)[row.model].n


def test_ranks_and_tiers_follow_the_clustered_differences() -> None:
    clustered, alone = (build_board_from_ballots(large(), cluster=cluster) for cluster in ("user", "none"))
    open_ranks = [
        sum((row.rank_high or 0) - (row.rank_low or 0) for row in board.ratings)
        for board in (clustered, alone)
    ]
    assert open_ranks[0] > open_ranks[1]
    assert max(row.tier or 0 for row in clustered.ratings) <= max(row.tier or 0 for row in alone.ratings)


def test_two_of_few_voters_do_not_separate_what_a_normal_law_would() -> None:
    ballots = crowd(np.array([0.15, 0.0, -0.15]), users=4, votes=900, taste=0.1, rng=np.random.default_rng(1))
    fit = fit_points(points_of(ballots.weighted_counts(), TieRule.HALF))
    covariance = clustered_covariance(ballots, fit).covariance
    by_normal, by_student = (
        rank_intervals(separated(fit.strengths, covariance, level=0.95, freedom=freedom))
        for freedom in (np.inf, 3)
    )
    board = rows_of(build_board_from_ballots(ballots, cluster="user"))
    shown = [[board[model].rank_low, board[model].rank_high] for model in ballots.models]
    assert shown == np.transpose(by_student).tolist()
    assert shown != np.transpose(by_normal).tolist()


def test_a_clustered_interval_that_is_wide_is_provisional() -> None:
    ballots = crowd(SPREAD, users=15, votes=200, taste=1.5, rng=np.random.default_rng(3))
    assert build_board_from_ballots(ballots).status is Status.OK
    clustered = build_board_from_ballots(ballots, cluster="user")
    assert {row.status for row in clustered.ratings} == {Status.PROVISIONAL}


def test_few_voters_are_provisional_where_many_with_that_error_would_not_be() -> None:
    ballots = crowd(SPREAD, users=4, votes=900, taste=0.1, rng=np.random.default_rng(6))
    board = build_board_from_ballots(ballots, cluster="user")
    close = [
        row for row in board.ratings if 25 < (row.half_width or 0) < 25 * quantile(0.95, 3) / quantile(0.95)
    ]
    assert close
    assert {row.status for row in close} == {Status.PROVISIONAL}


@settings(max_examples=100)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(0, 7),
    st.integers(1, 6),
    st.booleans(),
    st.sampled_from(["none", "user"]),
    st.sampled_from([None, 1, 3]),
    st.sampled_from(POINT_RULES),
)
def test_any_ballots_make_a_sound_board(
    seed: int, users: int, votes: int, weighted: bool, cluster: str, cap: int | None, ties: TieRule
) -> None:
    ballots = some_ballots(seed, users=users, votes=votes, weighted=weighted)
    board = build_board_from_ballots(ballots, cluster=cluster, cap=cap, ties=ties)
    assert_sound(board)
    assert board.n_models == 4
    assert board.n_votes == (ballots.weights() > 0).sum()


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.sampled_from([None, 2]))
def test_a_clustered_board_does_not_depend_on_names_sides_users_or_the_order_of_votes(
    seed: int, cap: int | None
) -> None:
    rng = np.random.default_rng(seed)
    ballots = some_ballots(seed, users=8, votes=12)
    models, people = rng.permutation(4), rng.permutation(8)
    names = tuple(ballots.models[int(np.flatnonzero(models == place)[0])] for place in range(4))
    mirrored = np.array([1, 0, 2, 3])
    other = Ballots(
        names, models[ballots.b], models[ballots.a], mirrored[ballots.outcome], people[ballots.user]
    ).take(rng.permutation(ballots.n_votes))
    board, twin = (build_board_from_ballots(each, cluster="user", cap=cap) for each in (ballots, other))
    assert board.status is twin.status
    for row in board.ratings:
        same = rows_of(twin)[row.model]
        assert (row.n, row.wins, row.ties, row.losses) == (same.n, same.wins, same.ties, same.losses)
        assert row.status is same.status
        assert (row.rating, row.low, row.high) == pytest.approx((same.rating, same.low, same.high), abs=1e-6)


def test_a_model_that_one_voter_alone_brought_in_is_insufficient_until_a_second_one_votes() -> None:
    one = build_board_from_ballots(make_ballots(*EVERYBODY, "miren: berria>x x>berria*2"), cluster="user")
    assert_sound(one)
    assert rows_of(one)["berria"].status is Status.INSUFFICIENT
    assert rows_of(one)["x"].status is Status.PROVISIONAL
    two = make_ballots(*EVERYBODY, "miren: berria>x x>berria*2", "amets: y=berria")
    assert rows_of(build_board_from_ballots(two, cluster="user"))["berria"].status is Status.PROVISIONAL
    per_vote = build_board_from_ballots(two.take(two.user != 0))
    assert rows_of(per_vote)["berria"].status is Status.PROVISIONAL


@pytest.mark.parametrize(
    ("written", "status"),
    [
        ([], Status.EMPTY),
        (["ane: x>y"], Status.UNBOUNDED),
        (["ane: x>y*500", "jon: x>y"], Status.UNBOUNDED),
        (["ane: x=y"], Status.INSUFFICIENT),
        (["ane: x>y*200 y>x*200"], Status.INSUFFICIENT),
        (["ane: x>y y>x", "jon: x>y y>x"], Status.INSUFFICIENT),
        (["ane: x>y x>y y>x", "jon: x>y y>x"], Status.PROVISIONAL),
        (["ane: a>b b>a", "jon: c>d d>c"], Status.DISCONNECTED),
        ([": x>y y>x x>y y>x"], Status.PROVISIONAL),
    ],
)
def test_a_degenerate_clustered_board_says_what_it_is(written: list[str], status: Status) -> None:
    board = build_board_from_ballots(
        make_ballots(*written, models=None if written else ["x", "y"]), cluster="user"
    )
    assert_sound(board)
    assert board.status is status


def test_voters_who_agree_on_one_model_to_the_last_digit_leave_it_without_an_interval() -> None:
    ballots = make_ballots(
        *(f"{name}: x>y y>x x>z z>x y>z z>y" for name in ("ane", "jon")), "iker: y>z y=z", "miren: z>y z=y"
    )
    board = build_board_from_ballots(ballots, cluster="user")
    assert_sound(board)
    assert rows_of(board)["x"].status is Status.INSUFFICIENT
    assert rows_of(board)["y"].status is Status.PROVISIONAL


def test_weights_count_and_a_vote_of_weight_zero_is_left_out() -> None:
    ballots = make_ballots("ane: x>y*4 y>x*2")
    board = build_board_from_ballots(ballots.reweighted(np.array([1, 1, 0.5, 0.5, 1, 0.0])))
    row = rows_of(board)["x"]
    assert (row.n, row.wins, row.losses, board.n_votes) == (5, 4, 1, 5)
    assert (row.rating or 0) - 1000 == pytest.approx(SCALE * np.log(3) / 2)


def test_intervals_of_weighted_votes_are_those_of_their_sandwich() -> None:
    ballots = large().reweighted(np.random.default_rng(3).choice([0.25, 1.0], 2400))
    fit = fit_points(points_of(ballots.weighted_counts(), TieRule.HALF))
    errors = np.sqrt(np.diag(weighted_sandwich(ballots.weighted_counts(power=2), fit))) * SCALE
    board = rows_of(build_board_from_ballots(ballots))
    widths = [board[model].half_width for model in ballots.models]
    assert widths == pytest.approx(quantile(0.95) * errors)


def test_votes_without_any_weight_are_no_battles() -> None:
    board = build_board_from_ballots(make_ballots("ane: x>y y>x").reweighted(np.zeros(2)))
    assert_sound(board)
    assert (board.status, board.n_votes, board.n_models) == (Status.EMPTY, 0, 2)


@pytest.mark.parametrize("scale", [1e-200, 1e-9, 1e200])
@pytest.mark.parametrize("cluster", ["none", "user"])
def test_the_scale_of_weights_does_not_matter(scale: float, cluster: str) -> None:
    ballots = large().reweighted(np.random.default_rng(2).random(2400) + 0.1)
    scaled = ballots.reweighted(ballots.weights() * scale)
    one, other = (build_board_from_ballots(each, cluster=cluster) for each in (ballots, scaled))
    for row, twin in zip(one.ratings, other.ratings, strict=True):
        assert (row.rating, row.low) == pytest.approx((twin.rating, twin.low))


def test_a_cap_is_the_board_of_capped_weights() -> None:
    ballots = large()
    capped = build_board_from_ballots(ballots, cap=2, cluster="user")
    weighed = build_board_from_ballots(ballots.reweighted(capped_weights(ballots, 2)), cluster="user")
    assert capped == weighed
    assert capped != build_board_from_ballots(ballots, cluster="user")


def test_a_cap_that_nobody_reaches_changes_nothing() -> None:
    plain, capped = (build_board_from_ballots(large(), cap=cap) for cap in (None, 1000))
    for row, twin in zip(plain.ratings, capped.ratings, strict=True):
        assert (row.rating, row.low) == pytest.approx((twin.rating, twin.low))


def test_options_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        build_board_from_ballots(large(), interval=1.0)
    with pytest.raises(ValueError, match="leaves no vote"):
        build_board_from_ballots(large(), cap=0)


@pytest.mark.parametrize(
    ("weighed", "options"), [(False, {"cluster": "user"}), (False, {"cap": 3}), (True, {})]
)
def test_under_rao_kupper_no_vote_weighs_more_than_another(weighed: bool, options: dict[str, Any]) -> None:
    ballots = some_ballots(1, weighted=weighed)
    with pytest.raises(ValueError, match="every vote weighs one"):
        build_board_from_ballots(ballots, ties=TieRule.RAO_KUPPER, **options)


def test_a_board_beyond_floating_point_numbers_is_unbounded(monkeypatch: pytest.MonkeyPatch) -> None:
    def steep(*_: object) -> None:
        raise NotConverged("too steep")

    monkeypatch.setattr("ranking.estimates.clustered_covariance", steep)
    board = build_board_from_ballots(large(), cluster="user")
    assert_sound(board)
    assert {row.status for row in board.ratings} == {Status.UNBOUNDED}
