"""Runs of a folder: found by name, read whatever state they are in, and nothing read that lies outside."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "schemas" / "run.schema.json"
LOST_AFTER = timedelta(minutes=10)
"""How old the heartbeat of a run that goes on may be, as the schema says."""
MOST_BYTES = 2**20  # of a run.json
MOST_RUNS = 2000  # folders that are looked at
_NAME = re.compile(r"[^./\x00-\x1f][^/\x00-\x1f]{0,119}")
_TIMES = ("created_at", "started_at", "ended_at", "heartbeat_at")
_MADE_LATER = {"export": "export/candidate.json", "card": "export/README.md", "checkpoints": "checkpoints"}


class RunState(StrEnum):
    PREPARED = "prepared"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    LOST = "lost"  # it goes on by its own words, but its heartbeat stopped
    BROKEN = "broken"  # run.json cannot be read


@dataclass(frozen=True, slots=True)
class Run:
    """A run's folder. *facts* are ``run.json``'s with their times as such; empty where it cannot be read, and then *fault* says why."""

    name: str
    folder: Path
    facts: dict[str, Any] = field(default_factory=dict)
    fault: str = ""

    def state(self, now: datetime) -> RunState:
        if not self.facts:
            return RunState.BROKEN
        goes_on = self.facts["status"] in {"prepared", "running"}
        is_lost = goes_on and now - self.facts["heartbeat_at"] > LOST_AFTER
        return RunState.LOST if is_lost else RunState(self.facts["status"])

    def file(self, relative: str) -> Path | None:
        """A regular file of the run; ``None`` where there is none, or it lies outside, by ``..`` or by a link."""
        found = self._inside(relative)
        return found if found is not None and found.is_file() else None

    @property
    def artefacts(self) -> dict[str, str]:
        """What there is of the run, by name: paths relative to its folder."""
        named: dict[str, str] = self.facts.get("artefacts", {}) | _MADE_LATER
        return {name: path for name, path in named.items() if self._inside(path) is not None}

    def _inside(self, relative: str) -> Path | None:
        try:
            found = (self.folder / relative).resolve(strict=True)
        except (OSError, ValueError):
            return None
        return found if found.is_relative_to(self.folder.resolve()) else None


def find(root: Path, name: str) -> Run | None:
    """The run of that name, straight under *root*; ``None`` for any other path."""
    if _NAME.fullmatch(name) is None:
        return None
    folder = root / name
    if not folder.is_dir() or folder.resolve().parent != root.resolve():
        return None
    return _read(folder)


def runs(root: Path) -> list[Run]:
    """All runs, the newest first, those that cannot be read last; none where there is no such folder."""
    try:
        with os.scandir(root) as found:
            names = sorted(each.name for each in found if each.is_dir())
    except OSError:
        return []
    read = [run for name in names[:MOST_RUNS] if (run := find(root, name))]
    good = sorted((run for run in read if run.facts), key=lambda run: run.facts["created_at"], reverse=True)
    return good + [run for run in read if not run.facts]


def tail(path: Path, *, most_bytes: int = 16 * 1024) -> str:
    """The last whole lines of a text file; what is no UTF-8 is shown as such."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - most_bytes))
        raw = file.read(most_bytes)
    if size > most_bytes:
        raw = raw.partition(b"\n")[2]
    return raw.decode(errors="replace")


@cache
def _validator() -> Draft202012Validator:
    # a second to load, where its formats are installed
    from jsonschema import Draft202012Validator

    return Draft202012Validator(json.loads(SCHEMA.read_text()))


def _read(folder: Path) -> Run:
    run = Run(folder.name, folder)
    path = run.file("run.json")
    if path is None:
        return Run(folder.name, folder, fault="run.json: not there")
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
        if len(raw) > MOST_BYTES:
            return Run(folder.name, folder, fault="run.json: larger than 1 MB")
        values = json.loads(raw)
        faults = list(_faults(values))
        facts = {} if faults else values | {each: _time(values[each]) for each in _TIMES}
    except OSError as error:
        return Run(folder.name, folder, fault=f"run.json: {error.strerror}")
    except (ValueError, RecursionError) as error:
        return Run(folder.name, folder, fault=f"run.json: {error}"[:300])
    return Run(folder.name, folder, facts, "; ".join(faults[:3]))


def _faults(values: object) -> Iterator[str]:
    for fault in _validator().iter_errors(values):
        yield f"run.json: {fault.json_path}: {fault.message}"[:300]


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)
