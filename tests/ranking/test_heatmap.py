from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranking.heatmap import CELL, LABELS, TOP, heat_map


def drawn(values: np.ndarray, middle: float = 0.5, reach: float = 0.5):  # type: ignore[no-untyped-def]  # inferred well enough
    m = len(values)
    texts = [[f"{i}{j}" for j in range(m)] for i in range(m)]
    return heat_map([f"m{i}" for i in range(m)], values, texts, middle=middle, reach=reach)


def test_each_pair_has_its_cell_and_the_diagonal_none() -> None:
    found = drawn(np.array([[0.5, 1.0], [0.0, 0.5]]))
    assert [(cell.text, cell.over, cell.shade) for cell in found.cells] == [
        ("01", True, "1"),
        ("10", False, "1"),
    ]
    assert [(line.model, line.number) for line in found.lines] == [("m0", 1), ("m1", 2)]


def test_a_pair_that_never_met_has_no_cell() -> None:
    values = np.full((3, 3), 0.5)
    values[0, 1] = values[1, 0] = np.nan
    assert {cell.text for cell in drawn(values).cells} == {"02", "20", "12", "21"}


def test_without_models_there_is_nothing_to_draw() -> None:
    assert drawn(np.zeros((0, 0))) is None


@given(st.integers(1, 8), st.floats(-100, 100), st.floats(0.1, 50))
def test_cells_stay_inside_the_picture_and_shades_between_nothing_and_all(
    m: int, middle: float, reach: float
) -> None:
    values = np.linspace(-100, 100, m * m).reshape(m, m)
    found = drawn(values, middle, reach)
    _, _, width, height = map(float, found.view_box.split())
    assert (width, height) == pytest.approx((LABELS + CELL * m, TOP + CELL * m))
    for cell in found.cells:
        assert LABELS <= float(cell.x) <= width - CELL + 0.01
        assert TOP <= float(cell.y) <= height - CELL + 0.01
        assert 0 <= float(cell.shade) <= 1
