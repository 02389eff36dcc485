"""The Basque check: its questions, and a volunteer's answers."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from arena.check_starters import STARTERS
from arena.models import Campaign, CheckQuestion, CheckResult
from arena.services.people import locked


def seed_starter_questions(campaign: Campaign) -> int:
    """Give a campaign without questions the ten starters; how many were added."""
    with transaction.atomic():
        Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
        if campaign.check_questions.exists():
            return 0
        CheckQuestion.objects.bulk_create(
            CheckQuestion(campaign=campaign, position=place, text=text, options=list(options), right=right)
            for place, (text, options, right) in enumerate(STARTERS, start=1)
        )
    return len(STARTERS)


def answer_check(*, participant_id: UUID, campaign: Campaign, chosen: Mapping[int, int]) -> CheckResult:
    """Keep how many of the campaign's questions were answered rightly; *chosen* is from a question's key to an option's number.

    One result a day: the first of a day stands, and of several days the last. Locks the participant. Raises ``ValueError`` for an unanswered question.
    """
    with transaction.atomic():
        participant = locked(participant_id)
        questions = list(campaign.check_questions.all())
        if not questions or any(each.pk not in chosen for each in questions):
            raise ValueError("a check is answered whole")
        right = sum(chosen[each.pk] == each.right for each in questions)
        result, _made = CheckResult.objects.get_or_create(
            participant=participant,
            campaign=campaign,
            day=timezone.localdate(),
            defaults={"right": right, "asked": len(questions)},
        )
    return result
