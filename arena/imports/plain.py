"""A raw row as plain values that the database gives back as they are."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date, datetime
from math import isfinite
from typing import Any, NoReturn

from ranking.errors import BadInput

Raw = bytes | Mapping[str, Any] | BadInput
"""A line of JSON, a row of Parquet, or why the file cannot be read further."""

Row = dict[str, Any]
_ALL_WHOLE = (
    2.0**53
)  # floats from here on are whole; their shortest form, which JSON has, is another whole number to the database
_DEEPEST = 100  # levels: said here, as the interpreter's own limit is whatever a library has set it to
_UNSTORABLE = re.compile("[\\0\\ud800-\\udfff]")


def plain_row(line: int, raw: Raw) -> Row:
    """The columns of a row. Raises ``BadInput`` with line and column."""
    if isinstance(raw, BadInput):
        raise raw
    columns = _parsed(line, raw) if isinstance(raw, bytes) else raw
    return {_name(line, column): _cell(line, column, value) for column, value in columns.items()}


def without_nulls(value: Any) -> Any:
    """What is left once absent keys and null ones are the same, as they are in Parquet."""
    if isinstance(value, dict):
        return {key: without_nulls(each) for key, each in value.items() if each is not None}
    return [without_nulls(each) for each in value] if isinstance(value, list) else value


def _parsed(line: int, raw: bytes) -> Mapping[str, Any]:
    try:
        row = json.loads(raw.decode(), parse_constant=_refused)
    except UnicodeDecodeError as error:
        raise BadInput("is not UTF-8", line=line, column=f"byte {error.start + 1}") from None
    except json.JSONDecodeError as error:
        raise BadInput(f"is not JSON: {error.msg}", line=line, column=str(error.colno)) from None
    except (ValueError, RecursionError):
        raise BadInput("is JSON out of all proportion", line=line, column="1") from None
    if not isinstance(row, dict):
        raise BadInput("is not a JSON object; one object a line is needed", line=line, column="1")
    return row


def _refused(name: str) -> NoReturn:
    raise ValueError(name)


def _name(line: int, column: str) -> str:
    if not _storable(column):
        raise BadInput("a column's name holds a character that cannot be stored", line=line)
    return column


def _cell(line: int, column: str, value: object) -> Any:
    try:
        return _plain(value)
    except ValueError as error:
        raise BadInput(str(error), line=line, column=column) from None


def _plain(value: object, depth: int = 0) -> Any:
    """Times become text. Raises ``ValueError`` for what a database of JSON has no place for."""
    if depth > _DEEPEST:
        raise ValueError(f"is nested more than {_DEEPEST} levels deep")
    match value:
        case None | bool() | int():
            return value
        case str() if _storable(value):
            return value
        case float() if isfinite(value):
            return value if abs(value) < _ALL_WHOLE else int(value)
        case datetime() | date():
            return value.isoformat()
        case list():
            return [_plain(each, depth + 1) for each in value]
        case dict():
            return {_plain(key): _plain(each, depth + 1) for key, each in value.items()}
        case str():
            raise ValueError("holds a character that cannot be stored: NUL, or half of a pair")
    raise ValueError(f"holds a {type(value).__name__} that cannot be stored")


def _storable(text: str) -> bool:
    return _UNSTORABLE.search(text) is None
