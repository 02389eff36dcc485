"""Geometry of a board's interval chart, in SVG user units. Templates draw it."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor

from ranking.board import BoardResult

WIDTH = 640.0
LABELS = 220.0
ROW = 28.0
TOP = 24.0


@dataclass(frozen=True, slots=True)
class Bar:
    """One model: its interval from *x_low* to *x_high*, its rating at *x*."""

    model: str
    y: float
    x_low: float
    x: float
    x_high: float
    tier: int
    provisional: bool


@dataclass(frozen=True, slots=True)
class Tick:
    x: float
    value: int


@dataclass(frozen=True, slots=True)
class IntervalPlot:
    width: float
    height: float
    labels: float
    top: float
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]


def interval_plot(board: BoardResult) -> IntervalPlot | None:
    """The chart of the rated rows, best on top; ``None`` where no row has a rating."""
    rated = [
        (row, row.low, row.rating, row.high, row.tier)
        for row in board.ratings
        if row.low is not None and row.rating is not None and row.high is not None and row.tier is not None
    ]
    if not rated:
        return None
    least, most = min(low for _, low, _, _, _ in rated), max(high for _, _, _, high, _ in rated)
    step = _step(most - least)
    first, last = floor(least / step) * step, ceil(most / step) * step

    def x(value: float) -> float:
        return round(LABELS + (value - first) / (last - first) * (WIDTH - LABELS - 8), 2)

    return IntervalPlot(
        width=WIDTH,
        height=TOP + ROW * len(rated),
        labels=LABELS,
        top=TOP,
        bars=tuple(
            Bar(
                row.model,
                TOP + ROW * (place + 0.5),
                x(low),
                x(rating),
                x(high),
                tier,
                row.status == "provisional",
            )
            for place, (row, low, rating, high, tier) in enumerate(rated)
        ),
        ticks=tuple(Tick(x(value), value) for value in range(first, last + 1, step)),
    )


def _step(span: float) -> int:
    """A round distance between ticks that gives four to ten of them."""
    for step in (10, 20, 50, 100, 200, 500):
        if span / step <= 8:
            return step
    return 1000
