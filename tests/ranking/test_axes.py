from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranking.axes import axis

values = st.floats(-1e6, 1e6, allow_nan=False).map(lambda value: round(value, 6))


def test_ends_and_steps_are_round() -> None:
    found = axis(0.52, 0.81, start=0, end=100)
    assert [(mark.value, mark.decimals) for mark in found.marks()] == [
        (value, 2) for value in (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85)
    ]
    assert [mark.value for mark in axis(871, 1134, start=0, end=1).marks()] == [
        850, 900, 950, 1000, 1050, 1100, 1150,
    ]  # fmt: skip


def test_whole_steps_are_written_without_decimals() -> None:
    assert {mark.decimals for mark in axis(0, 70, start=0, end=1).marks()} == {0}


def test_an_axis_may_run_upwards() -> None:
    found = axis(0, 10, start=300, end=20)
    assert (found.at(0), found.at(5), found.at(10)) == (300, 160, 20)
    assert (found.marks()[0].at, found.marks()[-1].at) == ("300", "20")


@given(values, values)
def test_every_value_lies_on_the_axis_with_two_to_ten_marks(one: float, other: float) -> None:
    least, most = sorted((one, other))
    found = axis(least, most, start=10, end=110)
    room = 1e-9 * max(1.0, abs(least), abs(most))
    assert found.first - room <= least <= most <= found.last + room
    marks = found.marks()
    assert 2 <= len(marks) <= 10
    assert [float(mark.at) for mark in (marks[0], marks[-1])] == [10, 110]
    assert all(float(b.at) > float(a.at) for a, b in pairwise(marks))


@pytest.mark.parametrize("value", [0.0, 1.0, -3.7, 1e9])
def test_a_single_value_has_an_axis_too(value: float) -> None:
    found = axis(value, value, start=0, end=100)
    assert found.first <= value < found.last
