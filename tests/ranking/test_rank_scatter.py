from __future__ import annotations

import re
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranking.rank_scatter import EDGE, MARGIN, SIDE, RankScatter, rank_scatter


def drawn(across: list[float], down: list[float]) -> RankScatter:
    found = rank_scatter([f"m{place}" for place in range(len(across))], across, down)
    assert found is not None
    return found


def test_fewer_than_two_models_have_no_order_to_draw() -> None:
    assert rank_scatter([], [], []) is None
    assert rank_scatter(["a"], [1], [1]) is None


def test_the_best_is_at_the_top_left_and_equal_ranks_lie_on_the_diagonal() -> None:
    found = drawn([1, 2, 3, 4], [1, 2, 3, 4])
    xs = [float(point.x) - EDGE for point in found.points]
    assert xs == [float(point.y) - MARGIN for point in found.points] == [50, 150, 250, 350]
    assert [(point.model, point.number) for point in found.points] == [
        ("m0", 1),
        ("m1", 2),
        ("m2", 3),
        ("m3", 4),
    ]


def test_a_model_lies_where_its_ranks_say() -> None:
    found = drawn([2, 1], [1, 2])
    first, second = found.points
    assert float(first.x) > float(second.x)
    assert float(first.y) < float(second.y)
    assert [tick.x for tick in found.ticks] == [second.x, first.x]
    assert [tick.y for tick in found.ticks] == [first.y, second.y]


def test_shared_ranks_share_a_line() -> None:
    found = drawn([2, 2, 3], [1, 2, 3])
    assert found.points[0].x == found.points[1].x != found.points[2].x


@pytest.mark.parametrize(
    ("m", "ranks"), [(2, [1, 2]), (10, list(range(1, 11))), (18, [1, 5, 10, 15]), (20, [1, 5, 10, 15, 20])]
)
def test_ticks_are_few(m: int, ranks: list[int]) -> None:
    order = [float(rank) for rank in range(1, m + 1)]
    assert [tick.rank for tick in drawn(order, order).ticks] == ranks


@given(st.permutations(range(1, 30)))
def test_all_points_lie_inside_the_square_and_lengths_are_plain_decimals(order: list[int]) -> None:
    found = drawn([float(rank) for rank in order], [float(rank) for rank in range(1, 30)])
    for point in found.points:
        assert EDGE < float(point.x) < EDGE + SIDE
        assert MARGIN < float(point.y) < MARGIN + SIDE
    whole: dict[str, Any] = asdict(found)
    lengths = [value for key, value in whole.items() if isinstance(value, str) and key != "view_box"]
    lengths += [point[key] for point in whole["points"] for key in ("x", "y", "label_x", "label_y")]
    assert all(re.fullmatch(r"\d+(\.\d{1,2})?", each) for each in lengths)
