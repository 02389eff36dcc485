"""The runs of a folder, as their files say: how they stand, and what came of them. Whatever lies there, listing it never fails."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass as plain
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

import pydantic
from pydantic import AwareDatetime, Field

from training.errors import BadData

LOST_AFTER = timedelta(minutes=10)
"""How old the heartbeat of a run that goes on may be."""
MOST_BYTES = 2**20  # of a run.json
_NAME = re.compile(r"[^./\x00-\x1f][^/\x00-\x1f]{0,119}")
_MADE_LATER = {"export": "export/candidate.json", "card": "export/README.md", "checkpoints": "checkpoints"}


class State(StrEnum):
    """A run's status, and what only an onlooker can say of it."""

    PREPARED = "prepared"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    LOST = "lost"  # it goes on by its own words, but its heartbeat stopped
    BROKEN = "broken"  # run.json cannot be read


def _inside(path: str) -> str:
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts:
        raise ValueError("leads out of the run's folder")
    return path


Relative = Annotated[str, pydantic.AfterValidator(_inside)]


@pydantic.dataclasses.dataclass(
    frozen=True, kw_only=True, config=pydantic.ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
)
class Run:
    """``run.json``, as ``docs/schemas/run.schema.json`` has it; what fields mean is said there."""

    schema: Literal["lehia.run/1"]
    name: Annotated[str, Field(pattern=f"^{_NAME.pattern}$")]
    recipe: Annotated[str, Field(min_length=1, max_length=200)]
    status: Literal["prepared", "running", "done", "failed", "interrupted"]
    created_at: AwareDatetime
    started_at: AwareDatetime | None
    ended_at: AwareDatetime | None
    heartbeat_at: AwareDatetime
    step: Annotated[int, Field(ge=0)]
    steps: Annotated[int, Field(ge=1)] | None
    tokens_seen: Annotated[int, Field(ge=0)]
    loss: float | None
    processes: Annotated[int, Field(ge=1)]
    device: Annotated[str, Field(max_length=200)]
    code_version: Annotated[str, Field(max_length=80)]
    revision: Annotated[str, Field(max_length=80)]
    command: str
    artefacts: dict[str, Relative]
    error: str | None

    def state(self, now: datetime) -> State:
        """Its status, or that it is lost."""
        goes_on = self.status in {"prepared", "running"}
        return State.LOST if goes_on and now - self.heartbeat_at > LOST_AFTER else State(self.status)


_RUN = pydantic.TypeAdapter(Run)


@plain(frozen=True, slots=True)
class Entry:
    """A run's folder as it was found.

    Parameters
    ----------
    run
        ``None`` where ``run.json`` is missing, half written or not as the schema has it.
    fault
        Why it could not be read; empty otherwise.
    """

    folder: Path
    run: Run | None
    fault: str = ""

    def state(self, now: datetime | None = None) -> State:
        """How the run stands at a time, which is now if left out."""
        return self.run.state(now or datetime.now(UTC)) if self.run else State.BROKEN

    @property
    def artefacts(self) -> dict[str, Path]:
        """What there is of the run on disk, by name: what ``run.json`` names, and what other commands make of it."""
        named = (self.run.artefacts if self.run else {}) | _MADE_LATER
        return {name: self.folder / path for name, path in named.items() if (self.folder / path).exists()}


def is_name(text: str) -> bool:
    """Whether a run's folder may be called so."""
    return _NAME.fullmatch(text) is not None


def read(folder: Path) -> Entry:
    """A run's folder, whatever state it is in."""
    path = folder / "run.json"
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
    except OSError as error:
        return Entry(folder, None, f"{path.name}: {error.strerror}")
    if len(raw) > MOST_BYTES:
        return Entry(folder, None, f"{path.name}: larger than {MOST_BYTES >> 20} MB")
    try:
        return Entry(folder, _RUN.validate_json(raw))
    except pydantic.ValidationError as error:
        return Entry(folder, None, f"{path.name}: {_told(error)}")


def runs(folder: Path) -> list[Entry]:
    """All runs of a folder, the newest first, those that cannot be read last. Names with a leading dot are not runs.

    Raises
    ------
    BadData
        Where the folder itself cannot be listed.
    """
    try:
        with os.scandir(folder) as found:
            paths = sorted(Path(each.path) for each in found if is_name(each.name) and each.is_dir())
    except OSError as error:
        raise BadData(f"{folder}: {error.strerror}") from None
    entries = [read(path) for path in paths]
    good = [(entry.run.created_at, entry) for entry in entries if entry.run is not None]
    good.sort(key=lambda each: each[0], reverse=True)
    return [entry for _, entry in good] + [entry for entry in entries if entry.run is None]


def mark(folder: Path, **changes: Any) -> None:
    """Change what ``run.json`` says in the place of a process that cannot any more; nothing where it cannot be read.

    The heartbeat stays as the process left it.
    """
    if read(folder).run is None:
        return
    path = folder / "run.json"
    values = json.loads(path.read_text()) | changes
    beside = path.with_suffix(".mark")
    beside.write_text(json.dumps(values, indent=2, ensure_ascii=False) + "\n")
    os.replace(beside, path)  # noqa: PTH105  # atomic


def _told(error: pydantic.ValidationError) -> str:
    faults = [f"{'.'.join(map(str, each['loc']))} {each['msg']}".strip() for each in error.errors()]
    rest = f" and {len(faults) - 3} more" if len(faults) > 3 else ""
    return "; ".join(faults[:3]) + rest
