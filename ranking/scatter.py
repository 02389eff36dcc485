"""Geometry of points on two axes, with error bars and a diagonal, in SVG user units. Templates draw it; lengths are text, as in :mod:`ranking.plot`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ranking.axes import Axis, Mark, axis
from ranking.plot import units

WIDTH, HEIGHT = 560.0, 460.0
LEFT, RIGHT, TOP, BOTTOM = 64.0, 20.0, 16.0, 52.0  # room for the values and titles of the axes


@dataclass(frozen=True, slots=True)
class Spot:
    """What to draw: a point, its error bar from *low* to *high* if it has one, a *name* beside it if it has one."""

    x: float
    y: float
    low: float | None = None
    high: float | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Dot:
    """A point drawn: its bar stands at *x* from *y_low* up to *y_high*, which are empty without one."""

    x: str
    y: str
    y_low: str
    y_high: str
    name: str
    name_x: str
    before: bool  # whether the name ends at name_x, for want of room behind it


@dataclass(frozen=True, slots=True)
class Scatter:
    """The picture. *diagonal* is a line ``x1, y1, x2, y2`` on which both values are equal, or nothing; titles are whatever the template writes there."""

    view_box: str
    left: str
    right: str
    top: str
    bottom: str
    title_x: str
    title_y: str
    middle_y: str
    values_x: str
    values_y: str
    x_title: object
    y_title: object
    dots: tuple[Dot, ...]
    x_marks: tuple[Mark, ...]
    y_marks: tuple[Mark, ...]
    diagonal: tuple[str, ...]


def scatter(
    spots: Sequence[Spot], *, x_title: object, y_title: object, diagonal: bool = False
) -> Scatter | None:
    """The picture of *spots*, whose numbers are finite; ``None`` without any.

    Titles are texts, or promises of one. With a *diagonal* both axes are one and the same scale, and a line shows where the values are equal.
    """
    if not spots:
        return None
    xs = [spot.x for spot in spots]
    ys = [each for spot in spots for each in (spot.y, spot.low, spot.high) if each is not None]
    if diagonal:
        xs = ys = [*xs, *ys]
    across = axis(min(xs), max(xs), start=LEFT, end=WIDTH - RIGHT)
    up = axis(min(ys), max(ys), start=HEIGHT - BOTTOM, end=TOP)
    ends = (across.at(across.first), up.at(up.first), across.at(across.last), up.at(up.last))
    return Scatter(
        view_box=f"0 0 {units(WIDTH)} {units(HEIGHT)}",
        left=units(LEFT),
        right=units(WIDTH - RIGHT),
        top=units(TOP),
        bottom=units(HEIGHT - BOTTOM),
        title_x=units((LEFT + WIDTH - RIGHT) / 2),
        title_y=units(HEIGHT - 10),
        middle_y=units((TOP + HEIGHT - BOTTOM) / 2),
        values_x=units(LEFT - 8),
        values_y=units(HEIGHT - BOTTOM + 18),
        x_title=x_title,
        y_title=y_title,
        dots=tuple(_dot(spot, across, up) for spot in spots),
        x_marks=across.marks(),
        y_marks=up.marks(),
        diagonal=tuple(units(each) for each in ends) if diagonal else (),
    )


def _dot(spot: Spot, across: Axis, up: Axis) -> Dot:
    x = across.at(spot.x)
    before = x > (LEFT + WIDTH) / 2
    return Dot(
        x=units(x),
        y=units(up.at(spot.y)),
        y_low="" if spot.low is None else units(up.at(spot.low)),
        y_high="" if spot.high is None else units(up.at(spot.high)),
        name=spot.name,
        name_x=units(x - 8 if before else x + 8),
        before=before,
    )
