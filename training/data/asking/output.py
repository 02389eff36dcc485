"""A run's results, each file there whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from training.data.asking.journal import write_whole
from training.data.rows import Fields, line, open_to_write


def write_rows(path: Path, rows: Iterable[Fields]) -> int:
    """Write rows as JSON lines; returns how many."""
    part = path.with_name(f".part-{path.name}")
    count = 0
    with open_to_write(part) as file:
        for count, row in enumerate(rows, start=1):  # noqa: B007  # the count is what is returned
            file.write(line(row))
    part.replace(path)
    return count


def write_report(path: Path, report: Fields) -> None:
    write_whole(path, json.dumps(report, ensure_ascii=False, indent=1).encode() + b"\n")
