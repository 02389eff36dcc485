"""The Basque check of a campaign: who has taken it, and who is asked to."""

from __future__ import annotations

from arena.models import Campaign, CheckResult, Participant
from arena.types import BasqueCheck


def standing_result(campaign: Campaign, participant: Participant) -> CheckResult | None:
    """The last one. One query, and none where the campaign has no check."""
    if campaign.basque_check == BasqueCheck.NONE.value:
        return None
    return CheckResult.objects.filter(campaign=campaign, participant=participant).order_by("day").last()


def has_check(campaign: Campaign) -> bool:
    return campaign.basque_check != BasqueCheck.NONE.value and campaign.check_questions.exists()


def is_due(campaign: Campaign, participant: Participant | None) -> bool:
    """Whether the campaign has a check that they have not taken. At most two queries, and none where it has no check."""
    taken = participant is not None and standing_result(campaign, participant) is not None
    return not taken and has_check(campaign)
