"""What a run folder says of its run: recipe, status, figures at a checkpoint."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from training import config
from training.config import Recipe
from training.errors import BadCheckpoint, BadData
from training.manifest import Run

_CHECKPOINT = "checkpoint-"
_STATE = "trainer_state.json"  # transformers.Trainer writes it after the weights


@dataclass(frozen=True, slots=True)
class Record:
    """A run folder that was read.

    Parameters
    ----------
    fields
        Those of ``run.json``.
    """

    folder: Path
    recipe: Recipe
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Point:
    """A run at one of its checkpoints."""

    record: Record
    step: int
    folder: Path


def read(folder: Path) -> Record:
    """A run folder. Raises :class:`BadData` or :class:`~training.errors.BadRecipe` naming what is missing in it."""
    fields = _json(folder / "run.json")
    if not isinstance(fields, dict):
        raise BadData(f"{folder / 'run.json'}: not an object")
    return Record(folder, config.load_file(folder / "recipe.yaml"), fields)


def checkpoint(record: Record, number: int | None) -> Point:
    """A checkpoint of the run, the last whole one if no number is given.

    Raises
    ------
    BadCheckpoint
        Where there is none; names those that there are.
    """
    found = _checkpoints(record.folder / "checkpoints")
    if number is not None:
        if number not in found:
            raise BadCheckpoint(f"{record.folder}: no checkpoint {number}; there are {_listed(found)}")
        return Point(record, number, found[number])
    for step in sorted(found, reverse=True):
        if (found[step] / _STATE).is_file():
            return Point(record, step, found[step])
        print(f"{found[step]}: its save did not end; the one before is taken", file=sys.stderr)  # noqa: T201  # the command's log
    raise BadCheckpoint(f"{record.folder}: no whole checkpoint among {_listed(found)}")


def figures(point: Point, *, parameters: int) -> Run:
    """The run's figures as they were at the checkpoint."""
    record, step = point.record, point.step
    lines = [each for each in _metrics(record.folder) if each.get("step", 0) <= step]
    learnt = [each for each in lines if "loss" in each]
    last = learnt[-1] if learnt else record.fields
    evaluated = [each["evaluation"] for each in lines if "evaluation" in each]
    return Run(
        recipe=record.recipe.code,
        steps=step,
        seed=record.recipe.schedule.seed,
        tokens=int(last.get("tokens_seen", record.fields.get("tokens_seen") or 0)),
        parameters=parameters,
        seconds=_seconds(record.fields, last),
        peak_mb=max((int(each.get("memory_mb") or 0) for each in learnt), default=0),
        loss=last.get("loss"),
        code_version=str(record.fields.get("code_version", "")),
        device=str(record.fields.get("device", "")),
        processes=int(record.fields.get("processes", 1)),
        evaluation=evaluated[-1] if evaluated else {},
        data=_sources(record),
    )


def _sources(record: Record) -> dict[str, dict[str, Any]]:
    """Rows and tokens of each source, from ``data.json``; empty where the run did not count them."""
    path = record.folder / "data.json"
    counts: dict[str, dict[str, Any]] = _json(path) if path.is_file() else {}
    return counts


def _checkpoints(folder: Path) -> dict[int, Path]:
    paths = {path.name.removeprefix(_CHECKPOINT): path for path in folder.glob(f"{_CHECKPOINT}*")}
    return {int(number): path for number, path in paths.items() if number.isdecimal()}


def _listed(found: dict[int, Path]) -> str:
    return ", ".join(map(str, sorted(found))) or "none"


def _metrics(folder: Path) -> Iterator[dict[str, Any]]:
    path = folder / "metrics.jsonl"
    if path.is_file():
        with path.open() as file:
            # a run that was killed leaves half a line
            yield from (json.loads(line) for line in file if line.endswith("}\n"))


def _seconds(fields: dict[str, Any], last: dict[str, Any]) -> float:
    start, end = fields.get("started_at"), last.get("time") or fields.get("ended_at")
    if not (start and end):
        return 0.0
    return round((datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds(), 1)


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text())
    except OSError as error:
        raise BadData(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise BadData(f"{path}: {error}") from None
