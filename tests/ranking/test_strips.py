"""Geometry of intervals in groups."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranking.strips import LABELS, WIDTH, Strip, strips

ends_strategy = st.tuples(*[st.floats(-500, 500)] * 3).map(sorted)


@given(st.lists(ends_strategy, min_size=1, max_size=6), st.sampled_from([None, 0.0, 1000.0]))
def test_strips_lie_on_the_scale_in_the_order_of_their_ends(
    ends: list[list[float]], through: float | None
) -> None:
    drawn = {"x": [Strip(str(at), *each) for at, each in enumerate(ends)], "y": []}
    plot = strips(drawn, column="level", through=through)
    assert plot is not None
    (group,) = plot.groups
    assert [row.kind for row in group.rows] == list(range(len(ends)))
    for row in group.rows:
        assert LABELS <= float(row.x_low) <= float(row.x) <= float(row.x_high) <= WIDTH


def test_nothing_is_drawn_of_nothing() -> None:
    assert strips({}, column="level") is None
    assert strips({"x": []}, column="level") is None


@pytest.mark.parametrize("end", [float("nan"), float("inf")])
def test_an_end_that_is_no_number_is_refused(end: float) -> None:
    with pytest.raises(ValueError, match="no number"):
        strips({"x": [Strip("C1-C2", -1.0, 0.0, end)]}, column="level")
