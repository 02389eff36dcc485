"""The moderation queue: volunteers report a battle of theirs, staff decide."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from arena.errors import TooManyReports
from arena.models import Battle, Prompt, Report, User
from arena.selectors.moderation import acts_standing, meant
from arena.services import moderation
from arena.services.people import locked
from arena.services.releases import note_removal
from arena.types import BattleSource, ModerationAct, ReportReason, ReportState

logger = logging.getLogger(__name__)

MOST_REPORTS_A_DAY = 20
"""Of one volunteer, so that nobody can bury what others report."""

_DEEDS: dict[ModerationAct, Callable[[Report, User, str], object]] = {
    ModerationAct.HIDE: lambda report, staff, note: moderation.hide_battle(
        battle_id=meant(report).pk, staff=staff, note=note
    ),
    ModerationAct.EXCLUDE: lambda report, staff, note: moderation.exclude_vote(
        battle_id=meant(report).pk, staff=staff, note=note
    ),
    ModerationAct.BAN: lambda report, staff, note: moderation.ban_participant(
        participant_id=meant(report).participant_id, staff=staff, note=note
    ),
}
ACTS = tuple(_DEEDS)
"""What staff can do about a report, in the order in which it is done."""
_UNDONE: dict[ModerationAct, Callable[[Report, User, str], object]] = {
    ModerationAct.HIDE: lambda report, staff, note: moderation.show_battle(
        battle_id=meant(report).pk, staff=staff, note=note
    ),
    ModerationAct.EXCLUDE: lambda report, staff, note: moderation.restore_vote(
        battle_id=meant(report).pk, staff=staff, note=note
    ),
    ModerationAct.BAN: lambda report, staff, note: moderation.unban_participant(
        participant_id=meant(report).participant_id, staff=staff, note=note
    ),
}


def report_battle(*, battle_id: UUID, participant_id: UUID, reason: ReportReason, words: str = "") -> Report:
    """Put a volunteer's own battle before staff; until they have decided it is shown to nobody else.

    Locks the participant. While a report of the battle is open, that one is returned as it is. Raises ``Battle.DoesNotExist`` for a battle of somebody
    else, and :class:`TooManyReports`.
    """
    with transaction.atomic():
        participant = locked(participant_id)
        battle = Battle.objects.get(pk=battle_id, participant=participant)
        standing = battle.reports.filter(participant=participant, state=ReportState.OPEN.value).first()
        if standing is not None:
            return standing
        since = timezone.now() - timedelta(days=1)
        if participant.reports.filter(created_at__gte=since).count() >= MOST_REPORTS_A_DAY:
            raise TooManyReports("this volunteer has reported many battles today")
        made: Report = battle.reports.create(
            participant=participant, reason=reason.value, words=words.strip()
        )
        note_removal()
    logger.info("battle %s reported: %s", battle_id, reason.value)
    return made


def settle(*, report_id: UUID, acts: Collection[ModerationAct], staff: User, note: str = "") -> bool:
    """Do what staff decided about an open report, and close it. Returns whether it was open.

    One transaction; locks the report, then as each act. Raises :class:`arena.errors.NotVoted`.
    """
    with transaction.atomic():
        report = _locked(report_id)
        if report.state != ReportState.OPEN.value:
            return False
        for act in (each for each in ACTS if each in acts):
            _do(act, report, staff, note)
        _close(report, ReportState.SETTLED, staff)
    return True


def dismiss(*, report_id: UUID, staff: User, note: str = "") -> bool:
    """Close an open report about which there is nothing to do. Returns whether it was open."""
    with transaction.atomic():
        report = _locked(report_id)
        if report.state != ReportState.OPEN.value:
            return False
        moderation.record(ModerationAct.DISMISS, staff, note, battle_id=report.battle_id)
        _close(report, ReportState.DISMISSED, staff)
    return True


def undo(
    *, report_id: UUID, acts: Collection[ModerationAct], staff: User, note: str = ""
) -> list[ModerationAct]:
    """Take back what stands of these acts, whoever did them; the report stays as it was decided. Returns what was taken back.

    One transaction; locks the report, then as each act. The ban ends first, so that a vote set aside for its own sake can count again.
    """
    with transaction.atomic():
        report = _locked(report_id)
        standing = [each for each in reversed(acts_standing(report)) if each in acts]
        for act in standing:
            _undo(act, report, staff, note)
    return standing


def _undo(act: ModerationAct, report: Report, staff: User, note: str) -> None:
    if report.battle.source != BattleSource.PROMPT_SET.value:
        _UNDONE[act](report, staff, note)
        return
    Prompt.objects.filter(battles=report.battle_id).update(hidden_at=None)
    moderation.record(ModerationAct.SHOW, staff, note, battle_id=report.battle_id)


def _do(act: ModerationAct, report: Report, staff: User, note: str) -> None:
    """A prompt of a set was written by staff, and its answers by models: it can be hidden, and nobody is at fault."""
    if report.battle.source != BattleSource.PROMPT_SET.value:
        _DEEDS[act](report, staff, note)
        return
    if act is ModerationAct.HIDE:
        Prompt.objects.filter(battles=report.battle_id, hidden_at=None).update(hidden_at=timezone.now())
    moderation.record(act, staff, note, battle_id=report.battle_id)


def _close(report: Report, state: ReportState, staff: User) -> None:
    report.state, report.staff, report.decided_at = state.value, staff, timezone.now()
    report.save(update_fields=["state", "staff", "decided_at"])
    logger.info("report %s %s", report.pk, state.value)


def _locked(report_id: UUID) -> Report:
    return Report.objects.select_for_update(of=("self",)).select_related("battle__origin").get(pk=report_id)
