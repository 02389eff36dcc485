"""The language of stored messages and answers, measured after they are stored: identifying one takes longer than the event loop may wait."""

from __future__ import annotations

from collections import defaultdict
from uuid import UUID

from django.db.models import QuerySet

from arena.models import Answer, Turn
from arena.types import AnswerStatus
from inference.language import Measured, measure

MOST_AT_ONCE = 2_000


def measure_languages(*, at_most: int = MOST_AT_ONCE) -> int:
    """Measure messages and complete answers that were not measured yet, oldest first. Returns how many.

    Takes no lock: a complete text changes no more, and whoever measures it a second time finds the same.
    """
    turns = Turn.objects.filter(language="").order_by("created_at")
    done = _measured(turns, at_most)
    answers = Answer.objects.filter(language="", status=AnswerStatus.COMPLETE.value).order_by("finished_at")
    return done + _measured(answers, at_most - done)


def _measured(waiting: QuerySet[Turn] | QuerySet[Answer], at_most: int) -> int:
    found: dict[Measured, list[UUID]] = defaultdict(list)
    for key, text in waiting.values_list("pk", "text")[:at_most]:
        found[measure(text)].append(key)
    for each, keys in found.items():
        rows = waiting.model._default_manager.filter(pk__in=keys)
        rows.update(language=each.language, basque_share=each.basque_share)
    return sum(map(len, found.values()))
