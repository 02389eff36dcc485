"""Geometry of one order of models against another, in SVG user units. Templates draw it; lengths are text, as in :mod:`ranking.plot`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ranking.plot import units

SIDE = 400.0  # of the square in which the points lie
EDGE = 56.0  # room for the ticks' values and the axis' name, left of the square and below it
MARGIN = 16.0  # above the square and right of it
STEP = 5


@dataclass(frozen=True, slots=True)
class Point:
    """A model, its *number* in the order of the call, at *x*, *y*; the number is written at *label_x*, *label_y*."""

    model: str
    number: int
    x: str
    y: str
    label_x: str
    label_y: str


@dataclass(frozen=True, slots=True)
class RankTick:
    """A rank, at *x* on the axis below and at *y* on the axis to the left."""

    rank: int
    x: str
    y: str


@dataclass(frozen=True, slots=True)
class RankScatter:
    """The square reaches from *left* to *right* and from *top* to *bottom*; equal ranks lie on its diagonal, best at the top left."""

    view_box: str
    left: str
    right: str
    top: str
    bottom: str
    tick_x: str
    tick_y: str
    middle_x: str
    middle_y: str
    name_x: str
    name_y: str
    points: tuple[Point, ...]
    ticks: tuple[RankTick, ...]


def rank_scatter(models: Sequence[str], across: Sequence[float], down: Sequence[float]) -> RankScatter | None:
    """A point a model, at its rank *across* and its rank *down*, 1 for the best; ``None`` for fewer than two models.

    Ranks lie between 1 and the number of models. Numbers count the models as they are given.
    """
    m = len(models)
    if m < 2:
        return None

    def at(rank: float) -> float:
        """How far from the square's beginning, half a rank of air at each end."""
        return (rank - 0.5) / m * SIDE

    points = tuple(
        _point(model, number, EDGE + at(x), MARGIN + at(y))
        for number, (model, x, y) in enumerate(zip(models, across, down, strict=True), start=1)
    )
    shown = sorted({1, *range(STEP, m + 1, STEP)}) if m > 2 * STEP else range(1, m + 1)
    return RankScatter(
        view_box=f"0 0 {units(EDGE + SIDE + MARGIN)} {units(MARGIN + SIDE + EDGE)}",
        left=units(EDGE),
        right=units(EDGE + SIDE),
        top=units(MARGIN),
        bottom=units(MARGIN + SIDE),
        tick_x=units(EDGE - 8),
        tick_y=units(MARGIN + SIDE + 18),
        middle_x=units(EDGE + SIDE / 2),
        middle_y=units(MARGIN + SIDE / 2),
        name_x=units(EDGE - 36),
        name_y=units(MARGIN + SIDE + 42),
        points=points,
        ticks=tuple(RankTick(rank, units(EDGE + at(rank)), units(MARGIN + at(rank))) for rank in shown),
    )


def _point(model: str, number: int, x: float, y: float) -> Point:
    return Point(model, number, units(x), units(y), units(x + 7), units(y - 6))
