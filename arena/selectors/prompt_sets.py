"""How far the answers to a prompt set are."""

from __future__ import annotations

from django.db.models import Count

from arena.models import PromptSet, SetAnswer
from arena.types import AnswerStatus


def errors_of(prompt_set: PromptSet) -> dict[str, int]:
    """Why answers lack, those that will be asked for again included: by the error's code, the most frequent first. One query."""
    failed = SetAnswer.objects.filter(prompt__prompt_set=prompt_set, status=AnswerStatus.FAILED.value)
    counted = failed.values("error_code").annotate(n=Count("pk")).order_by("-n", "error_code")
    return dict(counted.values_list("error_code", "n"))
