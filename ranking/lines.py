"""Geometry of values over time or over steps, one line a name, in SVG user units. Templates draw it; lengths are text, as in :mod:`ranking.plot`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ranking.axes import Axis, Mark, axis
from ranking.plot import units

WIDTH, LEAST_HEIGHT = 720.0, 360.0
LEFT, RIGHT, TOP, BOTTOM = 56.0, 210.0, 16.0, 32.0  # right: room for the names
NAME_GAP = 17.0  # between the names' lines
KINDS = 4
"""How many kinds of line there are to tell neighbours apart."""


@dataclass(frozen=True, slots=True)
class Series:
    """A name's values, ``None`` where there was none at that time; an interval round the last one, if there is one."""

    name: str
    values: Sequence[float | None]
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A name's line: *path* is SVG's, broken where there was no value. The last value at *x*, *y*, its interval up from *y_low*, its name at *name_y*."""

    name: str
    kind: int
    path: str
    x: str
    y: str
    y_low: str
    y_high: str
    name_y: str


@dataclass(frozen=True, slots=True)
class Day:
    """A line of the time's scale, and its time as ISO 8601, or of the steps' scale, and its step."""

    at: str
    text: str


@dataclass(frozen=True, slots=True)
class Lines:
    view_box: str
    left: str
    right: str
    top: str
    bottom: str
    values_x: str
    days_y: str
    name_x: str
    leader_x: str  # where a thin line from a line's end to its name ends
    lines: tuple[Line, ...]
    marks: tuple[Mark, ...]
    days: tuple[Day, ...]


def lines(times: Sequence[datetime], series: Sequence[Series]) -> Lines | None:
    """The picture of *series*, whose values belong to *times*, ascending; ``None`` where no series has a value.

    A series without any value is left out. Times are written as they are given: put them into the reader's zone.
    """
    if not times:
        return None
    across = _across(times[0].timestamp(), times[-1].timestamp())
    return _lines([time.timestamp() for time in times], series, across, _days(times, across))


def lines_by_step(steps: Sequence[int], series: Sequence[Series]) -> Lines | None:
    """The same over *steps*, ascending, instead of times. Values that hardly differ are drawn as such: the scale spans a hundredth of them at least."""
    if not steps:
        return None
    across = _across(steps[0], steps[-1])
    return _lines(steps, series, across, _marked(steps[0], steps[-1], across), least_span=0.01)


def _lines(
    xs: Sequence[float],
    series: Sequence[Series],
    across: Axis,
    days: tuple[Day, ...],
    least_span: float = 0.0,
) -> Lines | None:
    drawn = [each for each in series if any(value is not None for value in each.values)]
    if not drawn:
        return None
    height = max(LEAST_HEIGHT, TOP + BOTTOM + NAME_GAP * len(drawn))
    values = [value for each in drawn for value in (*each.values, each.low, each.high) if value is not None]
    low, high = min(values), max(values)
    room = max(0.0, least_span * max(abs(low), abs(high)) - (high - low)) / 2
    up = axis(low - room, high + room, start=height - BOTTOM, end=TOP)
    ends = [up.at(_last(each)[1]) for each in drawn]
    names = _apart(ends, TOP + NAME_GAP / 2, height - BOTTOM)
    return Lines(
        view_box=f"0 0 {units(WIDTH)} {units(height)}",
        left=units(LEFT),
        right=units(WIDTH - RIGHT),
        top=units(TOP),
        bottom=units(height - BOTTOM),
        values_x=units(LEFT - 8),
        days_y=units(height - 10),
        name_x=units(WIDTH - RIGHT + 22),
        leader_x=units(WIDTH - RIGHT + 18),
        lines=tuple(
            _line(each, number, [across.at(x) for x in xs], up, name_y)
            for number, (each, name_y) in enumerate(zip(drawn, names, strict=True))
        ),
        marks=up.marks(),
        days=days,
    )


def _across(first: float, last: float) -> Axis:
    """From the first to the last; a single one stands at the right end."""
    return Axis(first if last > first else last - 1, last, 1.0, LEFT, WIDTH - RIGHT)


def _marked(first: int, last: int, across: Axis) -> tuple[Day, ...]:
    """Up to four steps at about even distances, both ends among them."""
    at = sorted({first + round((last - first) * share / 3) for share in range(4)})
    return tuple(Day(units(across.at(step)), str(step)) for step in at)


def _last(series: Series) -> tuple[int, float]:
    """Where the last value is, and what."""
    return next((place, value) for place, value in reversed([*enumerate(series.values)]) if value is not None)


def _line(series: Series, number: int, xs: Sequence[float], up: Axis, name_y: float) -> Line:
    place, value = _last(series)
    return Line(
        name=series.name,
        kind=number % KINDS,
        path=_path(xs, [None if each is None else up.at(each) for each in series.values]),
        x=units(xs[place]),
        y=units(up.at(value)),
        y_low="" if series.low is None else units(up.at(series.low)),
        y_high="" if series.high is None else units(up.at(series.high)),
        name_y=units(name_y),
    )


def _path(xs: Sequence[float], ys: Sequence[float | None]) -> str:
    """A point that stands alone is a line of no length, which round ends make visible."""
    parts, pen = [], False
    for place, (x, y) in enumerate(zip(xs, ys, strict=True)):
        if y is not None:
            at = f"{units(x)} {units(y)}"
            alone = not pen and (place + 1 == len(ys) or ys[place + 1] is None)
            parts.append(f"L{at}" if pen else f"M{at}L{at}" if alone else f"M{at}")
        pen = y is not None
    return "".join(parts)


def _apart(wanted: Sequence[float], top: float, bottom: float) -> list[float]:
    """Heights near the *wanted* ones, in the same order, at least ``NAME_GAP`` apart, none below *bottom*."""
    order = sorted(range(len(wanted)), key=lambda place: wanted[place])
    found, above = [0.0] * len(wanted), top - NAME_GAP
    for place in order:
        above = found[place] = max(wanted[place], above + NAME_GAP)
    below = bottom + NAME_GAP
    for place in reversed(order):
        below = found[place] = min(found[place], below - NAME_GAP)
    return found


def _days(times: Sequence[datetime], across: Axis) -> tuple[Day, ...]:
    """Up to four times at even distances, by the day, or by the minute where all lie within four days."""
    first, span = times[0], times[-1] - times[0]
    if not span:
        return (Day(units(across.at(first.timestamp())), first.strftime("%Y-%m-%d %H:%M")),)
    form = "%Y-%m-%d" if span > timedelta(days=4) else "%m-%d %H:%M"
    at = [first + span * share / 3 for share in range(4)]
    return tuple(Day(units(across.at(time.timestamp())), time.strftime(form)) for time in at)
