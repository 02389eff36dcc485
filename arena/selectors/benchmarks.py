"""Reads of benchmark scores."""

from __future__ import annotations

import numpy as np
from django.db.models import Q

from ranking.correlation import LANGUAGES, Benchmarks
from ranking.models import BenchmarkScore, Board, TallyCell


def stored_benchmarks() -> dict[str, Benchmarks]:
    """All scores, by language, in the order of :data:`ranking.correlation.LANGUAGES`. One query."""
    rows: dict[str, list[tuple[str, str, float]]] = {}
    scores = BenchmarkScore.objects.values_list("language", "model", "benchmark", "score")
    for language, model, benchmark, score in scores:
        rows.setdefault(language, []).append((model, benchmark, score))
    return {language: _table(rows[language]) for language in LANGUAGES if language in rows}


def _table(rows: list[tuple[str, str, float]]) -> Benchmarks:
    models = {name: place for place, name in enumerate(sorted({row[0] for row in rows}))}
    tasks = {name: place for place, name in enumerate(sorted({row[1] for row in rows}))}
    scores = np.full((len(models), len(tasks)), np.nan)
    for model, task, score in rows:
        scores[models[model], tasks[task]] = score
    return Benchmarks(tuple(models), tuple(tasks), scores)


def has_scores(board: Board) -> bool:
    """Whether a model of the board was measured on anything. One query."""
    cells = TallyCell.objects.filter(board=board)
    on_board = Q(model__in=cells.values("model_a")) | Q(model__in=cells.values("model_b"))
    return BenchmarkScore.objects.filter(on_board).exists()
