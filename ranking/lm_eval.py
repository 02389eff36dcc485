"""Result files of EleutherAI's lm-evaluation-harness, version 0.4 and later."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ranking.errors import BadInput

ACCURACIES = ("acc", "exact_match", "acc_norm")
"""Metrics that are shares of right answers; of several, the first one here is taken."""

FILTERS = ("none", "strict-match")
"""Which of a metric's filters is taken, in this order; else the first one of the file."""

_NAMES = ("peft", "delta", "pretrained", "model", "path", "engine")


@dataclass(frozen=True, slots=True)
class Results:
    """One model's results.

    Parameters
    ----------
    model
        As the file names it; empty where it does not.
    scores
        From task to per cent of right answers.
    skipped
        Tasks without any of :data:`ACCURACIES`, sorted.
    """

    model: str
    scores: dict[str, float]
    skipped: tuple[str, ...]


def read_lm_eval(path: Path) -> Results:
    """The accuracies of a result file.

    Parameters
    ----------
    path
        What ``lm_eval --output_path`` writes: JSON with ``results`` from task to ``"metric,filter"`` to a share, and ``model_name`` or, in older files,
        ``config.model_args``. A task that belongs to a group with a score of its own is left out, as it is in the group's.

    Raises
    ------
    BadInput
        With line and column where it is no JSON, with the path of keys where the content cannot be used.
    """
    whole = _object(_parsed(path), "the file")
    results = _object(whole.get("results"), "results")
    said = {task: _score(task, _object(each, f"results.{task}")) for task, each in results.items()}
    within = _within(whole, {task for task, score in said.items() if score is not None})
    scores = {task: score for task, score in said.items() if score is not None and task not in within}
    skipped = sorted(task for task, score in said.items() if score is None and task not in within)
    return Results(_model(whole), scores, tuple(skipped))


def _parsed(path: Path) -> object:
    try:
        return json.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise BadInput(error.strerror or "cannot be read") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise BadInput("is not UTF-8", line=line) from None
    except json.JSONDecodeError as error:
        raise BadInput(f"is not JSON: {error.msg}", line=error.lineno, column=str(error.colno)) from None
    except (ValueError, RecursionError):
        raise BadInput("is JSON out of all proportion", line=1, column="1") from None


def _object(value: object, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadInput("an object is needed", column=place)
    return value


def _score(task: str, metrics: Mapping[str, object]) -> float | None:
    """The task's accuracy in per cent; ``None`` where it has none."""
    key = _accuracy(metrics)
    if key is None:
        return None
    value = metrics[key]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise BadInput(f"{str(value)[:40]!r} is not a share between 0 and 1", column=f"results.{task}.{key}")
    return round(100 * value, 10)


def _accuracy(metrics: Mapping[str, object]) -> str | None:
    for metric in ACCURACIES:
        keys = [key for key in metrics if key.partition(",")[0] == metric]
        preferred = [key for name in FILTERS for key in keys if key.partition(",")[2] == name]
        if keys:
            return (preferred or keys)[0]
    return None


def _within(whole: Mapping[str, Any], scored: set[str]) -> set[str]:
    """The tasks whose group has a score."""
    groups = _object(whole.get("group_subtasks", {}), "group_subtasks")
    parts = [part for group, part in groups.items() if group in scored]
    if not all(isinstance(part, list) for part in parts):
        raise BadInput("a list of tasks is needed for each group", column="group_subtasks")
    return {str(task) for part in parts for task in part}


def _model(whole: Mapping[str, Any]) -> str:
    name = whole.get("model_name")
    if isinstance(name, str) and name.strip():
        return name.strip()
    config = whole.get("config")
    said = config.get("model_args") if isinstance(config, dict) else None
    pairs = said.items() if isinstance(said, dict) else _pairs(said)
    given = {key: str(value).strip() for key, value in pairs}
    return next((given[key] for key in _NAMES if given.get(key)), "")


def _pairs(said: object) -> list[tuple[str, str]]:
    parts = said.split(",") if isinstance(said, str) else []
    return [(key.strip(), value) for key, _, value in (part.partition("=") for part in parts)]
