"""Geometry of intervals in groups, in SVG user units. Templates draw it; lengths are text, as in :mod:`ranking.plot`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, isfinite, log10

from ranking.plot import units

WIDTH = 640.0
NAMES = 170.0  # room for the groups' names
LABELS = 290.0  # where the scale begins, right of the strips' names
MARGIN = 20.0
ROW = 18.0
GAP = 10.0  # between groups
TOP = 28.0
_MOST_TICKS = 8


@dataclass(frozen=True, slots=True)
class Strip:
    """One interval of a group: its name, its ends and its value; without an interval the ends are the value."""

    name: str
    low: float
    value: float
    high: float


@dataclass(frozen=True, slots=True)
class StripRow:
    """A strip where it is drawn; *kind* counts them within their group, from 0."""

    name: str
    y: str
    x_low: str
    x: str
    x_high: str
    kind: int


@dataclass(frozen=True, slots=True)
class StripGroup:
    """A group: its *name* at *y*, beside its first strip; *line_y* lies above it."""

    name: str
    y: str
    line_y: str
    rows: tuple[StripRow, ...]


@dataclass(frozen=True, slots=True)
class StripTick:
    """A line of the scale at *x*, and the value it stands for."""

    x: str
    value: float
    zero: bool


@dataclass(frozen=True, slots=True)
class StripPlot:
    """The chart; groups' names end at *name_x*, strips' at *label_x*. *column* says what the strips' names are values of."""

    view_box: str
    width: str
    height: str
    top: str
    tick_y: str
    name_x: str
    label_x: str
    column: str
    groups: tuple[StripGroup, ...]
    ticks: tuple[StripTick, ...]


def strips(
    groups: Mapping[str, Sequence[Strip]], *, column: str, through: float | None = None
) -> StripPlot | None:
    """Lay groups of intervals out on one scale.

    Parameters
    ----------
    groups
        From a group's name to its strips, in the order in which they are drawn, with finite ends; groups without a strip are left out.
    column
        What the strips' names are values of, for whoever puts labels to them.
    through
        A value that the scale must hold, say 0 for effects.

    Returns
    -------
    StripPlot or None
        ``None`` where there is no strip.

    Raises
    ------
    ValueError
        If an end is no number.
    """
    drawn = {name: each for name, each in groups.items() if each}
    ends = [end for each in drawn.values() for strip in each for end in (strip.low, strip.value, strip.high)]
    if not ends:
        return None
    if not all(map(isfinite, ends)):
        raise ValueError("an end of a strip is no number")
    scale = _Scale.of(ends if through is None else [*ends, through])
    placed, y = [], TOP
    for name, each in drawn.items():
        rows = tuple(_row(strip, kind, y + ROW * (kind + 0.5), scale) for kind, strip in enumerate(each))
        placed.append(StripGroup(name, rows[0].y, units(y - GAP / 2), rows))
        y += ROW * len(rows) + GAP
    return StripPlot(
        view_box=f"0 0 {units(WIDTH)} {units(y)}",
        width=units(WIDTH),
        height=units(y),
        top=units(TOP - GAP / 2),
        tick_y=units(TOP - 14),
        name_x=units(NAMES),
        label_x=units(LABELS - 10),
        column=column,
        groups=tuple(placed),
        ticks=tuple(StripTick(scale.x(value), value, value == 0) for value in scale.ticks()),
    )


def _row(strip: Strip, kind: int, y: float, scale: _Scale) -> StripRow:
    return StripRow(strip.name, units(y), scale.x(strip.low), scale.x(strip.value), scale.x(strip.high), kind)


@dataclass(frozen=True, slots=True)
class _Scale:
    """From *first* to *last* steps, each *step* wide."""

    first: int
    last: int
    step: float

    @classmethod
    def of(cls, values: Sequence[float]) -> _Scale:
        """Steps of 1, 2 or 5 times a power of ten, at most about :data:`_MOST_TICKS` of them."""
        least, most = min(values), max(values)
        wanted = max(most - least, 1e-6 * max(abs(most), 1.0)) / _MOST_TICKS
        power = 10.0 ** floor(log10(wanted))
        step = next(power * times for times in (1, 2, 5, 10) if power * times >= wanted * (1 - 1e-12))
        first = floor(least / step)
        return cls(first, max(ceil(most / step), first + 1), step)

    def x(self, value: float) -> str:
        share = (value / self.step - self.first) / (self.last - self.first)
        return units(LABELS + share * (WIDTH - LABELS - MARGIN))

    def ticks(self) -> list[float]:
        return [round(place * self.step, 9) for place in range(self.first, self.last + 1)]
