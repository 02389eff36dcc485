from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranking.lines import (
    BOTTOM,
    KINDS,
    LEFT,
    NAME_GAP,
    RIGHT,
    TOP,
    WIDTH,
    Lines,
    Series,
    lines,
    lines_by_step,
)

NOON = datetime(2026, 3, 19, 12, tzinfo=UTC)


def hours(*after: float) -> list[datetime]:
    return [NOON + timedelta(hours=each) for each in after]


def drawn(times: list[datetime], *series: Series) -> Lines:
    found = lines(times, series)
    assert found is not None
    return found


def points(path: str) -> list[list[tuple[float, float]]]:
    """The unbroken parts of a path."""
    return [
        [(float(x), float(y)) for x, y in (at.split() for at in part.split("L"))]
        for part in path.split("M")[1:]
    ]


def test_without_a_value_there_is_nothing_to_draw() -> None:
    assert lines([], []) is None
    assert lines(hours(0, 1), [Series("a", [None, None])]) is None


def test_a_line_follows_time_and_value() -> None:
    (line,) = drawn(hours(0, 1, 4), Series("a", [1000, 1100, 1050])).lines
    (((x0, y0), (x1, y1), (x2, y2)),) = points(line.path)
    assert (x0, x2) == (LEFT, WIDTH - RIGHT)
    assert (x1 - x0) * 4 - (x2 - x0) < 0.1
    assert y1 < y2 < y0
    assert (line.x, line.y) == (f"{x2:g}", f"{y2:g}")


def test_a_line_is_broken_where_there_was_no_value() -> None:
    (line,) = drawn(hours(0, 1, 2, 3, 4), Series("a", [None, 1000, None, 1010, 1020])).lines
    lone, rest = points(line.path)
    assert len(lone) == 2
    assert lone[0] == lone[1]
    assert len(rest) == 2


def test_a_series_that_ended_ends_where_its_last_value_is() -> None:
    gone, here = drawn(hours(0, 1, 2), Series("gone", [1000, 1010, None]), Series("here", [None, 1, 2])).lines
    assert float(gone.x) < float(here.x) == WIDTH - RIGHT


def test_only_the_last_value_has_an_interval_and_the_scale_holds_it() -> None:
    found = drawn(hours(0, 1), Series("a", [1000, 1010], low=700, high=1300), Series("b", [990, 980]))
    a, b = found.lines
    assert float(a.y_high) < float(a.y) < float(a.y_low)
    assert (b.y_low, b.y_high) == ("", "")
    assert found.marks[0].value <= 700
    assert found.marks[-1].value >= 1300


def test_neighbours_are_of_different_kinds() -> None:
    found = drawn(hours(0), *(Series(f"m{place}", [1000.0 + place]) for place in range(9)))
    assert [line.kind for line in found.lines] == [place % KINDS for place in range(9)]


def test_times_are_days_or_minutes_by_their_span_and_as_they_were_given() -> None:
    assert [day.text for day in drawn(hours(0, 720), Series("a", [1, 2])).days] == [
        "2026-03-19", "2026-03-29", "2026-04-08", "2026-04-18",
    ]  # fmt: skip
    assert [day.text for day in drawn(hours(0, 3), Series("a", [1, 2])).days] == [
        "03-19 12:00", "03-19 13:00", "03-19 14:00", "03-19 15:00",
    ]  # fmt: skip
    assert [day.text for day in drawn(hours(0), Series("a", [1])).days] == ["2026-03-19 12:00"]


@given(st.lists(st.lists(st.none() | st.floats(-500, 2500), min_size=3, max_size=3), min_size=1, max_size=40))
def test_names_never_touch_and_everything_lies_inside(values: list[list[float | None]]) -> None:
    found = lines(hours(0, 1, 5), [Series(f"m{number}", each) for number, each in enumerate(values)])
    if found is None:
        return
    height = float(found.view_box.split()[3])
    names = sorted(float(line.name_y) for line in found.lines)
    assert all(b - a >= NAME_GAP - 0.02 for a, b in pairwise(names))
    assert names[0] >= TOP
    assert names[-1] <= height - BOTTOM + 0.01
    for line in found.lines:
        assert re.fullmatch(r"([ML]\d+(\.\d{1,2})? \d+(\.\d{1,2})?)+", line.path)
        for part in points(line.path):
            assert all(
                LEFT <= x <= WIDTH - RIGHT and TOP - 0.01 <= y <= height - BOTTOM + 0.01 for x, y in part
            )


def test_names_stand_in_the_order_of_their_last_values() -> None:
    found = drawn(hours(0, 1), *(Series(f"m{number}", [1000, 1000 - number / 10]) for number in range(12)))
    heights = [float(line.name_y) for line in found.lines]
    assert heights == sorted(heights)


def test_values_over_steps_have_steps_below_them() -> None:
    steps = [10, 40, 100]
    found = lines_by_step(steps, [Series("a", [1.0, None, 3.0]), Series("b", [None, None, None])])
    assert found is not None
    assert [day.text for day in found.days] == ["10", "40", "70", "100"]
    left, right = float(found.left), float(found.right)
    assert [float(day.at) for day in found.days] == pytest.approx(
        [left + (right - left) * share / 3 for share in range(4)], abs=0.01
    )
    assert [line.name for line in found.lines] == ["a"]


def test_few_steps_are_marked_once_each() -> None:
    assert [day.text for day in (lines_by_step([7], [Series("a", [1.0])]) or pytest.fail()).days] == ["7"]
    assert [day.text for day in (lines_by_step([1, 2], [Series("a", [1.0, 2.0])]) or pytest.fail()).days] == [
        "1",
        "2",
    ]
    assert lines_by_step([], []) is None


def test_values_that_hardly_differ_lie_in_the_middle_of_a_scale_of_their_size() -> None:
    found = lines_by_step([1, 2], [Series("a", [61000.0, 61000.001])])
    assert found is not None
    assert all(mark.decimals == 0 for mark in found.marks)
    middle = (float(found.top) + float(found.bottom)) / 2
    assert abs(float(found.lines[0].y) - middle) < 80
    wide = lines_by_step([1, 2], [Series("a", [1.0, 2.0])])
    assert wide is not None
    assert [mark.value for mark in wide.marks][:: len(wide.marks) - 1] == [1.0, 2.0], "no room is added"
    assert lines_by_step([1], [Series("a", [0.0])]) is not None
