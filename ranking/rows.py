"""Text to rows: CSV or JSON lines, each row with the line it starts on."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ranking.errors import BadInput

Row = tuple[int, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of a file.

    Parameters
    ----------
    columns
        The header of CSV, or the keys of the first JSON row.
    rows
        1-based line and cells of each row.
    header_line
        The line that the columns were read from.
    """

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    header_line: int = 1

    def need(self, *columns: str) -> None:
        """Raises ``BadInput`` where the header lacks one of *columns*."""
        for column in columns:
            if column not in self.columns:
                raise BadInput("this column is missing", line=self.header_line, column=column)

    def has(self, column: str) -> bool:
        """Whether the header has *column*, or any row does: JSON rows may leave out a key that is not always there."""
        return column in self.columns or any(column in row for _, row in self.rows)


def read_table(text: str) -> Table:
    """The rows of CSV with a header, or of JSON lines, told apart by the first character. Raises ``BadInput`` with line and column."""
    return _json(text) if text.lstrip().startswith(("{", "[")) else _csv(text)


def _json(text: str) -> Table:
    rows = tuple(
        (line, _object(line, written))
        for line, written in enumerate(text.split("\n"), start=1)
        if written.strip()
    )
    return Table(tuple(rows[0][1]), rows, header_line=rows[0][0])


def _object(line: int, written: str) -> Mapping[str, Any]:
    try:
        row = json.loads(written)
    except json.JSONDecodeError as error:
        raise BadInput(f"is not JSON: {error.msg}", line=line, column=str(error.colno)) from None
    except (ValueError, RecursionError):
        raise BadInput("is JSON out of all proportion", line=line, column="1") from None
    if not isinstance(row, dict):
        raise BadInput("is not a JSON object; one object a line is needed", line=line, column="1")
    return row


def _csv(text: str) -> Table:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    with _any_field_length():
        try:
            header = next(reader, None)
            if not header:
                raise BadInput(
                    "is empty; a header with model_a, model_b, winner is needed", line=1, column="model_a"
                )
            columns = tuple(name.strip() for name in header)
            repeated = next((name for place, name in enumerate(columns) if name in columns[:place]), None)
            if repeated is not None:
                raise BadInput("this column stands twice", line=1, column=repeated or "with no name")
            return Table(columns, tuple(_csv_rows(reader, columns)))
        except csv.Error as error:
            raise BadInput(f"is not CSV: {error}", line=reader.line_num, column="1") from None


def _csv_rows(reader: Any, columns: tuple[str, ...]) -> Iterator[Row]:
    line = reader.line_num + 1
    for cells in reader:
        if cells and len(cells) != len(columns):
            at = columns[len(cells)] if len(cells) < len(columns) else str(len(columns) + 1)
            raise BadInput(f"{len(cells)} cells under a header of {len(columns)}", line=line, column=at)
        if cells:
            yield line, dict(zip(columns, cells, strict=True))
        line = reader.line_num + 1


@contextmanager
def _any_field_length() -> Iterator[None]:
    """Files of votes may carry whole conversations in columns that do not matter here."""
    before = csv.field_size_limit(sys.maxsize)
    try:
        yield
    finally:
        csv.field_size_limit(before)
