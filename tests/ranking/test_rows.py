from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranking.errors import BadInput
from ranking.rows import read_table

cells = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\x00\r"), max_size=12)
tables = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(cells, min_size=width, max_size=width), min_size=1, max_size=6)
)


def test_csv_rows_carry_the_line_they_start_on() -> None:
    table = read_table('a,b\n1,"x\ny"\n\n2,z\n')
    assert table.columns == ("a", "b")
    assert table.rows == ((2, {"a": "1", "b": "x\ny"}), (5, {"a": "2", "b": "z"}))


def test_json_rows_carry_their_line_and_the_first_gives_the_columns() -> None:
    table = read_table('\n{"a": 1}\n\n{"b": 2}\n')
    assert (table.columns, table.header_line) == (("a",), 2)
    assert table.rows == ((2, {"a": 1}), (4, {"b": 2}))


def test_a_table_has_what_its_header_or_any_row_has() -> None:
    table = read_table('{"a": 1}\n{"b": 2}\n')
    assert (table.has("a"), table.has("b"), table.has("c")) == (True, True, False)
    assert read_table("a,b\n").has("b")


def test_a_line_separator_inside_json_text_is_no_line() -> None:
    assert len(read_table('{"a": "one\u2028two"}').rows) == 1


def test_windows_line_ends_are_seen_through() -> None:
    assert read_table("a,b\r\n1,2\r\n").rows == ((2, {"a": "1", "b": "2"}),)
    assert read_table('{"a": 1}\r\n{"a": 2}\r\n').rows == ((1, {"a": 1}), (2, {"a": 2}))


def test_names_in_the_header_may_have_spaces_around_them() -> None:
    assert read_table(" a , b\n1,2\n").columns == ("a", "b")


def test_a_needed_column_that_is_missing_is_named_with_the_headers_line() -> None:
    with pytest.raises(BadInput) as caught:
        read_table('\n\n{"a": 1}').need("a", "b")
    assert (caught.value.line, caught.value.column) == (3, "b")


@given(tables)
def test_what_pythons_csv_writes_is_read_back(rows: list[list[str]]) -> None:
    header = [f"c{place}" for place in range(len(rows[0]))]
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([header, *rows])
    table = read_table(out.getvalue())
    assert [list(row.values()) for _, row in table.rows] == rows
    written = out.getvalue().split("\n")
    for (line, _), cells_ in zip(table.rows, rows, strict=True):
        assert written[line - 1].startswith('"' + cells_[0].split("\n")[0].replace('"', '""'))


@given(st.lists(st.dictionaries(cells, st.none() | st.booleans() | st.integers() | cells), min_size=1))
def test_what_pythons_json_writes_is_read_back(rows: list[dict[str, object]]) -> None:
    text = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    assert [row for _, row in read_table(text).rows] == rows


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_in_our_own_words(text: str) -> None:
    try:
        table = read_table(text)
    except BadInput as error:
        assert error.line >= 1
        assert error.column
    else:
        assert table.columns
