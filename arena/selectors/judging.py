"""Which pairs of answers a volunteer may be given to judge: those of earlier battles of others."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from arena.models import Battle, Campaign, Exclusion, Participant
from arena.selectors.moderation import shown_to_others
from arena.types import BattleSource, BattleStatus
from ranking.filters import ExclusionReason

_UNFIT = [
    ExclusionReason.IDENTITY_LEAK.value,
    ExclusionReason.MODERATED.value,
    ExclusionReason.FLAGGED_USER.value,
]


def shown_battles(campaign: Campaign) -> QuerySet[Battle]:
    """Battles of the campaign whose answers may be shown to other volunteers: voted, of somebody who stands by them, and no answer told who wrote it."""
    against = Exclusion.objects.filter(vote__battle=OuterRef("pk"), lifted_at=None, reason__in=_UNFIT)
    fit = Battle.objects.filter(
        ~Exists(against),
        campaign=campaign,
        source=BattleSource.LIVE.value,
        status=BattleStatus.VOTED.value,
    )
    return shown_to_others(fit)


def to_judge(participant: Participant, campaign: Campaign) -> QuerySet[Battle]:
    """Those of others that the participant was never given."""
    given = Battle.objects.filter(participant=participant, origin=OuterRef("pk"))
    return shown_battles(campaign).exclude(participant=participant).filter(~Exists(given))


def least_judged(battles: QuerySet[Battle]) -> tuple[int, list[UUID]]:
    """How often those that were judged again least often were, and which they are, in the order of their keys. Two queries."""
    judged = Count("copies", filter=Q(copies__status=BattleStatus.VOTED.value, copies__control__isnull=True))
    counted = battles.annotate(judged=judged)
    fewest = counted.order_by("judged").values_list("judged", flat=True).first() or 0
    return fewest, list(counted.filter(judged=fewest).order_by("pk").values_list("pk", flat=True))


def standing_pair(participant: Participant, campaign: Campaign) -> Battle | None:
    """The pair that the participant was given and has neither judged nor left."""
    return (
        Battle.objects.filter(
            participant=participant,
            campaign=campaign,
            source=BattleSource.REJUDGED.value,
            status=BattleStatus.READY.value,
        )
        .order_by("created_at")
        .first()
    )


def may_be_shown(battle: Battle) -> bool:
    """Whether the pair's origin still may; somebody may have taken it back meanwhile."""
    return shown_battles(battle.campaign).filter(copies=battle.pk).exists()
