"""Checkpoints on disk: one is there whole, under its step's number, or not at all."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

PARTIAL = ".partial"
PROGRESS = "progress.json"
_NAME = re.compile(r"checkpoint-(\d+)")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run had come; lies in each checkpoint.

    Parameters
    ----------
    step
        Steps done.
    tokens, tokens_seen
        Tokens learnt; tokens read, padding left out.
    nats
        Summed losses of the tokens learnt.
    seconds
        Wall clock of the run.
    """

    step: int = 0
    tokens: int = 0
    tokens_seen: int = 0
    nats: float = 0.0
    seconds: float = 0.0

    @property
    def loss(self) -> float:
        """Nats a learnt token, over the whole run."""
        return self.nats / max(self.tokens, 1)


def all_of(folder: Path) -> list[Path]:
    """The whole checkpoints of a folder, the oldest first."""
    found = [path for path in folder.glob("checkpoint-*") if _NAME.fullmatch(path.name)]
    return sorted(found, key=step_of)


def last_of(folder: Path) -> Path | None:
    """The newest, or None."""
    found = all_of(folder)
    return found[-1] if found else None


def step_of(checkpoint: Path) -> int:
    """The step that a checkpoint was taken after."""
    found = _NAME.fullmatch(checkpoint.name)
    return int(found[1]) if found else -1


def staged(folder: Path) -> Path:
    """Where a checkpoint is written before it is whole."""
    return folder / PARTIAL


def publish(folder: Path, step: int, *, kept: int) -> None:
    """Give the staged checkpoint of a step its name, then drop the oldest beyond *kept*. For one process, after all have written."""
    name = f"checkpoint-{step}"
    final = folder / name
    shutil.rmtree(final, ignore_errors=True)
    (staged(folder) / name).rename(final)
    for path in all_of(folder)[:-kept]:
        shutil.rmtree(
            path.rename(staged(folder) / path.name)
        )  # out of sight first: half removed it must not look whole
    clear(folder)


def clear(folder: Path) -> None:
    """Remove what a process that died had staged."""
    shutil.rmtree(staged(folder), ignore_errors=True)


def write_progress(checkpoint: Path, progress: Progress) -> None:
    """Put it into a checkpoint."""
    checkpoint.mkdir(parents=True, exist_ok=True)
    (checkpoint / PROGRESS).write_text(json.dumps(asdict(progress)) + "\n")


def read_progress(checkpoint: Path) -> Progress:
    """What a checkpoint says."""
    return Progress(**json.loads((checkpoint / PROGRESS).read_text()))
