"""Which pairs of answers a volunteer may be given to judge: those of earlier battles of others, and those of prompt sets."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from arena.models import Battle, Campaign, Exclusion, Participant, Prompt, Report, SetAnswer
from arena.selectors.moderation import shown_to_others
from arena.types import AnswerStatus, BattleSource, BattleStatus, ReportState
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


def prompts_to_judge(participant: Participant, campaign: Campaign) -> QuerySet[Prompt]:
    """Prompts of the campaign's sets that two candidates or more have answered and the participant was never given."""
    complete = SetAnswer.objects.filter(
        prompt__prompt_set__campaign=campaign, status=AnswerStatus.COMPLETE.value
    )
    several = complete.values("prompt").annotate(n=Count("pk")).filter(n__gte=2).values("prompt")
    given = Battle.objects.filter(participant=participant, prompt=OuterRef("pk"))
    reported = Report.objects.filter(battle__prompt=OuterRef("pk"), state=ReportState.OPEN.value)
    return Prompt.objects.filter(~Exists(given), ~Exists(reported), pk__in=several, hidden_at=None)


def least_judged(battles: QuerySet[Battle]) -> tuple[int, list[UUID]]:
    """How often those that were given least often, and not left, were; and which they are, in the order of their keys. Two queries."""
    stands = ~Q(copies__status=BattleStatus.ABANDONED.value)
    return _least(battles, Count("copies", filter=stands & Q(copies__control__isnull=True)))


def least_judged_prompts(prompts: QuerySet[Prompt]) -> tuple[int, list[int]]:
    """As :func:`least_judged`, of prompts."""
    return _least(prompts, Count("battles", filter=~Q(battles__status=BattleStatus.ABANDONED.value)))


def _least(rows: QuerySet[Any], judged: Count) -> tuple[int, list[Any]]:
    counted = rows.annotate(judged=judged)
    fewest = counted.order_by("judged").values_list("judged", flat=True).first() or 0
    return fewest, list(counted.filter(judged=fewest).order_by("pk").values_list("pk", flat=True))


def standing_pair(participant: Participant, campaign: Campaign) -> Battle | None:
    """The pair that the participant was given and has neither judged nor left."""
    return (
        Battle.objects.filter(
            participant=participant,
            campaign=campaign,
            status=BattleStatus.READY.value,
        )
        .exclude(source=BattleSource.LIVE.value)
        .order_by("created_at")
        .first()
    )


def given_within_an_hour(participant: Participant) -> int:
    """How many pairs, those that were left included."""
    since = timezone.now() - timedelta(hours=1)
    pairs = Battle.objects.filter(participant=participant, created_at__gte=since)
    return pairs.exclude(source=BattleSource.LIVE.value).count()


def may_be_shown(battle: Battle) -> bool:
    """Whether the pair still may be shown to its judge: somebody may have taken back what it shows. One query at most."""
    if battle.source == BattleSource.LIVE.value:
        return True
    if battle.source == BattleSource.PROMPT_SET.value:
        return Prompt.objects.filter(battles=battle.pk, hidden_at=None).exists()
    return shown_battles(battle.campaign).filter(copies=battle.pk).exists()
