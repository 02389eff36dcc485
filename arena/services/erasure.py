"""Forgetting somebody who asks for it: the one way, whoever starts it. What it does with each column is said in :mod:`arena.personal`."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from arena import streams
from arena.erasure_log import Deed
from arena.errors import StaffStays
from arena.models import (
    Answer,
    Battle,
    Doubt,
    ModerationEntry,
    Participant,
    Report,
    Session,
    SpanFeedback,
    Turn,
    User,
)
from arena.services.accounts import ERASED, close_account
from arena.services.forgotten import note
from arena.services.people import end_consent, locked
from arena.services.turns import user_of
from arena.types import AnswerStatus, FailCode, TextSize, Theme
from inference.models import UserUsage

logger = logging.getLogger(__name__)


def erase_participant(*, participant_id: UUID) -> list[UUID]:
    """:func:`forget_participant`, noted for backups that are restored. Raises :class:`StaffStays` for staff: their name stands under decisions."""
    with transaction.atomic():
        user = locked(participant_id).user
        _check(user)
        account = user.public_id if user is not None else None
        left = forget_participant(participant_id=participant_id)
        note(Deed.ERASED, participant=participant_id, account=account)
    return left


def erase_account(*, user_id: int) -> list[UUID]:
    """As :func:`erase_participant`, of whoever has this account, also where nobody ever took part with it."""
    participant = Participant.objects.filter(user=user_id).first()
    if participant is not None:
        return erase_participant(participant_id=participant.pk)
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=user_id)
        _check(user)
        forget_account(user_id=user_id)
        note(Deed.ERASED, account=user.public_id)
    return []


def forget_participant(*, participant_id: UUID) -> list[UUID]:
    """Delete a volunteer: account, addresses, sessions, what they said of themselves and every text of their battles.

    One transaction. The votes stay, of nobody, and count nowhere: they are ``withdrawn``, so that no later board or export holds them. Once it holds, the
    processes of the site are told to stop what they still write for them and to empty the streams. Returns the unfinished battles that were left, which the
    caller forgets first in its own process.
    """
    with transaction.atomic():
        participant = locked(participant_id)
        user = participant.user
        theirs = Battle.objects.filter(Q(participant=participant) | Q(origin__participant=participant))
        turns = list(Turn.objects.filter(battle__in=theirs).values_list("pk", "battle_id", "runner_id"))
        left = end_consent(participant, takes_votes=True)
        _erase_texts(participant, theirs)
        _anonymise(participant)
        UserUsage.objects.filter(user=user_of(participant.pk)).delete()
        Session.objects.filter(participant_id=participant.pk).delete()
        addresses = close_account(user) if user is not None else set()
        transaction.on_commit(lambda: _reach_the_rest(turns, addresses), robust=True)
    logger.info("participant %s was erased", participant_id)
    return left


def forget_account(*, user_id: int) -> None:
    """Delete an account; whoever took part with it goes on as somebody without one, in no browser."""
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=user_id)
        participants = Participant.objects.filter(user=user)
        Session.objects.filter(participant_id__in=participants.values("pk")).delete()
        participants.update(user=None, nickname="")
        addresses = close_account(user)
        transaction.on_commit(lambda: _reach_the_rest([], addresses), robust=True)
    logger.info("account %s was erased", user.public_id)


def release_account(*, user_id: int) -> None:
    """Delete an account and leave what was done with it to a participant without one: votes and texts stand. Noted as :func:`erase_account` is."""
    with transaction.atomic():
        public_id = User.objects.get(pk=user_id).public_id
        forget_account(user_id=user_id)
        note(Deed.ERASED, account=public_id)


def _check(user: User | None) -> None:
    if user is not None and (user.is_staff or user.is_superuser):
        raise StaffStays("an account of staff is closed by other staff, who first end its being one")


def _reach_the_rest(turns: Iterable[tuple[UUID, UUID, UUID | None]], addresses: set[str]) -> None:
    """What no transaction holds: processes that write, streams that others follow, e-mails that are files."""
    for _turn, battle_id, runner_id in turns:
        if runner_id is not None:
            streams.send_order_from_thread(settings.REDIS_URL, runner_id, streams.Order.FORGET, battle_id)
    streams.forget_turns(settings.REDIS_URL, {turn_id for turn_id, _battle, _runner in turns})
    folder = getattr(settings, "EMAIL_FILE_PATH", None)
    for path in Path(folder).glob("*.log") if folder and addresses else ():
        text = path.read_text(errors="replace").lower()
        if any(each.lower() in text for each in addresses):
            path.unlink(missing_ok=True)


def _erase_texts(participant: Participant, theirs: QuerySet[Battle]) -> None:
    """Also where others were shown them. Whoever still writes an answer loses the lease, and with it the right to store one."""
    Turn.objects.filter(battle__in=theirs).update(text=ERASED, runner_id=None, lease_until=None)
    said = Answer.objects.filter(turn__battle__in=theirs)
    said.filter(status__in=[AnswerStatus.PENDING.value, AnswerStatus.STREAMING.value]).update(
        status=AnswerStatus.INTERRUPTED.value, error_code=FailCode.INTERRUPTED.value
    )
    said.exclude(text="").update(text=ERASED)
    said.exclude(reasoning="").update(reasoning="")
    Doubt.objects.filter(turn__battle__in=theirs).delete()
    about = Q(battle__in=theirs) | Q(participant=participant)
    marked = Q(participant=participant) | Q(answer__in=said)
    for words in ("comment", "rewrite"):
        SpanFeedback.objects.filter(marked).exclude(**{words: ""}).update(**{words: ERASED})
    Report.objects.filter(about).exclude(words="").update(words=ERASED)
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
    participant.findings.all().delete()
