"""Geometry of a heat map of pairs, in SVG user units. Templates draw it; lengths are text, as in :mod:`ranking.plot`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ranking.plot import units
from ranking.tally import Matrix

CELL = 34.0
LABELS = 200.0  # room for the rows' names
TOP = 40.0  # room for the columns' numbers


@dataclass(frozen=True, slots=True)
class Cell:
    """One pair at *x*, *y*: *text* in it, *shade* from 0 to 1, *over* where the value lies above the middle."""

    x: str
    y: str
    text_x: str
    text_y: str
    text: str
    shade: str
    over: bool
    dark: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A row: its name at *y*, and the same model's column number at *x*."""

    model: str
    number: int
    x: str
    y: str


@dataclass(frozen=True, slots=True)
class HeatMap:
    view_box: str
    cell: str
    label_x: str
    top_y: str
    lines: tuple[Line, ...]
    cells: tuple[Cell, ...]


def heat_map(
    models: Sequence[str], values: Matrix, texts: Sequence[Sequence[str]], *, middle: float, reach: float
) -> HeatMap | None:
    """A square of cells, rows and columns in the order of *models*; ``None`` without models.

    Parameters
    ----------
    models
        The ``m`` models' names.
    values
        Shape ``(m, m)``; a cell whose value is not a number is left out, as the diagonal is.
    texts
        ``m`` rows of ``m`` texts for the cells.
    middle, reach
        The value without shade, and the distance from it at which the shade is full, above 0.
    """
    m = len(models)
    if not m:
        return None
    side = units(LABELS + CELL * m)
    cells = [
        _cell(i, j, texts[i][j], (float(values[i, j]) - middle) / reach)
        for i in range(m)
        for j in range(m)
        if i != j and np.isfinite(values[i, j])
    ]
    lines = [
        Line(model, place + 1, units(LABELS + CELL * (place + 0.5)), units(TOP + CELL * (place + 0.5)))
        for place, model in enumerate(models)
    ]
    return HeatMap(
        view_box=f"0 0 {side} {units(TOP + CELL * m)}",
        cell=units(CELL - 1),
        label_x=units(LABELS - 10),
        top_y=units(TOP - 12),
        lines=tuple(lines),
        cells=tuple(cells),
    )


def _cell(i: int, j: int, text: str, distance: float) -> Cell:
    """The cell of row *i* and column *j*, *distance* reaches away from the middle."""
    shade = min(1.0, abs(distance))
    x, y = LABELS + CELL * j, TOP + CELL * i
    return Cell(
        x=units(x),
        y=units(y),
        text_x=units(x + CELL / 2),
        text_y=units(y + CELL / 2),
        text=text,
        shade=units(shade),
        over=distance >= 0,
        dark=shade > 0.55,
    )
