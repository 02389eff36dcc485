"""Forgetting somebody who asks for it."""

from __future__ import annotations

import logging
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from arena.errors import StaffStays
from arena.models import Answer, Battle, ModerationEntry, Participant, Session, SpanFeedback, Turn, User
from arena.services.people import locked, withdraw_consent
from arena.services.turns import user_of
from arena.types import AnswerStatus, FailCode, TextSize, Theme
from inference.models import UserUsage

logger = logging.getLogger(__name__)

ERASED = "—"
"""What stands in the place of a text that was deleted: a turn without a text, or a complete answer without one, there cannot be."""


def erase_participant(*, participant_id: UUID) -> list[UUID]:
    """Delete a volunteer: account, addresses, sessions, what they said of themselves and every text of their battles.

    One transaction. The votes stay, of nobody, and count nowhere: they are ``withdrawn``, so that no later board or export holds them. Returns the unfinished
    battles that were left, whose generation the caller stops first where it can. Raises :class:`StaffStays` for staff: their name stands under decisions.
    """
    with transaction.atomic():
        participant = locked(participant_id)
        user = participant.user
        if user is not None and (user.is_staff or user.is_superuser):
            raise StaffStays("an account of staff is closed by other staff")
        left = withdraw_consent(participant_id=participant_id, takes_votes=True)
        _erase_texts(participant)
        _anonymise(participant)
        UserUsage.objects.filter(user=user_of(participant.pk)).delete()
        Session.objects.filter(participant_id=participant.pk).delete()
        if user is not None:
            Session.objects.filter(account_id=user.pk).delete()
            User.objects.get(pk=user.pk).delete()
    logger.info("participant %s was erased", participant_id)
    return left


def _erase_texts(participant: Participant) -> None:
    """Also where others were shown them. Whoever still writes an answer loses the lease, and with it the right to store one."""
    theirs = Battle.objects.filter(Q(participant=participant) | Q(origin__participant=participant))
    Turn.objects.filter(battle__in=theirs).update(text=ERASED, runner_id=None, lease_until=None)
    said = Answer.objects.filter(turn__battle__in=theirs)
    said.filter(status__in=[AnswerStatus.PENDING.value, AnswerStatus.STREAMING.value]).update(
        status=AnswerStatus.INTERRUPTED.value, error_code=FailCode.INTERRUPTED.value
    )
    said.exclude(text="").update(text=ERASED)
    said.exclude(reasoning="").update(reasoning="")
    about = Q(battle__participant=participant) | Q(participant=participant)
    marked = Q(participant=participant) | Q(answer__in=said)
    for words in ("comment", "rewrite"):
        SpanFeedback.objects.filter(marked).exclude(**{words: ""}).update(**{words: ERASED})
    participant.reports.exclude(words="").update(words=ERASED)
    ModerationEntry.objects.filter(about).exclude(note="").update(note=ERASED)


def _anonymise(participant: Participant) -> None:
    participant.user = None
    participant.language_level = participant.education = participant.display = participant.nickname = ""
    participant.theme, participant.text_size, participant.shortcuts = (
        Theme.AUTO.value,
        TextSize.NORMAL.value,
        True,
    )
    participant.erased_at = timezone.now()
    participant.save()
    participant.votes.update(language_level="", education="", check_right=None, check_asked=None)
    participant.checks.all().delete()
