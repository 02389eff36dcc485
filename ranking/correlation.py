"""How far static benchmarks order models as a board does."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import atanh, sqrt, tanh
from pathlib import Path
from typing import Any

import numpy as np
import scipy

from ranking.errors import BadInput
from ranking.factors import LLAMA_INSTRUCT, UNTRAINED, trained_codes
from ranking.fit import Vector
from ranking.ranks import quantile
from ranking.rows import Table, read_table
from ranking.tally import Matrix
from ranking.types import MODEL_NAME_MAX_CHARS, Status

LANGUAGES = ("eu", "en", "es")
"""Languages whose published benchmark tables are carried as data."""

_DATA = Path(__file__).resolve().parent / "data"
_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?", re.ASCII)
_SUMMARY = "mean"
_FEWEST = 4  # models: with three, the transformed correlation has no variance


@dataclass(frozen=True, slots=True, eq=False)
class Benchmarks:
    """Scores of models on tasks.

    Parameters
    ----------
    models
        The ``m`` rows' names, without repeats.
    tasks
        The ``t`` columns' names.
    scores
        Shape ``(m, t)``: per cent, more is better; not a number where a model was not measured.
    """

    models: tuple[str, ...]
    tasks: tuple[str, ...]
    scores: Matrix

    def of(self, models: Sequence[str]) -> Matrix:
        """The rows of *models*, shape ``(k, t)``.

        A model that has no row of its own has the row of a cell of the grid that it stands for (:data:`ranking.factors.UNTRAINED`). ``KeyError`` for a model
        that has neither.
        """
        return self.scores[[self._place(name) for name in models]]

    def _place(self, model: str) -> int:
        stands_for = (cell for cell, name in UNTRAINED.items() if name == model)
        for name in (model, *stands_for):
            if name in self.models:
                return self.models.index(name)
        raise KeyError(model)


@dataclass(frozen=True, slots=True)
class Correlation:
    """Spearman's rank correlation of a board with a set of benchmarks.

    Parameters
    ----------
    n_models, n_tasks
        What it was taken over.
    rho
        The correlation; ``None`` unless the status is ``OK`` or ``PROVISIONAL``.
    low, high
        Its interval; ``None`` unless the status is ``OK``.
    interval
        The interval's confidence level.
    status
        ``INSUFFICIENT`` with fewer than two models, no task or no order on either side; ``PROVISIONAL`` where a correlation has no interval: it is 1 or -1,
        or there are fewer than four models; else ``OK``.
    """

    n_models: int
    n_tasks: int
    rho: float | None
    low: float | None
    high: float | None
    interval: float
    status: Status


def read_benchmarks(path: Path) -> Benchmarks:
    """The scores in a file.

    Parameters
    ----------
    path
        CSV or JSON lines in UTF-8 with a column ``model`` and one a task, in per cent; an empty cell was not measured. A column ``mean`` is ignored, as it
        repeats the others.

    Raises
    ------
    BadInput
        With line and column. Nothing is read in part.
    """
    table = _table(path)
    table.need("model")
    tasks = tuple(name for name in table.columns if name not in {"model", _SUMMARY})
    if not tasks:
        raise BadInput(
            "no task stands beside the model", line=table.header_line, column=str(len(table.columns) + 1)
        )
    if "" in tasks:
        raise BadInput("this column has no name", line=table.header_line, column="with no name")
    models: dict[str, list[float]] = {}
    for line, row in table.rows:
        name = _name(line, row)
        if name in models:
            raise BadInput(f"{name!r} stands twice", line=line, column="model")
        models[name] = [_score(line, row, task) for task in tasks]
    scores = np.array(list(models.values()), dtype=np.float64).reshape(len(models), len(tasks))
    return Benchmarks(tuple(models), tasks, scores)


def published_benchmarks(language: str) -> Benchmarks:
    """The published scores on the benchmarks of a language, one of :data:`LANGUAGES`; ``ValueError`` for another."""
    if language not in LANGUAGES:
        raise ValueError(f"no benchmarks are carried for {language!r}; there are {', '.join(LANGUAGES)}")
    return read_benchmarks(_DATA / f"benchmarks_{language}.csv")


def study_models(models: Sequence[str]) -> tuple[str, ...]:
    """Those that the study correlated: the trained 8B candidates and Llama-3.1-8B-Instruct, 18 of the published board."""
    chosen = {*trained_codes(models), LLAMA_INSTRUCT}
    return tuple(name for name in models if name in chosen)


def mean_ranks(scores: Matrix) -> Vector:
    """The order that tasks give together, shape ``(k,)``, 1 for the best.

    Each task of *scores*, shape ``(k, t)``, is ranked from the best down, equal scores sharing the larger rank; the ranks are averaged over the tasks; the
    averages are ranked again in the same way. Scores must be numbers: ``ValueError`` otherwise.
    """
    if not np.isfinite(scores).all():
        raise ValueError("a model was not measured on every task")
    by_task = scipy.stats.rankdata(-scores, method="max", axis=0)
    return np.asarray(scipy.stats.rankdata(by_task.mean(axis=1), method="max"), dtype=np.float64)


def correlate(benchmarks: Benchmarks, ratings: Mapping[str, float], *, interval: float = 0.95) -> Correlation:
    """Spearman's rank correlation of ratings with benchmarks, as the study took it.

    Parameters
    ----------
    benchmarks
        Of one language.
    ratings
        From each model that takes part to its rating, on any increasing scale; :func:`study_models` names those of the study.
    interval
        Confidence level, between 0 and 1.

    Returns
    -------
    Correlation
        Over the tasks that every one of these models was measured on.

    Raises
    ------
    KeyError
        For a model that the benchmarks lack.
    ValueError
        If a rating is no number, or the interval no probability.

    Notes
    -----
    "Instructing Large Language Models for Low-Resource Languages" (EMNLP 2025). With the published ratings and tables: Basque 0.884 overall, 0.869 content,
    0.825 language (published: 0.85, 0.84, 0.81, with one task that the tables lack); Spanish -0.08 overall (published -0.04); English -0.07 (published 0.27,
    with one task that the table lacks: not reproduced). With ratings refitted from the pair table, Basque overall is 0.880.

    The interval is Fisher's z with the variance ``(1 + rho**2 / 2) / (n - 3)`` of D. G. Bonett and T. A. Wright, "Sample size requirements for estimating
    Pearson, Kendall and Spearman correlations", Psychometrika 65 (2000). No bootstrap: it repeats models, and the ties bias a rank correlation of 18 points.
    Its limits at n = 18: an approximation for larger samples (a nominal 95 % covered 95.0 to 96.2 % of simulated normal samples); a correlation of 0 reaches
    from -0.47 to 0.47; and it takes the models for a random sample, which variants of three backbones are not. The noise of votes and benchmarks is not in it.
    """
    if not 0 < interval < 1:
        raise ValueError("the interval is a probability between 0 and 1")
    values = np.array(list(ratings.values()), dtype=np.float64)
    if not np.isfinite(values).all():
        raise ValueError("a rating is no number")
    scores = benchmarks.of(list(ratings))
    scores = scores[:, np.isfinite(scores).all(axis=0)]
    n, tasks = scores.shape
    ranks = mean_ranks(scores) if n and tasks else np.zeros(n)
    if n < 2 or np.ptp(ranks) == 0 or np.ptp(values) == 0:
        return Correlation(n, tasks, None, None, None, interval, Status.INSUFFICIENT)
    rho = -float(scipy.stats.spearmanr(ranks, values).statistic)
    if n < _FEWEST or abs(rho) > 1 - 1e-12:
        return Correlation(n, tasks, rho, None, None, interval, Status.PROVISIONAL)
    low, high = fisher_interval(rho, n, interval)
    return Correlation(n, tasks, rho, low, high, interval, Status.OK)


def fisher_interval(rho: float, n: int, interval: float) -> tuple[float, float]:
    """The interval of :func:`correlate` for a correlation strictly between -1 and 1 of *n* models, at least four."""
    reach = quantile(interval) * sqrt((1 + rho * rho / 2) / (n - 3))
    return tanh(atanh(rho) - reach), tanh(atanh(rho) + reach)


def _table(path: Path) -> Table:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise BadInput(error.strerror or "cannot be read") from None
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        place = error.start - before.rfind(b"\n")
        raise BadInput("is not UTF-8", line=before.count(b"\n") + 1, column=f"byte {place}") from None
    if not text.strip():
        raise BadInput("is empty; a header with model and tasks is needed", line=1, column="model")
    return read_table(text)


def _name(line: int, row: Mapping[str, Any]) -> str:
    raw = row.get("model")
    name = raw.strip() if isinstance(raw, str) else ""
    if not name or len(name) > MODEL_NAME_MAX_CHARS or not name.isprintable():
        raise BadInput(
            f"a name of at most {MODEL_NAME_MAX_CHARS} printable characters is needed",
            line=line,
            column="model",
        )
    return name


def _score(line: int, row: Mapping[str, Any], task: str) -> float:
    raw = row.get(task)
    written = "" if raw is None else str(raw).strip()
    if not written:
        return float("nan")
    if not _NUMBER.fullmatch(written) or float(written) > 100:
        raise BadInput(f"{written[:40]!r} is not a score between 0 and 100", line=line, column=task)
    return float(written)
