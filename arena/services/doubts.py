"""What may be a personal detail in the texts of ended battles: rules find it, staff decide whether it is passed on."""

from __future__ import annotations

import logging
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from arena.models import Answer, Battle, Doubt, Turn, User
from arena.sanitizing import RULES, Decision, find
from arena.services.releases import note_removal
from arena.types import BattleStatus

logger = logging.getLogger(__name__)

MOST_AT_ONCE = 500
_ENDED = [BattleStatus.VOTED.value, BattleStatus.ABANDONED.value]


def scan_ended(*, at_most: int = MOST_AT_ONCE) -> int:
    """Queue what is doubtful in battles that ended and that today's rules did not read yet, oldest first. Returns how many battles were read.

    A transaction and a lock a battle, so that what was cut off goes on, and two at once read each battle once.
    """
    waiting = Battle.objects.filter(status__in=_ENDED, rules_read__lt=RULES).order_by("created_at")
    return sum(_scan(battle_id) for battle_id in [*waiting.values_list("pk", flat=True)[:at_most]])


def decide(*, doubt_id: UUID, decision: Decision, staff: User) -> int:
    """Say of a passage, and of the same passage in every equal text, whether it is passed on. Returns of how many texts.

    It may be said again, and otherwise; the last word holds.
    """
    with transaction.atomic():
        doubt = Doubt.objects.select_related("turn", "answer").get(pk=doubt_id)
        said = _alike(doubt).update(decision=decision.value, staff=staff, decided_at=timezone.now())
        if decision is Decision.REDACT:
            note_removal()
    logger.info("doubt %s: %s, in %d texts", doubt_id, decision.value, said)
    return said


def _scan(battle_id: UUID) -> bool:
    """Open ones that the rules find no more go; those that were decided stay as they are."""
    with transaction.atomic():
        locked = Battle.objects.select_for_update(no_key=True, skip_locked=True)
        if not locked.filter(pk=battle_id, rules_read__lt=RULES).exists():
            return False
        Doubt.objects.filter(turn__battle=battle_id, decision=Decision.OPEN.value).delete()
        for turn in Turn.objects.filter(battle=battle_id).prefetch_related("answers"):
            for said in (None, *turn.answers.all()):
                _queue(turn, said)
        Battle.objects.filter(pk=battle_id).update(rules_read=RULES)
    return True


def _queue(turn: Turn, answer: Answer | None) -> None:
    """What was decided of an equal text holds here too: prompts to start from come again and again, and pairs repeat answers."""
    text = turn.text if answer is None else answer.text
    found = [
        Doubt(turn=turn, answer=answer, kind=each.kind.value, start=each.start, end=each.end)
        for each in find(text)
        if not each.certain
    ]
    for doubt in found:
        before = _alike(doubt).exclude(decision=Decision.OPEN.value).order_by("-decided_at").first()
        if before is not None:
            doubt.decision, doubt.staff, doubt.decided_at = before.decision, before.staff, before.decided_at
    Doubt.objects.bulk_create(found, ignore_conflicts=True)


def _alike(doubt: Doubt) -> QuerySet[Doubt]:
    same_text = Q(answer=None, turn__text=doubt.text) | Q(answer__text=doubt.text)
    return Doubt.objects.filter(same_text, kind=doubt.kind, start=doubt.start, end=doubt.end)
