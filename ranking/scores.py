"""Benchmark scores of files: tables of models and tasks, and result files of lm-evaluation-harness."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

import numpy as np

from ranking.correlation import LANGUAGES, Benchmarks, published_benchmarks, read_benchmarks
from ranking.errors import BadInput
from ranking.lm_eval import read_lm_eval
from ranking.types import BENCHMARK_NAME_MAX_CHARS, MODEL_NAME_MAX_CHARS

_SAID = {"eu": "eu", "eus": "eu", "es": "es", "spa": "es", "en": "en", "eng": "en"}


class ScoreLayout(StrEnum):
    """``CSV``: a row a model, a column a task, in per cent. ``LM_EVAL``: one model's results as lm-evaluation-harness writes them."""

    CSV = "csv"
    LM_EVAL = "lm-eval"


@dataclass(frozen=True, slots=True, order=True)
class Score:
    """What *model* reached on *benchmark*, in per cent."""

    language: str
    benchmark: str
    model: str
    score: float


@dataclass(frozen=True, slots=True)
class ScoreFile:
    """The scores of a file, sorted, and the names of tasks in it whose result is no accuracy."""

    scores: tuple[Score, ...]
    skipped: tuple[str, ...] = ()


def read_scores(
    path: Path, layout: ScoreLayout, *, language: str | None = None, model: str | None = None
) -> ScoreFile:
    """The scores in a file.

    Parameters
    ----------
    path
        A file in one of the layouts.
    layout
        Which one.
    language
        Of all its benchmarks. If left out: that of a table called ``.._eu.csv``, else of each benchmark by :func:`language_of`.
    model
        What to call the model of a result file; the name in the file if left out. A table names its own.

    Raises
    ------
    BadInput
        With the place where the file cannot be used. Nothing is read in part.
    """
    if layout is ScoreLayout.LM_EVAL:
        found = read_lm_eval(path)
        name = found.model if model is None else model.strip()
        _check_name(name, "model", most=MODEL_NAME_MAX_CHARS)
        scores = [
            Score(language or language_of(task), task, name, value) for task, value in found.scores.items()
        ]
        return _checked(scores, found.skipped)
    if model is not None:
        raise BadInput("a table names its models itself")
    said = language or _in_file_name(path)
    return _checked(scores_of(read_benchmarks(path), said), ())


def scores_of(benchmarks: Benchmarks, language: str | None = None) -> list[Score]:
    """What was measured, model by model; without a *language*, each benchmark's by :func:`language_of`."""
    languages = [language or language_of(task) for task in benchmarks.tasks]
    return [
        Score(said, task, model, float(value))
        for model, row in zip(benchmarks.models, benchmarks.scores, strict=True)
        for said, task, value in zip(languages, benchmarks.tasks, row, strict=True)
        if np.isfinite(value)
    ]


def language_of(task: str) -> str:
    """The language of a benchmark: of the carried table that has it, else what a part of its name says (``eu``, ``eus``, ``es``, ``spa``, ``en``, ``eng``).

    ``BadInput`` where nothing says it, or two parts disagree.
    """
    if task in _carried():
        return _carried()[task]
    said = {_SAID[part] for part in re.split(r"[^a-z]+", task.lower()) if part in _SAID}
    if len(said) != 1:
        raise BadInput("the language of this benchmark is not known; say it with --language", column=task)
    return said.pop()


@cache
def _carried() -> dict[str, str]:
    """The language of each benchmark of the carried tables."""
    return {task: language for language in LANGUAGES for task in published_benchmarks(language).tasks}


def _in_file_name(path: Path) -> str | None:
    last = path.name.split(".")[0].rpartition("_")[2]
    return last if last in LANGUAGES else None


def _checked(scores: Iterable[Score], skipped: tuple[str, ...]) -> ScoreFile:
    rows = tuple(sorted(scores))
    for row in rows:
        _check_name(row.benchmark, row.benchmark[:40], most=BENCHMARK_NAME_MAX_CHARS)
    if not rows:
        raise BadInput("holds no score")
    return ScoreFile(rows, skipped)


def _check_name(name: str, column: str, *, most: int) -> None:
    if not name or len(name) > most or not name.isprintable():
        raise BadInput(f"a name of at most {most} printable characters is needed", column=column)
