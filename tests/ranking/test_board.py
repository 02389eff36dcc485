from __future__ import annotations

import json
import random
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ranking.board import BoardResult, Rating, build_board
from ranking.errors import NotConverged
from ranking.tally import Tally
from ranking.types import Criterion, Status, TieRule
from tests.ranking.builders import Vote, make_tally, ring, simulated, votes_strategy

KEYS = ["n_votes", "n_models", "criterion", "ties", "interval", "cluster", "status", "ratings"]
ROW_KEYS = ["model", "rating", "low", "high", "rank", "rank_low", "rank_high", "tier"]
ROW_KEYS += ["n", "wins", "ties", "losses", "status"]


def rows_of(board: BoardResult) -> dict[str, Rating]:
    return {row.model: row for row in board.ratings}


def large_board(m: int = 6, per_pair: int = 200) -> Tally:
    return simulated(np.linspace(0.5, -0.5, m), per_pair=per_pair, tie_rate=0.2, rng=np.random.default_rng(4))


def assert_sound(board: BoardResult) -> None:
    """What holds of every board, degenerate or not: explicit statuses, finite numbers, ratings only where a status has them."""
    json.dumps(board.as_json(), allow_nan=False)
    assert board.status.has_rating is any(row.rating is not None for row in board.ratings)
    for row in board.ratings:
        figures = (row.rating, row.low, row.high, row.rank, row.rank_low, row.rank_high, row.tier)
        assert all((figure is not None) is row.status.has_rating for figure in figures)
        assert row.n == row.wins + row.ties + row.losses
        if row.low is not None and row.rating is not None and row.high is not None:
            assert row.low < row.rating < row.high
    assert sum(row.n for row in board.ratings) == 2 * board.n_votes


def test_the_json_has_the_keys_others_hold_on_to_in_their_order() -> None:
    plain = build_board(large_board(), criterion=Criterion.CONTENT, ties=TieRule.DROP, interval=0.9).as_json()
    assert list(plain) == KEYS
    assert list(plain["ratings"][0]) == ROW_KEYS
    assert plain["criterion"] == "content"
    assert plain["ties"] == "drop"
    assert plain["interval"] == 0.9
    assert plain["cluster"] == "none"
    assert type(plain["status"]) is type(plain["ratings"][0]["status"]) is str


def test_a_board_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        build_board(large_board()).status = Status.EMPTY  # type: ignore[misc]  # that it cannot be is the point


def test_rows_stand_from_the_best_down_and_the_unrated_follow_by_name() -> None:
    tally = large_board().merged(Tally.empty(["zuri", "beltz"]))
    board = build_board(tally)
    assert [row.model for row in board.ratings] == [*(f"m0{i}" for i in range(6)), "beltz", "zuri"]
    assert [row.rank for row in board.ratings] == [1, 2, 3, 4, 5, 6, None, None]


def test_wins_ties_and_losses_are_counted_from_both_sides() -> None:
    row = rows_of(build_board(make_tally("x>y*5", "y<x*2", "y>x*3", "x=y*4", "y!x")))["x"]
    assert (row.n, row.wins, row.ties, row.losses) == (15, 7, 5, 3)


def test_a_board_of_many_even_battles_is_ok_and_one_of_few_is_provisional() -> None:
    assert build_board(large_board()).status is Status.OK
    few = build_board(large_board(per_pair=10))
    assert few.status is Status.PROVISIONAL
    assert {row.status for row in few.ratings} == {Status.PROVISIONAL}


def test_a_wide_interval_is_provisional_also_after_a_hundred_battles() -> None:
    row = rows_of(build_board(large_board(per_pair=30)))["m00"]
    assert row.n == 150
    assert (row.half_width or 0) > 25
    assert row.status is Status.PROVISIONAL


def test_a_narrow_interval_from_few_battles_is_provisional() -> None:
    row = rows_of(build_board(make_tally("x>y*2", "y>x*2", "x=y*90")))["x"]
    assert (row.half_width or 0) < 25
    assert row.status is Status.PROVISIONAL


def test_the_level_of_the_interval_moves_its_width_and_not_the_status() -> None:
    narrow, wide = (rows_of(build_board(large_board(), interval=level))["m00"] for level in (0.5, 0.999999))
    assert (wide.half_width or 0) > 7 * (narrow.half_width or 1)
    assert wide.status is narrow.status is Status.OK


@pytest.mark.parametrize("level", [0.0, 1.0, -1, float("nan")])
def test_a_level_that_is_no_probability_is_refused(level: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        build_board(large_board(), interval=level)


@pytest.mark.parametrize(
    ("tally", "status", "rows"),
    [
        (Tally.empty([]), Status.EMPTY, set()),
        (Tally.empty(["x", "y"]), Status.EMPTY, {Status.EMPTY}),
        (make_tally("x>y"), Status.UNBOUNDED, {Status.UNBOUNDED}),
        (make_tally("x>y*500"), Status.UNBOUNDED, {Status.UNBOUNDED}),
        (make_tally("x=y"), Status.INSUFFICIENT, {Status.INSUFFICIENT}),
        (make_tally("x=y*300", "y!z*300", "z=x*300"), Status.INSUFFICIENT, {Status.INSUFFICIENT}),
        (make_tally("x>y", "y>x"), Status.PROVISIONAL, {Status.PROVISIONAL}),
        (make_tally("a>b", "b>a", "c>d", "d>c"), Status.DISCONNECTED, {Status.DISCONNECTED}),
        (ring(3).merged(make_tally("top>m0*9")), Status.PROVISIONAL, {Status.PROVISIONAL, Status.UNBOUNDED}),
        (ring(3).merged(make_tally("m0>low*9")), Status.PROVISIONAL, {Status.PROVISIONAL, Status.UNBOUNDED}),
        (ring(3).merged(make_tally("m0=t")), Status.PROVISIONAL, {Status.PROVISIONAL, Status.INSUFFICIENT}),
    ],
)
def test_a_degenerate_board_says_what_it_is(tally: Tally, status: Status, rows: set[Status]) -> None:
    board = build_board(tally)
    assert_sound(board)
    assert board.status is status
    assert {row.status for row in board.ratings} == rows


def test_ties_only_are_insufficient_also_where_ties_are_dropped() -> None:
    board = build_board(make_tally("x=y*3"), ties=TieRule.DROP)
    assert_sound(board)
    assert board.status is Status.INSUFFICIENT
    assert board.n_votes == 3


def test_an_undefeated_newcomer_makes_an_ok_board_provisional_and_keeps_the_ratings_of_the_others() -> None:
    before = build_board(large_board())
    after = build_board(large_board().merged(make_tally("new>m00")))
    assert before.status is Status.OK
    assert after.status is Status.PROVISIONAL
    assert rows_of(after)["new"].status is Status.UNBOUNDED
    assert rows_of(after)["m03"].rating == pytest.approx(rows_of(before)["m03"].rating)


def test_a_candidate_that_waits_for_its_first_battle_leaves_an_ok_board_ok() -> None:
    board = build_board(large_board().merged(Tally.empty(["new"])))
    assert board.status is Status.OK
    assert rows_of(board)["new"].status is Status.EMPTY


def test_a_thousand_models_make_a_board() -> None:
    board = build_board(ring(1000))
    assert_sound(board)
    assert board.n_models == 1000


@settings(max_examples=150)
@given(st.lists(st.integers(0, 15), min_size=8, max_size=8))
def test_a_board_of_any_steepness_is_sound(powers: list[int]) -> None:
    """Up to 10**15 wins to one: beyond what floating-point numbers can fit."""
    counts = np.zeros((5, 5, 4), dtype=np.int64)
    for place, power in enumerate(powers[:4]):
        counts[place, place + 1, :2] = 10**power, 1
        counts[place + 1, (place + 3) % 5, 0] += 10 ** powers[4 + place] * (powers[4 + place] % 2)
    board = build_board(Tally(tuple("abcde"), counts))
    assert_sound(board)


def test_a_board_beyond_floating_point_numbers_is_unbounded(monkeypatch: pytest.MonkeyPatch) -> None:
    def steep(tally: Tally, **options: object) -> None:
        raise NotConverged("too steep")

    monkeypatch.setattr("ranking.estimates.fit_bradley_terry", steep)
    board = build_board(ring(3))
    assert_sound(board)
    assert board.status is Status.UNBOUNDED


@settings(max_examples=150)
@given(votes_strategy)
def test_any_votes_make_a_sound_board(votes: list[Vote]) -> None:
    for ties in TieRule:
        assert_sound(build_board(Tally.from_votes(votes), ties=ties))


@settings(max_examples=60)
@given(votes_strategy, st.randoms(use_true_random=False))
def test_a_board_does_not_depend_on_names_sides_or_the_order_of_votes(
    votes: list[Vote], chance: random.Random
) -> None:
    tally = ring(4).merged(Tally.from_votes(votes))
    tally = tally.merged(make_tally(*(f"m0={n}" for n in tally.models if n != "m0")))
    models = chance.sample(tally.models, len(tally.models))
    other = rows_of(build_board(tally.subset(models).swapped()))
    for row in build_board(tally).ratings:
        twin = other[row.model]
        assert (row.n, row.wins, row.ties, row.losses) == (twin.n, twin.wins, twin.ties, twin.losses)
        assert row.status is twin.status
        assert row.rating == pytest.approx(twin.rating, abs=1e-6)
        assert row.low == pytest.approx(twin.low, abs=1e-6)


def test_split_and_merged_tallies_make_the_same_board() -> None:
    rng = np.random.default_rng(9)
    parts = [
        simulated(np.linspace(-1, 1, 7), per_pair=20, tie_rate=0.1, rng=rng) for _ in range(3)
    ]  # three days
    whole = Tally(parts[0].models, parts[0].counts + parts[1].counts + parts[2].counts)
    assert build_board(parts[0].merged(parts[1]).merged(parts[2])).as_json() == build_board(whole).as_json()
