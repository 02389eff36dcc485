"""Geometry of bars of shares."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ranking.bars import LABELS, NUMBERS, WIDTH, bar_chart


@given(st.lists(st.one_of(st.none(), st.floats(0, 1)), min_size=1, max_size=12))
def test_bars_are_as_long_as_their_shares_and_leave_room_for_numbers(shares: list[float | None]) -> None:
    chart = bar_chart([(str(at), share) for at, share in enumerate(shares)], column="messages")
    longest = max((share or 0.0 for share in shares), default=0.0)
    if chart is None:
        assert longest == 0
        return
    for bar, share in zip(chart.bars, shares, strict=True):
        assert abs(float(bar.width) - (WIDTH - LABELS - NUMBERS) * (share or 0.0) / longest) < 0.01
        assert float(bar.after) <= WIDTH - NUMBERS + 7
    assert len({bar.y for bar in chart.bars}) == len(shares)


def test_nothing_is_drawn_of_nothing() -> None:
    assert bar_chart([], column="messages") is None
    assert bar_chart([("eu", None)], column="prompt_language") is None
