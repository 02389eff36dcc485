"""Geometry of a board's interval chart, in SVG user units. Templates draw it.

Every length is text ("412.5"): a template would write a number in the reader's language ("412,5"), which is no SVG.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from math import ceil, floor

from ranking.board import BoardResult, Rating
from ranking.types import Status

WIDTH = 640.0
LABELS = 220.0  # room for the models' names, left of the scale
MARGIN = 12.0  # right of the scale
ROW = 28.0
TOP = 28.0  # room for the ticks' values, above the rows

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Bar:
    """One model: its interval from *x_low* to *x_high*, its rating at *x*, all at the height *y*; a wider interval round it, if there is one."""

    model: str
    y: str
    x_low: str
    x: str
    x_high: str
    tier: int
    provisional: bool
    x_wide_low: str = ""
    x_wide_high: str = ""


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the scale: where it is, and the rating it stands for."""

    x: str
    value: int


@dataclass(frozen=True, slots=True)
class Band:
    """The rows of one tier, from *y* down over *height*; *odd* tells neighbours apart."""

    tier: int
    y: str
    height: str
    odd: bool


@dataclass(frozen=True, slots=True)
class IntervalPlot:
    """The whole chart: names are drawn right-aligned at *label_x*, the ticks' values at *tick_y*, their lines from *top* to *height*."""

    width: str
    height: str
    view_box: str
    label_x: str
    tick_y: str
    top: str
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    bands: tuple[Band, ...]


@dataclass(frozen=True, slots=True)
class _Scale:
    first: int
    last: int
    step: int

    def x(self, rating: float) -> str:
        share = (rating - self.first) / (self.last - self.first)
        return units(LABELS + share * (WIDTH - LABELS - MARGIN))


@dataclass(frozen=True, slots=True)
class _Drawn:
    row: Rating
    low: float
    rating: float
    high: float
    tier: int
    wide: Interval | None


def interval_plot(board: BoardResult, wide: Mapping[str, Interval] | None = None) -> IntervalPlot | None:
    """The chart of the rated rows, best on top; ``None`` where no row has a rating.

    *wide* holds a second interval by model, which is drawn thin round the first.
    """
    wide = wide or {}
    drawn = [
        _Drawn(row, row.low, row.rating, row.high, row.tier, wide.get(row.model))
        for row in board.ratings
        if row.low is not None and row.rating is not None and row.high is not None and row.tier is not None
    ]
    if not drawn:
        return None
    ends = [end for each in drawn for end in (each.low, each.high, *(each.wide or ()))]
    scale = _scale(min(ends), max(ends))
    height = units(TOP + ROW * len(drawn))
    return IntervalPlot(
        width=units(WIDTH),
        height=height,
        view_box=f"0 0 {units(WIDTH)} {height}",
        label_x=units(LABELS - 12),
        tick_y=units(TOP - 12),
        top=units(TOP),
        bars=tuple(_bar(each, place, scale) for place, each in enumerate(drawn)),
        ticks=tuple(Tick(scale.x(value), value) for value in range(scale.first, scale.last + 1, scale.step)),
        bands=_bands(drawn),
    )


def _bar(drawn: _Drawn, place: int, scale: _Scale) -> Bar:
    return Bar(
        model=drawn.row.model,
        y=units(TOP + ROW * (place + 0.5)),
        x_low=scale.x(drawn.low),
        x=scale.x(drawn.rating),
        x_high=scale.x(drawn.high),
        tier=drawn.tier,
        provisional=drawn.row.status is Status.PROVISIONAL,
        x_wide_low=scale.x(drawn.wide[0]) if drawn.wide else "",
        x_wide_high=scale.x(drawn.wide[1]) if drawn.wide else "",
    )


def _bands(drawn: list[_Drawn]) -> tuple[Band, ...]:
    bands, y = [], TOP
    for tier, members in groupby(drawn, key=lambda each: each.tier):
        height = ROW * len(list(members))
        bands.append(Band(tier, units(y), units(height), tier % 2 == 1))
        y += height
    return tuple(bands)


def _scale(least: float, most: float) -> _Scale:
    """Round ends and a round distance (1, 2 or 5 times a power of ten, at least 10) that give at most ten ticks."""
    step = 10
    while (most - least) / step > 8:
        step = step * 5 // 2 if str(step).startswith("2") else step * 2
    first = floor(least / step) * step
    return _Scale(first, max(ceil(most / step) * step, first + step), step)


def units(length: float) -> str:
    """A length as SVG wants it, whatever the reader's language: two decimals at most."""
    return f"{length:.2f}".rstrip("0").rstrip(".")
