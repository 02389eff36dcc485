"""Benchmark scores in the database."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from ranking.models import BenchmarkScore
from ranking.scores import Score
from ranking.services import Stored, store_scores

pytestmark = pytest.mark.django_db
A = Score("eu", "arc", "a", 50.0)
B = Score("eu", "arc", "b", 40.0)


def held() -> dict[tuple[str, str, str], float]:
    return {(row.language, row.benchmark, row.model): row.score for row in BenchmarkScore.objects.all()}


def test_storing_the_same_scores_again_changes_nothing() -> None:
    assert store_scores(scores=[A, B]) == Stored(new=2, changed=0, unchanged=0)
    before = list(BenchmarkScore.objects.order_by("pk").values())
    assert store_scores(scores=[A, B]) == Stored(new=0, changed=0, unchanged=2)
    assert list(BenchmarkScore.objects.order_by("pk").values()) == before


def test_a_new_value_takes_the_place_of_the_old_one_and_others_stay() -> None:
    store_scores(scores=[A, B])
    other = Score("es", "arc", "a", 30.0)
    assert store_scores(scores=[Score("eu", "arc", "a", 51.0), other]) == Stored(1, 1, 0)
    assert held() == {("eu", "arc", "a"): 51.0, ("eu", "arc", "b"): 40.0, ("es", "arc", "a"): 30.0}


def test_a_dry_run_counts_and_stores_nothing() -> None:
    assert store_scores(scores=[A, B], dry_run=True) == Stored(2, 0, 0)
    assert held() == {}


@pytest.mark.parametrize("score", [-0.1, 100.1])
def test_the_database_takes_no_score_beyond_per_cent(score: float) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        BenchmarkScore.objects.create(language="eu", benchmark="arc", model="a", score=score)


def test_the_database_takes_a_score_once() -> None:
    store_scores(scores=[A])
    with pytest.raises(IntegrityError), transaction.atomic():
        BenchmarkScore.objects.create(language="eu", benchmark="arc", model="a", score=1)


def test_a_score_is_called_by_its_language_benchmark_and_model() -> None:
    store_scores(scores=[A])
    assert str(BenchmarkScore.objects.get()) == "eu arc a"
