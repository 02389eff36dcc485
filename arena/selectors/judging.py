"""Which pairs of answers a volunteer may be given to judge: those of earlier battles of others, and those of prompt sets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db.models import Count, Exists, Model, OuterRef, Q, QuerySet, Window
from django.db.models.functions import Coalesce, RowNumber
from django.utils import timezone

from arena.models import Battle, Campaign, Exclusion, Participant, Prompt, Report, SetAnswer, Vote
from arena.selectors.moderation import shown_to_others
from arena.types import AnswerStatus, BattleSource, BattleStatus, ReportState
from ranking.filters import ExclusionReason

_Row = TypeVar("_Row", bound=Model)
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


@dataclass(frozen=True, slots=True)
class Least(Generic[_Row]):
    """Of rows that wait for a judgement, those that were given least often and not left: how often that is, and how many they are."""

    given: int
    n: int
    _rows: QuerySet[_Row]

    def at(self, place: int) -> _Row | None:
        """The one at a place below *n*, in the order of their keys; of rows that were given meanwhile, the next. One query, of one row."""
        return self._rows.order_by("given", "pk")[place : place + 1].first()


def least_judged(battles: QuerySet[Battle]) -> Least[Battle]:
    """One query, however many wait."""
    stands = ~Q(copies__status=BattleStatus.ABANDONED.value)
    return _least(battles, Count("copies", filter=stands & Q(copies__control__isnull=True)))


def least_judged_prompts(prompts: QuerySet[Prompt]) -> Least[Prompt]:
    """As :func:`least_judged`, of prompts."""
    return _least(prompts, Count("battles", filter=~Q(battles__status=BattleStatus.ABANDONED.value)))


def _least(rows: QuerySet[_Row], given: Count) -> Least[_Row]:
    counted: QuerySet[Any, Any] = rows.annotate(given=given)
    alike = counted.annotate(alike=Window(Count("*"), partition_by="given"))
    fewest, n = alike.order_by("given").values_list("given", "alike").first() or (0, 0)
    return Least(fewest, n, counted)


def judged_before(battle: Battle) -> bool:
    """Whether its volunteer has voted on the same two answers already, as can be once a guest has joined an account. One query."""
    shown = battle.origin_id or battle.twin_id or battle.pk
    others = _of_answers(battle.participant).filter(shown=shown)
    return others.exclude(battle=battle).exists()


def judged_again(participant: Participant) -> list[UUID]:
    """The volunteer's votes on two answers that they had voted on before, in their own battle or in a pair. One query."""
    place = Window(RowNumber(), partition_by="shown", order_by=("created_at", "pk"))
    later = _of_answers(participant).annotate(place=place).filter(place__gt=1)
    return list(later.values_list("pk", flat=True))


def _of_answers(participant: Participant) -> QuerySet[Any]:
    """The volunteer's votes; *shown* is the battle in which their answers were first shown to anybody."""
    votes = Vote.objects.filter(participant=participant)
    return votes.annotate(shown=Coalesce("battle__origin_id", "battle__twin_id", "battle_id"))


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
