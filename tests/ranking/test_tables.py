from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranking.tables import Table, to_csv, to_json, to_latex

SMALL = Table("board", ("model", "rating", "n"), (("a_b & c", 1000.25, 3), ("d", None, 0)))

values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**9), 10**9),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs", "Cc"])),
)


@given(st.lists(st.tuples(values, values), max_size=6))
def test_json_gives_every_value_back(rows: list[tuple[object, object]]) -> None:
    table = Table("rows", ("x", "y"), tuple(rows))  # type: ignore[arg-type]  # what the strategy draws is a Value
    read = json.loads(to_json([table], criterion="overall"))
    assert read["criterion"] == "overall"
    assert [(row["x"], row["y"]) for row in read["rows"]] == rows


@given(
    st.lists(st.tuples(st.text(st.characters(exclude_categories=["Cs", "Cc"])), st.integers()), max_size=6)
)
def test_csv_gives_every_text_and_number_back(rows: list[tuple[str, int]]) -> None:
    head, *read = csv.reader(io.StringIO(to_csv(Table("rows", ("x", "y"), tuple(rows)))))
    assert head == ["x", "y"]
    assert [(text, int(number)) for text, number in read] == rows


def test_numbers_keep_all_their_digits_in_csv() -> None:
    third = Table("t", ("x",), ((1 / 3,),))
    assert float(to_csv(third).split("\n")[1]) == 1 / 3


def test_what_is_missing_is_empty_in_csv_null_in_json_and_a_dash_in_latex() -> None:
    assert to_csv(SMALL).split("\n")[2] == "d,,0"
    assert json.loads(to_json([SMALL]))["board"][1]["rating"] is None
    assert r"d & -- & 0 \\" in to_latex(SMALL)


def test_latex_escapes_what_would_break_it_and_aligns_by_kind() -> None:
    text = to_latex(SMALL, decimals=1)
    assert text.startswith("\\begin{tabular}{lrr}\n")
    assert r"a\_b \& c & 1000.2 & 3 \\" in text
    assert to_latex(Table("t", ("x",), (("~^\\",),))).count("textasciitilde") == 1


def test_an_empty_table_still_has_its_head() -> None:
    empty = Table("t", ("model", "n"), ())
    assert to_csv(empty) == "model,n\n"
    assert r"model & n \\" in to_latex(empty)
    assert json.loads(to_json([empty])) == {"t": []}


@pytest.mark.parametrize(
    ("columns", "rows", "said"),
    [
        (("x", "x"), (), "named twice"),
        (("x",), ((1, 2),), "2 values for 1"),
        (("x",), ((float("nan"),),), "not finite"),
        (("x",), ((float("inf"),),), "not finite"),
    ],
)
def test_what_is_no_table_is_refused(
    columns: tuple[str, ...], rows: tuple[tuple[float, ...], ...], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        Table("t", columns, rows)
