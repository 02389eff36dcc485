from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranking.effect_plot import LABELS, ROW, TOP, WIDTH, Drawn, EffectPlot, effect_plot


def drawn(*effects: tuple[float, float, float]) -> EffectPlot:
    """Of estimate, reach and wide reach."""
    found = effect_plot(
        [Drawn(f"e{e}", e, e - reach, e + reach, e - wide, e + wide) for e, reach, wide in effects]
    )
    assert found is not None
    return found


def test_without_effects_there_is_nothing_to_draw() -> None:
    assert effect_plot([]) is None


def test_rows_follow_the_order_of_the_call() -> None:
    found = drawn((30, 5, 9), (-20, 5, 9))
    assert [(bar.name, float(bar.y)) for bar in found.bars] == [
        ("e30", TOP + ROW / 2),
        ("e-20", TOP + 3 * ROW / 2),
    ]


def test_what_helps_lies_right_of_no_effect_and_what_harms_left() -> None:
    helps, harms = drawn((30, 5, 9), (-20, 5, 9)).bars
    zero = float(drawn((30, 5, 9), (-20, 5, 9)).zero)
    assert float(helps.x_wide_low) > zero > float(harms.x_wide_high)


def test_the_wide_interval_reaches_round_the_narrow_one_and_it_round_the_estimate() -> None:
    bar = drawn((30, 5, 9)).bars[0]
    xs = [float(each) for each in (bar.x_wide_low, bar.x_low, bar.x, bar.x_high, bar.x_wide_high)]
    assert xs == sorted(set(xs))


def test_no_effect_is_on_the_scale_even_where_all_effects_are_far_from_it() -> None:
    for estimate in (60.0, -60.0):
        found = drawn((estimate, 1, 2))
        assert found.zero == next(tick.x for tick in found.ticks if tick.value == 0)


@given(
    st.lists(
        st.tuples(st.floats(-3000, 3000), st.floats(0, 100), st.floats(100, 3000)), min_size=1, max_size=20
    )
)
def test_everything_lies_inside_the_picture_with_two_to_eleven_ticks(
    effects: list[tuple[float, float, float]],
) -> None:
    found = drawn(*effects)
    assert 2 <= len(found.ticks) <= 11
    assert LABELS <= float(found.zero) <= WIDTH
    for bar in found.bars:
        for x in (bar.x_wide_low, bar.x_low, bar.x, bar.x_high, bar.x_wide_high):
            assert LABELS - 0.01 <= float(x) <= WIDTH
    distances = {
        round(float(b.x) - float(a.x), 1) for a, b in zip(found.ticks, found.ticks[1:], strict=False)
    }
    assert max(distances) - min(distances) == pytest.approx(0, abs=0.11)


def test_an_effect_of_exactly_nothing_is_drawn() -> None:
    assert drawn((0, 0, 0)).bars[0].x == drawn((0, 0, 0)).zero
