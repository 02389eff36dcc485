from __future__ import annotations

import re
from dataclasses import asdict
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranking import reference
from ranking.board import BoardResult, build_board
from ranking.plot import LABELS, ROW, TOP, WIDTH, IntervalPlot, interval_plot
from ranking.readers import read_tally
from ranking.tally import Tally
from tests.ranking.builders import make_tally, ring, simulated


def drawn(board: BoardResult) -> IntervalPlot:
    plot = interval_plot(board)
    assert plot is not None
    return plot


def published() -> BoardResult:
    return build_board(read_tally(reference.pairs_path()))


def lengths(value: Any) -> list[str]:
    """Every text of the geometry but the models' names."""
    if isinstance(value, dict):
        return [text for key, each in value.items() if key != "model" for text in lengths(each)]
    if isinstance(value, tuple | list):
        return [text for each in value for text in lengths(each)]
    return value.split() if isinstance(value, str) else []


def test_a_board_without_ratings_has_no_chart() -> None:
    assert interval_plot(build_board(make_tally("x>y"))) is None


def test_the_unrated_are_not_drawn() -> None:
    plot = drawn(build_board(ring(3).merged(make_tally("m0>new"))))
    assert [bar.model for bar in plot.bars] == ["m0", "m1", "m2"]


def test_rows_follow_the_board_at_even_distances() -> None:
    board = published()
    plot = drawn(board)
    assert [bar.model for bar in plot.bars] == [row.model for row in board.ratings]
    heights = [float(bar.y) for bar in plot.bars]
    assert heights[0] == TOP + ROW / 2
    assert [b - a for a, b in pairwise(heights)] == pytest.approx([ROW] * 20)
    assert float(plot.height) == TOP + 21 * ROW


def test_the_scale_is_linear_and_the_ticks_stand_on_it() -> None:
    board = published()
    plot = drawn(board)
    (left, right) = (plot.ticks[0], plot.ticks[-1])
    slope = (float(right.x) - float(left.x)) / (right.value - left.value)
    for bar, row in zip(plot.bars, board.ratings, strict=True):
        assert row.rating is not None
        assert float(bar.x) == pytest.approx(float(left.x) + slope * (row.rating - left.value), abs=0.02)
        assert float(bar.x_low) < float(bar.x) < float(bar.x_high)


def test_the_tier_bands_cover_the_rows_without_a_gap() -> None:
    plot = drawn(published())
    assert [band.tier for band in plot.bands] == [1, 2, 3, 4, 5]
    assert [band.odd for band in plot.bands] == [True, False, True, False, True]
    assert float(plot.bands[0].y) == TOP
    for upper, lower in pairwise(plot.bands):
        assert float(upper.y) + float(upper.height) == pytest.approx(float(lower.y))
    last = plot.bands[-1]
    assert float(last.y) + float(last.height) == float(plot.height)


def test_provisional_rows_are_marked() -> None:
    assert all(bar.provisional for bar in drawn(build_board(ring(3))).bars)
    assert not any(bar.provisional for bar in drawn(published()).bars)


def test_every_length_is_a_plain_decimal_whatever_the_reader_speaks() -> None:
    written = lengths(asdict(drawn(published())))
    assert len(written) > 100
    assert all(re.fullmatch(r"\d+(\.\d{1,2})?", text) for text in written)


@given(st.integers(2, 12), st.floats(0, 6), st.integers(1, 400), st.integers(0, 2**32 - 1))
def test_everything_drawn_lies_inside_the_chart_with_two_to_twelve_ticks(
    m: int, spread: float, per_pair: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    tally = simulated(np.linspace(spread, -spread, m), per_pair=per_pair, tie_rate=0.1, rng=rng)
    plot = interval_plot(build_board(tally))
    if plot is None:
        return
    for bar in plot.bars:
        assert LABELS <= float(bar.x_low) <= float(bar.x) <= float(bar.x_high) <= WIDTH
    assert 2 <= len(plot.ticks) <= 12
    values = [tick.value for tick in plot.ticks]
    steps = {b - a for a, b in pairwise(values)}
    assert len(steps) == 1
    assert str(steps.pop()).rstrip("0") in {"1", "2", "5"}


def test_a_board_of_no_width_still_has_a_scale() -> None:
    tally = Tally(("x", "y"), make_tally("x>y", "y>x").counts * 10**14)
    assert len(drawn(build_board(tally)).ticks) >= 2


def test_a_wider_interval_is_drawn_round_the_first_and_the_scale_holds_it() -> None:
    board = published()
    first = board.ratings[0]
    assert first.low is not None
    assert first.high is not None
    plot = interval_plot(board, {first.model: (first.low - 400, first.high + 400)})
    assert plot is not None
    bar, *others = plot.bars
    assert LABELS <= float(bar.x_wide_low) < float(bar.x_low)
    assert float(bar.x_high) < float(bar.x_wide_high) <= WIDTH
    assert {(each.x_wide_low, each.x_wide_high) for each in others} == {("", "")}
    assert plot.ticks[-1].value >= first.high + 400
