"""The harness's result files of one model, as one file under the study's names."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from training.errors import BadData
from training.harness.table import Task, tasks

_PREFIX = "results_"


def merge(paths: Iterable[Path], model: str) -> dict[str, Any]:
    """One model's scores, in the layout of the harness, which ``manage.py import_benchmarks --layout lm-eval`` reads.

    Parameters
    ----------
    paths
        Result files, or folders that hold ``results_*.json`` at any depth; of a task that was run twice the newest file counts.
    model
        What boards call the model.

    Returns
    -------
    dict
        ``model_name``; ``results`` by the study's names; ``n-shot``; ``missing``, the study's tasks without a result.

    Raises
    ------
    BadData
        Where there is no result file, one cannot be read, they are of several models, or one is of a trial.
    """
    found: dict[str, Mapping[str, Any]] = {}
    shots: dict[str, Any] = {}
    files = sorted(_files(paths), key=lambda each: (each.stat().st_mtime_ns, each.name))
    read = [_read(file) for file in files]
    said = {str(whole["model_name"]) for whole in read if whole.get("model_name")}
    if len(said) > 1:
        raise BadData(f"the result files are of several models: {', '.join(sorted(said))}")
    for whole in read:
        for task in tasks():
            score = _score(task, whole)
            if score is not None:
                found[task.name] = score
                shots[task.name] = task.shots
    if not found:
        raise BadData("no task of the study is in these files")
    missing = [task.name for task in tasks() if task.name not in found]
    return {"model_name": model, "results": found, "n-shot": shots, "missing": missing}


def _files(paths: Iterable[Path]) -> list[Path]:
    files: list[Path] = []
    for path in paths:
        files += path.rglob(f"{_PREFIX}*.json") if path.is_dir() else [path]
    if not files:
        raise BadData(f"no {_PREFIX}*.json in {', '.join(map(str, paths))}")
    return files


def _read(file: Path) -> dict[str, Any]:
    try:
        whole = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise BadData(f"{file}: {error}") from None
    if not isinstance(whole, dict) or not isinstance(whole.get("results"), dict):
        raise BadData(f"{file}: not a result file of the harness: an object with results is needed")
    config = whole.get("config")
    if isinstance(config, dict) and config.get("limit"):
        raise BadData(f"{file}: a trial of {config['limit']} questions a task gives no scores")
    return whole


def _score(task: Task, whole: Mapping[str, Any]) -> Mapping[str, Any] | None:
    results: Mapping[str, Mapping[str, Any]] = whole["results"]
    own = results.get(task.upstream)
    if own and any("," in metric for metric in own):
        return own
    parts = [name for name in results if task.parts and name.startswith(task.parts)]
    return _mean(parts, whole) if parts else None


def _mean(parts: list[str], whole: Mapping[str, Any]) -> Mapping[str, Any]:
    """The accuracy over all questions of the parts, each question counting once."""
    try:
        sizes = {name: int(whole["n-samples"][name]["effective"]) for name in parts}
        right = sum(sizes[name] * float(whole["results"][name]["acc,none"]) for name in parts)
    except (KeyError, TypeError, ValueError) as error:
        raise BadData(f"the parts of {parts[0]} have no size or accuracy: {error}") from None
    return {"acc,none": right / sum(sizes.values())}
