"""Geometry of effects with their intervals around zero, in SVG user units. Templates draw it; lengths are text, as in :mod:`ranking.plot`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor

from ranking.plot import units

WIDTH = 720.0
LABELS = 330.0  # room for the effects' names, left of the scale
MARGIN = 16.0
ROW = 28.0
TOP = 28.0
_STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
_MOST_TICKS = 8


@dataclass(frozen=True, slots=True)
class Drawn:
    """An effect: *name*, the estimate, its interval, and one that is at least as wide."""

    name: str
    estimate: float
    low: float
    high: float
    wide_low: float
    wide_high: float


@dataclass(frozen=True, slots=True)
class EffectBar:
    name: str
    y: str
    x: str
    x_low: str
    x_high: str
    x_wide_low: str
    x_wide_high: str


@dataclass(frozen=True, slots=True)
class EffectTick:
    x: str
    value: int


@dataclass(frozen=True, slots=True)
class EffectPlot:
    """Names are drawn right-aligned at *label_x*, the ticks' values at *tick_y*, their lines from *top* to *height*, the line of no effect at *zero*."""

    view_box: str
    height: str
    label_x: str
    tick_y: str
    top: str
    zero: str
    bars: tuple[EffectBar, ...]
    ticks: tuple[EffectTick, ...]


def effect_plot(effects: Sequence[Drawn]) -> EffectPlot | None:
    """The chart, effects from the top down as they are given; ``None`` without any."""
    if not effects:
        return None
    least = min(0.0, *(min(each.low, each.wide_low) for each in effects))
    most = max(0.0, *(max(each.high, each.wide_high) for each in effects))
    step = next((each for each in _STEPS if (most - least) / each <= _MOST_TICKS), ceil((most - least) / 8))
    first = floor(least / step) * step
    last = max(ceil(most / step) * step, first + step)

    def at(value: float) -> str:
        return units(LABELS + (value - first) / (last - first) * (WIDTH - LABELS - MARGIN))

    height = units(TOP + ROW * len(effects))
    return EffectPlot(
        view_box=f"0 0 {units(WIDTH)} {height}",
        height=height,
        label_x=units(LABELS - 14),
        tick_y=units(TOP - 12),
        top=units(TOP),
        zero=at(0),
        bars=tuple(
            EffectBar(
                name=each.name,
                y=units(TOP + ROW * (place + 0.5)),
                x=at(each.estimate),
                x_low=at(each.low),
                x_high=at(each.high),
                x_wide_low=at(each.wide_low),
                x_wide_high=at(each.wide_high),
            )
            for place, each in enumerate(effects)
        ),
        ticks=tuple(EffectTick(at(value), value) for value in range(first, last + 1, step)),
    )
