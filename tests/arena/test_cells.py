"""Values of tables as people read them."""

from __future__ import annotations

import numpy as np
import pytest
from django.template import Context
from django.utils import translation

from arena.templatetags.lehia import cell, cells, heat_cells
from ranking.heatmap import heat_map


@pytest.mark.parametrize(
    ("value", "column", "shown"),
    [
        (0.869, "win_rate", "0.87"),
        (1022.6, "rating", "1,023"),
        (-0.3, "rating", "0"),
        (-0.6, "rating", "-1"),
        (7, "battles", "7"),
        (12890, "battles", "12,890"),
        (None, "rating", "—"),
        (True, "anything", "yes"),
        ("eu", "language", "Basque"),
        ("eu", "anything", "eu"),
        ("unknown", "language", "unknown"),
    ],
)
def test_a_value_is_shown_as_its_column_asks(value: object, column: str, shown: str) -> None:
    with translation.override("en"):
        assert cell(Context(), value, column, {}) == shown


def test_a_model_is_shown_by_name_and_markup_in_it_is_no_markup() -> None:
    context = Context({"linked": {"a"}, "criterion": "overall", "board": type("Board", (), {"slug": "b"})})
    assert cell(context, "x", "model", {"x": "Izena"}) == "Izena"
    assert cell(context, "a", "opponent", {"a": "<b>"}) == (
        '<a href="/leaderboard/b/models/a/?criterion=overall">&lt;b&gt;</a>'
    )


def test_a_row_is_headed_by_its_first_value() -> None:
    shown = cells(Context(), ("<x>", 7, None), ("model", "battles", "rating"), {})
    assert shown == '<th scope="row">&lt;x&gt;</th><td>7</td><td>—</td>'


def test_a_heat_map_has_a_square_with_its_text_for_each_pair() -> None:
    geometry = heat_map(
        ["x", "y"], np.array([[np.nan, 0.9], [0.1, np.nan]]), [["", "<9>"], ["1", ""]], middle=0.5, reach=0.4
    )
    assert geometry
    drawn = heat_cells(geometry)
    assert (drawn.count("<rect"), drawn.count("<text"), drawn.count("on-dark")) == (2, 2, 2)
    assert drawn.index('class="over"') < drawn.index("&lt;9&gt;") < drawn.index('class="under"')
