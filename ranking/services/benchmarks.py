"""Writes of benchmark scores."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.db import transaction

from ranking.models import BenchmarkScore
from ranking.scores import Score


@dataclass(frozen=True, slots=True)
class Stored:
    """How many scores were new, had another value before, or stood there already."""

    new: int
    changed: int
    unchanged: int


def store_scores(*, scores: Collection[Score], dry_run: bool = False) -> Stored:
    """Put these scores in the place of those of the same language, benchmark and model; all others stay.

    Repeating it changes nothing. One transaction, which a dry run takes back.
    """
    with transaction.atomic():
        languages = {each.language for each in scores}
        held = {
            tuple(key): value
            for *key, value in BenchmarkScore.objects.filter(language__in=languages).values_list(
                "language", "benchmark", "model", "score"
            )
        }
        before = [held.get((each.language, each.benchmark, each.model)) for each in scores]
        moved = [each for each, was in zip(scores, before, strict=True) if was != each.score]
        BenchmarkScore.objects.bulk_create(
            [BenchmarkScore(**_fields(each)) for each in moved],
            update_conflicts=True,
            unique_fields=["language", "benchmark", "model"],
            update_fields=["score"],
        )
        transaction.set_rollback(dry_run)
    new = before.count(None)
    return Stored(new, len(moved) - new, len(scores) - len(moved))


def _fields(score: Score) -> dict[str, str | float]:
    return {
        "language": score.language,
        "benchmark": score.benchmark,
        "model": score.model,
        "score": score.score,
    }
