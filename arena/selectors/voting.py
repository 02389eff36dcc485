"""What a vote that is being cast is weighed by: the chat that it judges, and what its volunteer did before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter

from django.db.models import Count, Q
from django.utils import timezone

from arena.days import midnight
from arena.models import Battle, Turn, Vote
from arena.types import AnswerStatus, BattleSource, BattleStatus

_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Said:
    """One side's answer to a message."""

    status: AnswerStatus
    text: str
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Asked:
    """One message of the volunteer, and its answers in the order of their sides."""

    text: str
    answers: list[Said]


@dataclass(frozen=True, slots=True)
class RecentVotes:
    """How many votes the volunteer cast within an hour, and how many of today's are credited in the campaign."""

    in_an_hour: int
    credited_today: int


def chat_of(battle: Battle) -> list[Asked]:
    """Every message in order, also one without answers. One query, of the columns that are judged by."""
    said = ("answers__status", "answers__text", "answers__finished_at")
    rows = Turn.objects.filter(battle=battle).order_by("index", "answers__side")
    return [
        Asked(text, [Said(AnswerStatus(status), *more) for _, _, status, *more in found if status])
        for (_, text), found in groupby(rows.values_list("index", "text", *said), key=itemgetter(0, 1))
    ]


def recent_votes(battle: Battle) -> RecentVotes:
    """Those of the battle's volunteer. One query.

    The volunteer must be locked, so that two votes at once count each other.
    """
    hour, today = timezone.now() - _HOUR, midnight()
    credited = Q(credited=True, battle__campaign=battle.campaign_id, created_at__gte=today)
    votes = Vote.objects.filter(participant=battle.participant_id, created_at__gte=min(hour, today))
    counts = votes.aggregate(
        in_an_hour=Count("pk", filter=Q(created_at__gte=hour)), credited_today=Count("pk", filter=credited)
    )
    return RecentVotes(**counts)


def earlier_prompts(battle: Battle) -> list[list[str]]:
    """What the volunteer asked the same two candidates in each other live battle of the campaign that they have voted on. One query."""
    pair = [battle.candidate_a_id, battle.candidate_b_id]
    voted = Battle.objects.filter(
        participant=battle.participant_id,
        campaign=battle.campaign_id,
        source=BattleSource.LIVE.value,
        status=BattleStatus.VOTED.value,
        candidate_a__in=pair,
        candidate_b__in=pair,
    )
    rows = voted.exclude(pk=battle.pk).order_by("pk", "turns__index").values_list("pk", "turns__text")
    return [[text for _, text in chat] for _, chat in groupby(rows, key=itemgetter(0))]
