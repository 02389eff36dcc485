"""Files of votes as other arenas publish them, made up from the published counts of pairs."""

from __future__ import annotations

import gzip
import io
import json
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow
import pyarrow.parquet
from django.core.management import CommandError, call_command

from arena.selectors.imports import imported_votes, row_as_given
from ranking import reference
from ranking.models import Board
from ranking.readers import read_rows

Row = dict[str, Any]
FIRST = datetime(2025, 3, 19, 8, tzinfo=UTC)
_DECISIVE = ("model_a", "model_b")


def ebaluatoia_row(number: int = 1, **columns: Any) -> Row:
    """A row of the published schema."""
    said = [
        {"role": "system", "content": "Laguntzaile bat zara."},
        {"role": "user", "content": f"Kaixo {number}"},
    ]
    row = {
        "id": str(UUID(int=number)),
        "username": f"ahuntz-{number % 50}",
        "user_language": "C1-C2",
        "user_education": "Bachelor",
        "timestamp": (FIRST + timedelta(seconds=number)).isoformat(),
        "model_a": "x",
        "model_b": "y",
        "conv_a": [*said, {"role": "assistant", "content": "Egun on!"}],
        "conv_b": [*said, {"role": "assistant", "content": "Bai, ñ 🐐"}],
        "winner": "model_a",
        "winner_content": "model_a",
        "winner_language": "tie",
    }
    return row | columns


def lmarena_row(number: int = 1, **columns: Any) -> Row:
    def message(role: str, text: str) -> Row:
        return {"role": role, "content": [{"type": "text", "text": text}], "num_tokens": len(text)}

    asked = message("user", f"Kaixo {number}")
    row = {
        "id": str(UUID(int=number)),
        "model_a": "x",
        "model_b": "y",
        "winner": "both_bad",
        "evaluation_session_id": str(UUID(int=number // 2)),
        "evaluation_order": 1 + number % 2,
        "conversation_a": [asked, message("assistant", "Egun on!")],
        "conversation_b": [asked, message("assistant", "Bai")],
        "full_conversation": [{"user": asked, "model_side_a": "Egun on!", "model_side_b": "Bai"}],
        "conv_metadata": {
            "sum_assistant_a_tokens": 8, "turns": 1, "header_count_a": {"h1": 0, "h2": 3},
            "bold_count_a": {"**": 1, "__": 0}, "share": 0.25,
        },
        "category_tag": {"math_v0.1": {"math": False}, "if_v0.1": {"if": True, "score": 2}},
        "language": "eu",
        "is_code": False,
        "timestamp": (FIRST + timedelta(seconds=number)).isoformat(),
    }  # fmt: skip
    return row | columns


def published_rows(seed: int = 33) -> Iterator[Row]:
    """As many votes for each pair and outcome as the study published; sides, criteria, voters and texts are made up."""
    chance = random.Random(seed)
    number = 0
    for _, pair in read_rows(reference.pairs_path()).rows:
        names = (str(pair["model_a"]), str(pair["model_b"]))
        for won, column in ((names[0], "a_wins"), (names[1], "b_wins"), (None, "ties")):
            for _ in range(int(pair[column])):
                number += 1
                yield _published_row(number, chance, names, won)


def _published_row(number: int, chance: random.Random, names: tuple[str, str], won: str | None) -> Row:
    model_a, model_b = chance.sample(names, 2)
    winner = "tie" if won is None else "model_a" if won == model_a else "model_b"
    ways = [_DECISIVE, _DECISIVE[::-1]]
    ways += (
        [("tie", "tie")] * 4 if won is None else [(winner, winner)] * 4 + [(winner, "tie"), ("tie", winner)]
    )
    content, language = chance.choice(ways)
    return ebaluatoia_row(
        number,
        username=f"ahuntz-{chance.randrange(1285)}",
        user_language=chance.choice(["A1-A2", "B1-B2", "C1-C2", None]),
        user_education=chance.choice(["High School", "Vocational ed", "Bachelor", None]),
        timestamp=(FIRST + timedelta(seconds=chance.randrange(14 * 86400))).isoformat(),
        model_a=model_a,
        model_b=model_b,
        winner=winner,
        winner_content=content,
        winner_language=language,
    )


def write_lines(path: Path, rows: Sequence[Row]) -> Path:
    """As JSON lines, packed as the name says."""
    written = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    if path.suffix == ".gz":
        written = gzip.compress(written, 1)
    if path.suffix == ".zst":
        written = pyarrow.compress(written, codec="zstd", asbytes=True)
    path.write_bytes(written)
    return path


def write_parquet(path: Path, rows: Sequence[Row]) -> Path:
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(list(rows)), path, row_group_size=100)
    return path


def run(file: Path, layout: str, *options: str, board: str = "b") -> Row:
    """What the command reports."""
    out = io.StringIO()
    call_command("import_preferences", str(file), "--layout", layout, "--board", board, *options, stdout=out)
    report: Row = json.loads(out.getvalue())
    return report


def is_taken(file: Path, layout: str) -> bool:
    """Whether the command would import the file."""
    try:
        run(file, layout, "--dry-run")
    except CommandError:
        return False
    return True


def refusal(file: Path, layout: str, *, board: str = "b") -> list[str]:
    """The lines of what the command says, without the file's name."""
    try:
        run(file, layout, board=board)
    except CommandError as error:
        assert error.returncode == 2
        return str(error).removeprefix(f"{file}: ").split("\n  ")
    raise AssertionError("it was not refused")


def stored(board: str = "b") -> dict[str, Row]:
    """What is stored of a board, as rows of a file, by their ids."""
    rows = map(row_as_given, imported_votes(Board.objects.get(slug=board)))
    return {row["id"]: row for row in rows}
