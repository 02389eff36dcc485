"""Geometry of a bar chart of shares, in SVG user units. Templates draw it; lengths are text, as in :mod:`ranking.plot`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ranking.plot import units

WIDTH = 640.0
LABELS = 170.0  # room for the names, left of the bars
NUMBERS = 70.0  # room for the numbers, right of the longest bar
ROW = 28.0
THICK = 16.0


@dataclass(frozen=True, slots=True)
class ShareBar:
    """A bar from *x* over *width*, *y* its upper edge; its name and number stand at the height *middle*, the number from *after* on. No number: no bar."""

    name: str
    share: float | None
    y: str
    middle: str
    width: str
    after: str


@dataclass(frozen=True, slots=True)
class BarChart:
    """The chart; names end at *label_x*. *column* says what the names are values of."""

    view_box: str
    label_x: str
    x: str
    thick: str
    column: str
    bars: tuple[ShareBar, ...]


def bar_chart(shares: Sequence[tuple[str, float | None]], *, column: str) -> BarChart | None:
    """The longest bar takes all the width there is; nothing is drawn of no shares at all."""
    longest = max((share for _, share in shares if share is not None), default=0.0)
    if longest <= 0:
        return None
    bars = []
    for at, (name, share) in enumerate(shares):
        width = (WIDTH - LABELS - NUMBERS) * (share or 0.0) / longest
        top = at * ROW + (ROW - THICK) / 2
        middle, after = units(at * ROW + ROW / 2), units(LABELS + width + 6)
        bars.append(ShareBar(name, share, units(top), middle, units(width), after))
    box = f"0 0 {units(WIDTH)} {units(ROW * len(bars))}"
    return BarChart(box, units(LABELS - 10), units(LABELS), units(THICK), column, tuple(bars))
