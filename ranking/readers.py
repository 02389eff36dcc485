"""Files of votes: pair counts, or one vote a row, as CSV or JSON lines, plain or gzip."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np

from ranking.errors import BadInput
from ranking.rows import Table, read_table
from ranking.tally import Tally
from ranking.types import MODEL_NAME_MAX_CHARS, Criterion, Outcome

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
_MOST_VOTES = 2**53  # the last count that a float holds exactly
_WHOLE = re.compile(r"[0-9]{1,16}", re.ASCII)


class Layout(StrEnum):
    PAIRS = "pairs"
    VOTES = "votes"


def read_tally(
    path: Path, *, criterion: Criterion = Criterion.OVERALL, layout: Layout | None = None
) -> Tally:
    """The tally in a file.

    Parameters
    ----------
    path
        Pair counts (``model_a,model_b,n,a_wins,b_wins,ties``) or votes (``model_a,model_b,winner``, optionally ``winner_content`` and
        ``winner_language``), as CSV or JSON lines, plain or gzip. Columns beyond these are ignored.
    criterion
        Which winner to read; pair counts hold the overall one alone.
    layout
        What the file must hold; found from its columns if left out.

    Raises
    ------
    BadInput
        With line and column. Nothing is read in part.
    """
    table = read_table(_text(path))
    columns = set(table.columns)
    pairs = {"a_wins", "b_wins"} & columns and "winner" not in columns
    found = layout or (Layout.PAIRS if pairs else Layout.VOTES)
    if found is Layout.PAIRS:
        return _from_pairs(table, criterion)
    return _from_votes(table, _WINNER[criterion])


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
        if data.startswith(b"\x1f\x8b"):
            data = gzip.decompress(data)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise BadInput("the gzip data is damaged") from None
    except OSError as error:
        raise BadInput(error.strerror or "cannot be read") from None
    if data.startswith(b"PAR1"):
        raise BadInput("Parquet is not in this version; use CSV or JSON lines")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        place = error.start - before.rfind(b"\n")
        raise BadInput("is not UTF-8", line=before.count(b"\n") + 1, column=f"byte {place}") from None


def _from_votes(table: Table, column: str) -> Tally:
    table.need("model_a", "model_b", column)
    votes = []
    for line, row in table.rows:
        model_a, model_b = _models(line, row)
        raw = row.get(column)
        if not isinstance(raw, str) or raw not in _OUTCOMES:
            raise BadInput(f"{_shown(raw)} is none of {', '.join(_OUTCOMES)}", line=line, column=column)
        if str(row.get("weight", 1)) not in {"1", "1.0"}:
            raise BadInput("weights are not in this version", line=line, column="weight")
        votes.append((model_a, model_b, _OUTCOMES[raw]))
    return Tally.from_votes(votes)


def _from_pairs(table: Table, criterion: Criterion) -> Tally:
    table.need(*PAIR_COLUMNS)
    if criterion is not Criterion.OVERALL:
        raise BadInput("pair counts carry one criterion, overall")
    pairs = [(*_models(line, row), *_results(line, row)) for line, row in table.rows]
    names = tuple(sorted({name for pair in pairs for name in pair[:2]}))
    place = {name: index for index, name in enumerate(names)}
    counts = np.zeros((len(names), len(names), 4), dtype=np.int64)
    total = 0
    for (line, _), (model_a, model_b, a_wins, b_wins, ties) in zip(table.rows, pairs, strict=True):
        total += a_wins + b_wins + ties
        if total >= _MOST_VOTES:
            raise BadInput("the votes up to here are too many to count", line=line, column="n")
        counts[place[model_a], place[model_b], :3] += (a_wins, b_wins, ties)
    return Tally(names, counts)


def _results(line: int, row: Mapping[str, Any]) -> tuple[int, int, int]:
    n, a_wins, b_wins, ties = (_count(line, row, column) for column in PAIR_COLUMNS[2:])
    if n != a_wins + b_wins + ties:
        raise BadInput(f"{n} is not a_wins + b_wins + ties = {a_wins + b_wins + ties}", line=line, column="n")
    return a_wins, b_wins, ties


def _models(line: int, row: Mapping[str, Any]) -> tuple[str, str]:
    model_a, model_b = (_model(line, row, column) for column in ("model_a", "model_b"))
    if model_a == model_b:
        raise BadInput(f"{_shown(model_b)} meets itself", line=line, column="model_b")
    return model_a, model_b


def _model(line: int, row: Mapping[str, Any], column: str) -> str:
    raw = row.get(column)
    if not isinstance(raw, str) or not raw.strip():
        raise BadInput("a model's name is missing", line=line, column=column)
    name = raw.strip()
    if len(name) > MODEL_NAME_MAX_CHARS or not name.isprintable():
        raise BadInput(
            f"{_shown(name)} is no name: at most {MODEL_NAME_MAX_CHARS} printable characters",
            line=line,
            column=column,
        )
    return name


def _count(line: int, row: Mapping[str, Any], column: str) -> int:
    raw = row.get(column)
    written = str(raw).strip()
    if not _WHOLE.fullmatch(written):
        raise BadInput(f"{_shown(raw)} is not a count", line=line, column=column)
    return int(written)


def _shown(raw: object) -> str:
    shown = repr(raw)
    return shown if len(shown) <= 60 else f"{shown[:56]}...'"
