from __future__ import annotations

from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from ranking import connectivity
from ranking.connectivity import components
from ranking.tally import Tally
from ranking.types import Status
from tests.ranking.builders import NAMES, Vote, make_tally, ring, votes_strategy


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


def labels_of(tally: Tally) -> dict[str, connectivity.Label]:
    return dict(zip(tally.models, connectivity.labels(tally.points()), strict=True))


def test_a_board_whose_wins_go_round_is_one_component_and_bounded() -> None:
    plain = connectivity.Label(component=0, undefeated=False, winless=False, unbounded=False)
    assert set(labels_of(ring(5)).values()) == {plain}


def test_newcomers_that_only_won_or_lost_are_unbounded_and_the_others_not() -> None:
    found = labels_of(ring(4).merged(make_tally("m0>weak", "strong>m1", "weaker<weak")))
    assert {name for name, label in found.items() if label.unbounded} == {"weak", "weaker", "strong"}
    assert {name for name, label in found.items() if label.undefeated} == {"strong"}
    assert {name for name, label in found.items() if label.winless} == {"weaker"}
    assert {label.component for label in found.values()} == {0}


def test_two_models_of_one_vote_are_both_unbounded() -> None:
    found = labels_of(make_tally("x>y"))
    assert found["x"] == connectivity.Label(component=0, undefeated=True, winless=False, unbounded=True)
    assert found["y"] == connectivity.Label(component=0, undefeated=False, winless=True, unbounded=True)


def test_a_tie_is_a_point_for_both() -> None:
    assert not any(
        label.undefeated or label.winless for label in labels_of(make_tally("x=y", "x>y")).values()
    )


def test_components_are_numbered_from_the_largest_and_then_in_order() -> None:
    found = labels_of(make_tally("a>b", "b>a", "c>d", "d>c", "d=e", models=["w", "a", "b", "c", "d", "e"]))
    assert {name: label.component for name, label in found.items()} == {"w": 2} | dict.fromkeys(
        "ab", 1
    ) | dict.fromkeys("cde", 0)


def test_a_model_that_met_nobody_is_alone_and_bounded() -> None:
    alone = connectivity.Label(component=0, undefeated=False, winless=False, unbounded=False)
    assert connectivity.labels(np.zeros((1, 1))) == (alone,)
    assert connectivity.labels(np.zeros((0, 0))) == ()


@given(votes_strategy)
def test_labels_say_that_strengths_are_finite_exactly_where_the_maximum_exists(votes: list[Vote]) -> None:
    tally = Tally.from_votes(votes)
    found = connectivity.labels(tally.points())
    finite = bool(found) and all(label.component == 0 and not label.unbounded for label in found)
    assert finite == (connectivity.check(tally.points()) is Status.OK)


@given(votes_strategy)
def test_a_rated_core_is_bounded(votes: list[Vote]) -> None:
    tally = Tally.from_votes(votes)
    found = labels_of(tally)
    assert not any(found[name].unbounded for name in core_of(tally))


@settings(deadline=None)
@given(votes_strategy)
def test_a_cycle_of_more_wins_than_ties_is_found_wherever_there_is_one(votes: list[Vote]) -> None:
    chain = make_tally(*(f"{a}={b}" for a, b in pairwise(NAMES)))
    tally = chain.merged(Tally.from_votes([vote for vote in votes if vote[0] < vote[1]][:6]))
    wins, ties = tally.wins(), tally.ties()
    lengths = np.where(wins > 0, -1.0, np.where(ties > 0, 1.0, np.inf))
    shortest = min(
        sum(lengths[i, j] for i, j in pairwise((*cycle, cycle[0])))
        for size in range(2, 6)
        for cycle in permutations(range(5), size)
    )
    found = connectivity.wins_outnumber_ties(wins.astype(np.float64), ties.astype(np.float64))
    assert found == (shortest < 0)


@given(st.integers(1, 7), st.integers(0, 2**32 - 1), st.floats(0.05, 0.9))
def test_the_short_way_finds_the_same_components_as_the_long_one(m: int, seed: int, density: float) -> None:
    points = (np.random.default_rng(seed).random((m, m)) < density).astype(np.float64)
    np.fill_diagonal(points, 0)
    _, weak = connected_components(csr_array(points), directed=True, connection="weak")
    _, strong = connected_components(csr_array(points), directed=True, connection="strong")
    assert same_groups(components(points, "weak"), weak)
    assert same_groups(components(points, "strong"), strong)


def same_groups(one: np.ndarray, other: np.ndarray) -> bool:
    return bool(((one[:, None] == one) == (other[:, None] == other)).all())
