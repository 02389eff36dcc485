from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from ranking import connectivity
from ranking.tally import Tally
from ranking.types import Status
from tests.ranking.builders import Vote, make_tally, ring, votes_strategy


def core_of(tally: Tally) -> list[str]:
    found = connectivity.core(tally.points(), tally.wins().astype(np.float64))
    return [tally.models[index] for index in found]


def statuses_of(tally: Tally) -> dict[str, Status]:
    points = tally.points()
    rated = connectivity.core(points, tally.wins().astype(np.float64))
    return dict(zip(tally.models, connectivity.outside(points, rated), strict=True))


@pytest.mark.parametrize(
    ("tally", "status"),
    [
        (Tally.empty([]), Status.EMPTY),
        (Tally.empty(["x", "y"]), Status.EMPTY),
        (make_tally("x>y"), Status.UNBOUNDED),
        (make_tally("x>y", "z>w"), Status.DISCONNECTED),
        (make_tally("x>y", "x<y"), Status.OK),
        (make_tally("x=y"), Status.OK),
        (ring(5), Status.OK),
        (make_tally("x>y", "y>x", "x>z"), Status.UNBOUNDED),
        (make_tally("x=y", models=["x", "y", "z"]), Status.DISCONNECTED),
    ],
)
def test_a_maximum_exists_only_where_ford_says_so(tally: Tally, status: Status) -> None:
    assert connectivity.check(tally.points()) is status


def test_the_core_is_everybody_where_wins_go_round() -> None:
    assert core_of(ring(4)) == ["m0", "m1", "m2", "m3"]


def test_a_newcomer_that_only_lost_stays_outside_and_the_others_inside() -> None:
    tally = ring(3).merged(make_tally("m0>new"))
    assert core_of(tally) == ["m0", "m1", "m2"]
    assert statuses_of(tally)["new"] is Status.UNBOUNDED


def test_two_halves_have_no_core_and_both_say_disconnected() -> None:
    tally = make_tally("a>b", "b>a", "c>d", "d>c")
    assert core_of(tally) == []
    assert set(statuses_of(tally).values()) == {Status.DISCONNECTED}


def test_a_small_island_does_not_take_the_ratings_of_the_many() -> None:
    tally = ring(3).merged(make_tally("x>y", "y>x"))
    assert core_of(tally) == ["m0", "m1", "m2"]
    assert statuses_of(tally)["x"] is Status.DISCONNECTED


def test_ties_alone_rate_nobody() -> None:
    tally = make_tally("x=y", "y!z", "x=z")
    assert core_of(tally) == []
    assert set(statuses_of(tally).values()) == {Status.INSUFFICIENT}


def test_a_model_joined_by_ties_alone_is_left_out_and_says_insufficient() -> None:
    tally = ring(3).merged(make_tally("m0=t", "t=m1"))
    assert core_of(tally) == ["m0", "m1", "m2"]
    assert statuses_of(tally)["t"] is Status.INSUFFICIENT


def test_two_decisive_groups_joined_by_ties_have_no_common_interval() -> None:
    assert core_of(make_tally("a>b", "b>a", "c>d", "d>c", "a=c")) == []


def test_a_waiting_model_is_empty_beside_a_rated_and_beside_an_unrated_board() -> None:
    assert statuses_of(make_tally("x>y", "y>x", models=["w", "x", "y"]))["w"] is Status.EMPTY
    assert statuses_of(make_tally("x>y", models=["w", "x", "y"]))["w"] is Status.EMPTY
    assert statuses_of(Tally.empty(["w"])) == {"w": Status.EMPTY}


@given(votes_strategy)
def test_the_core_is_always_strongly_connected_and_has_a_decisive_vote_for_each(votes: list[Vote]) -> None:
    tally = Tally.from_votes(votes)
    core = core_of(tally)
    if core:
        part = tally.subset(core)
        assert connectivity.check(part.points()) is Status.OK
        assert (part.wins().sum(axis=0) + part.wins().sum(axis=1) > 0).all()


@given(votes_strategy)
def test_statuses_do_not_depend_on_names_or_sides(votes: list[Vote]) -> None:
    tally = Tally.from_votes(votes)
    turned = tally.subset(tally.models[::-1]).swapped()
    assert statuses_of(turned) == statuses_of(tally)
