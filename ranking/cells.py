"""The cells of a row of votes: each is read, or refused with its line and column."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import isfinite
from typing import Any

from ranking.errors import BadInput
from ranking.types import MODEL_NAME_MAX_CHARS, Outcome

Cells = Mapping[str, Any]

WORDS = {
    Outcome.A_BETTER: "model_a",
    Outcome.B_BETTER: "model_b",
    Outcome.TIE: "tie",
    Outcome.BOTH_BAD: "both_bad",
}
"""An outcome as published files write it."""
OUTCOMES = {word: each for each, word in WORDS.items()} | {"tie (bothbad)": Outcome.BOTH_BAD}
_WHOLE = re.compile(r"[0-9]{1,16}", re.ASCII)
_NUMBER = re.compile(r"\+?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?", re.ASCII)


def models(line: int, row: Cells) -> tuple[str, str]:
    """The names of the two models, spaces around them stripped."""
    model_a, model_b = (_model(line, row, column) for column in ("model_a", "model_b"))
    if model_a == model_b:
        raise BadInput(f"{shown(model_b)} meets itself", line=line, column="model_b")
    return model_a, model_b


def outcome(line: int, row: Cells, column: str) -> Outcome:
    """The winner in *column*: a key of :data:`OUTCOMES`."""
    raw = row.get(column)
    if not isinstance(raw, str) or raw not in OUTCOMES:
        raise BadInput(f"{shown(raw)} is none of {', '.join(OUTCOMES)}", line=line, column=column)
    return OUTCOMES[raw]


def count(line: int, row: Cells, column: str) -> int:
    """A whole number of votes in digits."""
    raw = row.get(column)
    written = str(raw).strip()
    if not _WHOLE.fullmatch(written):
        raise BadInput(f"{shown(raw)} is not a count", line=line, column=column)
    return int(written)


def weight(line: int, row: Cells) -> float:
    """What the vote weighs: a finite decimal number that is not negative; 1 where the row has no such cell."""
    raw = row.get("weight", 1)
    written = str(raw).strip()
    number = float(written) if _NUMBER.fullmatch(written) else -1.0
    if number < 0 or not isfinite(number):
        raise BadInput(f"{shown(raw)} is not a weight: a number from 0", line=line, column="weight")
    return number


def voter(line: int, row: Cells, column: str) -> str:
    """Who voted, spaces stripped; empty where the cell is empty or null or the row lacks it. A whole number is a name, too."""
    raw = row.get(column)
    if raw is None:
        return ""
    if isinstance(raw, bool) or not isinstance(raw, str | int):
        raise BadInput(f"{shown(raw)} is not the name of a voter", line=line, column=column)
    return str(raw).strip()


def shown(raw: object) -> str:
    """A cell as an error message quotes it, cut short."""
    text = repr(raw)
    return text if len(text) <= 60 else f"{text[:56]}...'"


def _model(line: int, row: Cells, column: str) -> str:
    raw = row.get(column)
    if not isinstance(raw, str) or not raw.strip():
        raise BadInput("a model's name is missing", line=line, column=column)
    name = raw.strip()
    if len(name) > MODEL_NAME_MAX_CHARS or not name.isprintable():
        raise BadInput(
            f"{shown(name)} is no name: at most {MODEL_NAME_MAX_CHARS} printable characters",
            line=line,
            column=column,
        )
    return name
