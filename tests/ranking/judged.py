"""Files of the export layout ``judgements``, made up."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ranking.cells import WORDS
from ranking.judgements import Judgements, read_judgements
from ranking.rows import read_table
from ranking.types import Criterion, Outcome

WORD = [WORDS[outcome] for outcome in Outcome]
Row = dict[str, Any]


def row(**other: Any) -> Row:
    """One judgement of a vote that counts."""
    return {
        "username": "ane",
        "campaign": "lehia",
        "timestamp": "2026-03-02T10:00:00.000000+00:00",
        "criterion": "overall",
        "was_asked": False,
        "winner": "model_a",
        "model_a": "x",
        "model_b": "y",
        "exclusions": [],
        "display": "paced",
        "user_language": "C1-C2",
        "user_education": "Bachelor",
        "turns": 1,
        "prompt": "p1",
        "prompt_chars": 30,
        "prompt_language": "eu",
        **other,
    }


def crowd(
    n: int = 240, *, users: int = 20, seed: int = 3, models: Sequence[str] = ("x", "y", "z")
) -> list[Row]:
    """*n* votes without preference, each a row of all three criteria, over four weeks."""
    rng = np.random.default_rng(seed)
    rows = []
    for at in range(n):
        a = int(rng.integers(len(models)))
        b = (a + int(rng.integers(1, len(models)))) % len(models)
        who = int(rng.integers(users))
        about = {
            "username": f"u{who}",
            "timestamp": f"2026-03-{1 + at * 28 // n:02}T10:00:00.000000+00:00",
            "model_a": models[a],
            "model_b": models[b],
            "user_language": ("A1-A2", "B1-B2", "C1-C2")[who % 3],
            "prompt": f"p{int(rng.integers(6))}",
            "prompt_chars": int(rng.integers(1, 900)),
            "prompt_language": ("eu", "es")[int(rng.integers(2))],
            "turns": int(rng.integers(1, 4)),
            "display": ("paced", "unpaced")[int(rng.integers(2))],
            "exclusions": [["guest"], []][at % 8 > 0],
        }
        rows += [row(criterion=each.value, winner=WORD[int(rng.integers(4))], **about) for each in Criterion]
    return rows


def lines(rows: Sequence[Mapping[str, Any]]) -> str:
    return "".join(json.dumps(each) + "\n" for each in rows)


def judgements(rows: Sequence[Mapping[str, Any]], criterion: Criterion = Criterion.OVERALL) -> Judgements:
    return read_judgements(read_table(lines(rows)), criterion)


def file_of(folder: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    path = folder / "judgements.jsonl"
    path.write_text(lines(rows))
    return path
