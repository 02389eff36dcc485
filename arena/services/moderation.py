"""What moderators do: hide a battle, set its vote aside, ban a volunteer, leave a note. Each act is in the ledger."""

from __future__ import annotations

import logging
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from arena.erasure_log import Deed
from arena.errors import NotVoted
from arena.models import Battle, ModerationEntry, Participant, User, Vote
from arena.selectors.moderation import set_aside_one_by_one
from arena.services import forgotten
from arena.services.exclusions import exclude, exclude_all, lift, lift_all
from arena.services.releases import note_removal
from arena.types import ExclusionSource, ModerationAct
from ranking.filters import ExclusionReason

logger = logging.getLogger(__name__)


def record(
    act: ModerationAct,
    staff: User,
    note: str,
    *,
    battle_id: UUID | None = None,
    participant_id: UUID | None = None,
) -> None:
    """Write an act into the ledger; inside the transaction that does it."""
    ModerationEntry.objects.create(
        act=act.value, staff=staff, note=note.strip(), battle_id=battle_id, participant_id=participant_id
    )


def hide_battle(*, battle_id: UUID, staff: User, note: str = "") -> None:
    """Show the battle to nobody but its volunteer, and export it no more; its vote goes on counting. Repeating it changes nothing."""
    with transaction.atomic():
        if Battle.objects.filter(pk=battle_id, hidden_at=None).update(hidden_at=timezone.now()):
            note_removal()
            record(ModerationAct.HIDE, staff, note, battle_id=battle_id)
            forgotten.note(Deed.HIDDEN, battle=battle_id)


def show_battle(*, battle_id: UUID, staff: User, note: str = "") -> None:
    """Undo :func:`hide_battle`."""
    with transaction.atomic():
        if Battle.objects.filter(pk=battle_id, hidden_at__isnull=False).update(hidden_at=None):
            record(ModerationAct.SHOW, staff, note, battle_id=battle_id)
            forgotten.note(Deed.SHOWN, battle=battle_id)


def exclude_vote(*, battle_id: UUID, staff: User, note: str = "") -> Vote:
    """Set the battle's vote aside: neither counted nor credited, in one transaction with the tally. Raises :class:`NotVoted`."""
    with transaction.atomic():
        vote = _vote_of(battle_id)
        record(ModerationAct.EXCLUDE, staff, note, battle_id=battle_id)
        return exclude(
            vote_id=vote.pk, reason=ExclusionReason.MODERATED, source=ExclusionSource.STAFF, staff=staff
        )


def restore_vote(*, battle_id: UUID, staff: User, note: str = "") -> Vote:
    """Undo :func:`exclude_vote`; the vote of somebody who is banned stays aside until the ban ends. Raises :class:`NotVoted`."""
    with transaction.atomic():
        vote = _vote_of(battle_id)
        voter = _locked(vote.participant_id)
        record(ModerationAct.RESTORE, staff, note, battle_id=battle_id)
        if voter.banned_at is not None:
            return vote
        return lift(vote_id=vote.pk, reason=ExclusionReason.MODERATED)


def ban_participant(*, participant_id: UUID, staff: User, note: str = "") -> int:
    """Let a volunteer neither ask nor vote any more, and set all their votes aside. Returns how many votes.

    One transaction. Locks the participant so that no vote of theirs is stored meanwhile, then as :func:`exclude_all`. Repeating it changes nothing.
    """
    with transaction.atomic():
        participant = _locked(participant_id)
        if participant.banned_at is None:
            participant.banned_at = timezone.now()
            participant.save(update_fields=["banned_at"])
            note_removal()
            record(ModerationAct.BAN, staff, note, participant_id=participant_id)
        votes = exclude_all(
            participant=participant,
            reason=ExclusionReason.MODERATED,
            source=ExclusionSource.STAFF,
            staff=staff,
        )
    logger.info("participant %s banned: %d votes set aside", participant_id, votes)
    return votes


def unban_participant(*, participant_id: UUID, staff: User, note: str = "") -> int:
    """Undo :func:`ban_participant`; votes that were set aside one by one stay so. Returns how many votes were looked at."""
    with transaction.atomic():
        participant = _locked(participant_id)
        if participant.banned_at is None:
            return 0
        participant.banned_at = None
        participant.save(update_fields=["banned_at"])
        record(ModerationAct.UNBAN, staff, note, participant_id=participant_id)
        votes = lift_all(
            participant=participant,
            reason=ExclusionReason.MODERATED,
            keeping=set_aside_one_by_one(participant),
        )
    logger.info("participant %s unbanned: %d votes looked at", participant_id, votes)
    return votes


def leave_note(*, battle_id: UUID, staff: User, note: str) -> None:
    """Words about a battle for other staff. The volunteer's own file of data holds them too."""
    record(ModerationAct.NOTE, staff, note, battle_id=battle_id)


def _locked(participant_id: UUID) -> Participant:
    """The participant under the row lock that casting a vote takes as well."""
    return Participant.objects.select_for_update(no_key=True).get(pk=participant_id)


def _vote_of(battle_id: UUID) -> Vote:
    vote = Vote.objects.filter(battle=battle_id).first()
    if vote is None:
        raise NotVoted("this battle has no vote")
    return vote
