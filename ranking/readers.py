"""Files of votes: pair counts, or one vote a row, as CSV or JSON lines, plain or gzip."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ranking.errors import BadInput
from ranking.tally import Tally
from ranking.types import Criterion, Outcome

Row = tuple[int, Mapping[str, Any]]

PAIR_COLUMNS = ("model_a", "model_b", "n", "a_wins", "b_wins", "ties")
_OUTCOMES = {
    "model_a": Outcome.A_BETTER,
    "model_b": Outcome.B_BETTER,
    "tie": Outcome.TIE,
    "both_bad": Outcome.BOTH_BAD,
    "tie (bothbad)": Outcome.BOTH_BAD,
}
_WINNER = {
    Criterion.OVERALL: "winner",
    Criterion.CONTENT: "winner_content",
    Criterion.LANGUAGE: "winner_language",
}


def read_tally(path: Path, *, criterion: Criterion = Criterion.OVERALL) -> Tally:
    """The tally in a file, its layout found from its columns.

    Parameters
    ----------
    path
        Pair counts (``model_a,model_b,n,a_wins,b_wins,ties``) or votes (``model_a,model_b,winner``, optionally ``winner_content`` and
        ``winner_language``), as CSV or JSON lines, plain or gzip. Columns beyond these are ignored.
    criterion
        Which winner to read; pair counts hold the overall one alone.

    Raises
    ------
    BadInput
        With line and column. Nothing is read in part.
    """
    rows = list(_rows(_text(path)))
    columns = set(rows[0][1]) if rows else set()
    if rows and set(PAIR_COLUMNS) <= columns:
        if criterion is not Criterion.OVERALL:
            raise BadInput("pair counts carry one criterion, overall")
        return _from_pairs(rows)
    return _from_votes(rows, _WINNER[criterion])


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
        return data.decode("utf-8-sig")
    except OSError as error:
        raise BadInput(error.strerror or "cannot be read") from None
    except EOFError:
        raise BadInput("the gzip data ends too early") from None
    except UnicodeDecodeError as error:
        raise BadInput("is not UTF-8", line=error.object[: error.start].count(b"\n") + 1) from None


def _rows(text: str) -> Iterator[Row]:
    if text.lstrip().startswith("{"):
        yield from _json_rows(text)
    else:
        yield from _csv_rows(text)


def _json_rows(text: str) -> Iterator[Row]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise BadInput(f"is not JSON at character {error.colno}: {error.msg}", line=number) from None
        if not isinstance(row, dict):
            raise BadInput("is not a JSON object", line=number)
        yield number, row


def _csv_rows(text: str) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text), strict=True)
    try:
        header = next(reader, None)
        if header is None:
            raise BadInput("is empty; a header with model_a, model_b, winner is needed")
        missing = [name for name in ("model_a", "model_b") if name not in header]
        missing += [] if {"winner", "a_wins"} & set(header) else ["winner"]
        if missing:
            raise BadInput("the header lacks this column", line=1, column=missing[0])
        for cells in reader:
            if not cells:
                continue
            if len(cells) != len(header):
                raise BadInput(
                    f"has {len(cells)} cells where the header has {len(header)}", line=reader.line_num
                )
            yield reader.line_num, dict(zip(header, cells, strict=True))
    except csv.Error as error:
        raise BadInput(str(error), line=reader.line_num) from None


def _from_votes(rows: Iterable[Row], column: str) -> Tally:
    votes = []
    for line, row in rows:
        model_a, model_b = _models(line, row)
        raw = row.get(column)
        if not isinstance(raw, str) or raw not in _OUTCOMES:
            raise BadInput(f"{raw!r} is none of {', '.join(_OUTCOMES)}", line=line, column=column)
        votes.append((model_a, model_b, _OUTCOMES[raw]))
    return Tally.from_votes(votes)


def _from_pairs(rows: list[Row]) -> Tally:
    names = sorted({name for line, row in rows for name in _models(line, row)})
    place = {name: index for index, name in enumerate(names)}
    counts = np.zeros((len(names), len(names), 4), dtype=np.int64)
    for line, row in rows:
        n, a_wins, b_wins, ties = (_count(line, row, column) for column in PAIR_COLUMNS[2:])
        if n != a_wins + b_wins + ties:
            raise BadInput(
                f"{n} is not a_wins + b_wins + ties = {a_wins + b_wins + ties}", line=line, column="n"
            )
        counts[place[row["model_a"]], place[row["model_b"]], :3] += (a_wins, b_wins, ties)
    return Tally(tuple(names), counts)


def _models(line: int, row: Mapping[str, Any]) -> tuple[str, str]:
    for column in ("model_a", "model_b"):
        if not isinstance(row.get(column), str) or not row[column].strip():
            raise BadInput("a model's name is missing", line=line, column=column)
    if row["model_a"] == row["model_b"]:
        raise BadInput(f"{row['model_b']!r} meets itself", line=line, column="model_b")
    return row["model_a"], row["model_b"]


def _count(line: int, row: Mapping[str, Any], column: str) -> int:
    try:
        count = int(str(row[column]))
    except ValueError:
        raise BadInput(f"{row[column]!r} is not a whole number", line=line, column=column) from None
    if not 0 <= count < 2**53:
        raise BadInput(f"{count} is not a count", line=line, column=column)
    return count
