"""What a vote that is being cast is weighed by: the chat that it judges, and what its volunteer did before.

The statements are written out, as every vote asks them: Django takes longer to put one together than PostgreSQL to answer it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db import connection
from django.utils import timezone

from arena.days import midnight
from arena.models import Battle
from arena.types import AnswerStatus, BattleSource, BattleStatus

_HOUR = timedelta(hours=1)
_CHAT = """
SELECT turn.index, turn.text, answer.status, answer.text, answer.finished_at
FROM arena_turn turn LEFT JOIN arena_answer answer ON answer.turn_id = turn.id
WHERE turn.battle_id = %s
ORDER BY turn.index, answer.side
"""
_RECENT = """
SELECT count(*) FILTER (WHERE vote.created_at >= %(hour)s),
       count(*) FILTER (WHERE vote.created_at >= %(today)s AND vote.credited AND battle.campaign_id = %(campaign)s)
FROM arena_vote vote JOIN arena_battle battle ON battle.id = vote.battle_id
WHERE vote.participant_id = %(participant)s AND vote.created_at >= %(since)s
"""
_EARLIER = """
SELECT battle.id, turn.text
FROM arena_battle battle JOIN arena_turn turn ON turn.battle_id = battle.id
WHERE battle.participant_id = %(participant)s AND battle.campaign_id = %(campaign)s
  AND battle.source = %(source)s AND battle.status = %(status)s
  AND battle.candidate_a_id = ANY(%(pair)s) AND battle.candidate_b_id = ANY(%(pair)s) AND battle.id <> %(battle)s
ORDER BY battle.id, turn.index
"""


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
    return [
        Asked(text, [Said(AnswerStatus(status), *more) for _, _, status, *more in found if status])
        for (_, text), found in groupby(_rows(_CHAT, [battle.pk]), key=itemgetter(0, 1))
    ]


def recent_votes(battle: Battle) -> RecentVotes:
    """Those of the battle's volunteer. One query.

    The volunteer must be locked, so that two votes at once count each other.
    """
    hour, today = timezone.now() - _HOUR, midnight()
    asked = {"hour": hour, "today": today, "since": min(hour, today)}
    [counts] = _rows(_RECENT, asked | {"participant": battle.participant_id, "campaign": battle.campaign_id})
    return RecentVotes(*counts)


def earlier_prompts(battle: Battle) -> list[list[str]]:
    """What the volunteer asked the same two candidates in each other live battle of the campaign that they have voted on. One query."""
    asked = {
        "participant": battle.participant_id,
        "campaign": battle.campaign_id,
        "source": BattleSource.LIVE.value,
        "status": BattleStatus.VOTED.value,
        "pair": [battle.candidate_a_id, battle.candidate_b_id],
        "battle": battle.pk,
    }
    return [[text for _, text in chat] for _, chat in groupby(_rows(_EARLIER, asked), key=itemgetter(0))]


def _rows(statement: str, asked: Sequence[Any] | Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, asked)
        return list(cursor.fetchall())
