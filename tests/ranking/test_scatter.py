from __future__ import annotations

import re
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranking.scatter import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Scatter, Spot, scatter

numbers = st.floats(-1000, 1000, allow_nan=False)


def drawn(*spots: Spot, diagonal: bool = False) -> Scatter:
    found = scatter(spots, x_title="x", y_title="y", diagonal=diagonal)
    assert found is not None
    return found


def test_without_points_there_is_nothing_to_draw() -> None:
    assert scatter([], x_title="x", y_title="y") is None


def test_more_is_further_right_and_higher_up() -> None:
    low, high = drawn(Spot(0, 0), Spot(10, 1)).dots
    assert (float(low.x), float(low.y)) == (LEFT, HEIGHT - BOTTOM)
    assert (float(high.x), float(high.y)) == (WIDTH - RIGHT, TOP)


def test_a_bar_holds_its_point_and_is_left_out_where_there_is_none() -> None:
    with_bar, without = drawn(Spot(0, 5, low=4, high=7), Spot(1, 6)).dots
    assert float(with_bar.y_high) < float(with_bar.y) < float(with_bar.y_low)
    assert (without.y_low, without.y_high) == ("", "")


def test_points_of_equal_values_lie_on_the_diagonal() -> None:
    found = drawn(Spot(0.5, 0.5), Spot(0.7, 0.7), Spot(0.9, 0.6), diagonal=True)
    x1, y1, x2, y2 = map(float, found.diagonal)
    *on_it, off = [float(dot.y) - (y1 + (float(dot.x) - x1) * (y2 - y1) / (x2 - x1)) for dot in found.dots]
    assert on_it == pytest.approx([0, 0], abs=0.02)
    assert off > 10
    assert [mark.value for mark in found.x_marks] == [mark.value for mark in found.y_marks]


def test_the_axes_are_apart_without_a_diagonal() -> None:
    found = drawn(Spot(0.5, 900), Spot(0.9, 1100))
    assert found.diagonal == ()
    assert found.x_marks[-1].value < 1 < found.y_marks[0].value


def test_names_are_written_where_there_is_room() -> None:
    left, right = drawn(Spot(0, 0, name="a"), Spot(1, 1, name="b")).dots
    assert (left.before, right.before) == (False, True)
    assert float(left.name_x) > float(left.x)
    assert float(right.name_x) < float(right.x)


@given(st.lists(st.tuples(numbers, numbers, st.floats(0, 50)), min_size=1, max_size=20), st.booleans())
def test_everything_drawn_lies_inside_and_is_a_plain_decimal(
    points: list[tuple[float, float, float]], diagonal: bool
) -> None:
    found = drawn(*(Spot(x, y, y - bar, y + bar) for x, y, bar in points), diagonal=diagonal)
    for dot in found.dots:
        assert LEFT - 0.01 <= float(dot.x) <= WIDTH - RIGHT + 0.01
        assert TOP - 0.01 <= float(dot.y_high) <= float(dot.y_low) <= HEIGHT - BOTTOM + 0.01
        written = [value for key, value in asdict(dot).items() if key not in {"name", "before"}]
        assert all(re.fullmatch(r"\d+(\.\d{1,2})?", text) for text in written)
