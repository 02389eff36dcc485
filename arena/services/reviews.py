"""The review queue: statistics find, staff decide."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from arena.models import Finding, Participant, User
from arena.numbers.material import sound
from arena.selectors.ballots import VoteTable, vote_table
from arena.selectors.controls import controls_judged
from arena.selectors.raters import examined
from arena.services.exclusions import flag_participant, settle_hold, unflag_participant
from arena.types import ExclusionSource, FindingState
from ranking.models import Board
from ranking.raters import Rater, RaterTest, Residual
from ranking.types import BoardKind, Criterion

logger = logging.getLogger(__name__)

_NEW_EVIDENCE = 2  # a decided finding comes up again once the volunteer has so many times the votes


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What a review of one board came to: votes that count, volunteers among them, those flagged, findings that are new, and volunteers newly held."""

    votes: int
    raters: int
    flagged: int
    new: int
    held: int


def review_all() -> dict[str, Reviewed]:
    """Review every live board; by its slug."""
    return {board.slug: review(board) for board in Board.objects.filter(kind=BoardKind.LIVE.value)}


def review(board: Board) -> Reviewed:
    """Test each volunteer's counted votes, overall, and queue what staff should look at. Excludes nobody for good.

    One finding for each test that flags a volunteer. An open one is brought up to date, so that repeating it changes nothing; one that was decided comes up
    again only on twice the votes. Where the evidence is overwhelming, all votes of the volunteer, given or to come, are set aside until staff decide.
    Keeps no lock while it computes; two reviews of one board wait for each other while they store.
    """
    table = vote_table(board)
    ballots = table.ballots(Criterion.OVERALL, sound(table))
    found = examined(ballots)
    flagged = found.flagged if found else ()
    with transaction.atomic():
        Board.objects.select_for_update(no_key=True).get(pk=board.pk)
        suspects = _unconfirmed(table, flagged)
        controls = controls_judged(board, [table.participants[rater.user] for rater in suspects])
        new = sum(
            _store(board, table.participants[rater.user], rater, test, controls)
            for rater in suspects
            for test in rater.reasons
        )
    held = _hold([table.participants[rater.user] for rater in found.overwhelming] if found else [])
    said = Reviewed(ballots.n_votes, len(found.raters) if found else 0, len(flagged), new, held)
    logger.info(
        "review of board %s: %d votes, %d raters, %d flagged, %d new findings, %d newly held",
        *(board.pk, said.votes, said.raters, said.flagged, said.new, said.held),
    )
    return said


def confirm(*, finding_id: UUID, staff: User | None) -> int:
    """Count none of the volunteer's votes, given or to come, and close all that is open against them. Returns how many votes.

    Repeating it ends what was cut off. A finding that was dismissed stays so: returns 0.
    """
    finding = Finding.objects.select_related("participant").get(pk=finding_id)
    if finding.state == FindingState.DISMISSED.value:
        return 0
    votes = flag_participant(participant=finding.participant, source=ExclusionSource.STATISTICS, staff=staff)
    Finding.objects.filter(participant=finding.participant, state=FindingState.OPEN.value).update(
        state=FindingState.CONFIRMED.value, staff=staff, decided_at=timezone.now()
    )
    _release(finding.participant)
    logger.info("finding %s confirmed: %d votes count no more", finding_id, votes)
    return votes


def dismiss(*, finding_id: UUID, staff: User | None) -> bool:
    """Close an open finding; once a volunteer has no other, votes that were held for it count again. Returns whether it was open."""
    closed = Finding.objects.filter(pk=finding_id, state=FindingState.OPEN.value).update(
        state=FindingState.DISMISSED.value, staff=staff, decided_at=timezone.now()
    )
    _release(Finding.objects.select_related("participant").get(pk=finding_id).participant)
    if closed:
        logger.info("finding %s dismissed", finding_id)
    return bool(closed)


def acquit(*, participant: Participant, staff: User | None) -> int:
    """Let a volunteer's votes count again, whatever statistics say until there are twice the votes. Returns how many votes were looked at."""
    for finding_id in participant.findings.filter(state=FindingState.OPEN.value).values_list("pk", flat=True):
        dismiss(finding_id=finding_id, staff=staff)
    return unflag_participant(participant=participant)


def _hold(overwhelming: list[UUID]) -> int:
    """Hold those against whom something is open; also end what an earlier hold left undone. Returns how many were not held before."""
    newly = sum(_mark_held(participant_id) for participant_id in overwhelming)
    for participant in Participant.objects.filter(held_at__isnull=False, votes__counted=True).distinct():
        settle_hold(participant=participant)
    return newly


def _mark_held(participant_id: UUID) -> bool:
    with transaction.atomic():
        participant = Participant.objects.select_for_update(no_key=True).get(pk=participant_id)
        if participant.held_at or participant.flagged_at or not _has_open(participant):
            return False
        participant.held_at = timezone.now()
        participant.save(update_fields=["held_at"])
    return True


def _release(participant: Participant) -> None:
    """End a hold for which nothing is open any more."""
    with transaction.atomic():
        locked = Participant.objects.select_for_update(no_key=True).get(pk=participant.pk)
        if _has_open(locked):
            return
        Participant.objects.filter(pk=participant.pk).update(held_at=None)
    settle_hold(participant=participant)


def _has_open(participant: Participant) -> bool:
    return participant.findings.filter(state=FindingState.OPEN.value).exists()


def _unconfirmed(table: VoteTable, flagged: tuple[Rater, ...]) -> list[Rater]:
    """Those whose votes staff did not take out meanwhile."""
    asked = [table.participants[rater.user] for rater in flagged]
    out = set(Participant.objects.filter(pk__in=asked, flagged_at__isnull=False).values_list("pk", flat=True))
    return [rater for rater in flagged if table.participants[rater.user] not in out]


def _store(
    board: Board,
    participant_id: UUID,
    rater: Rater,
    test: RaterTest,
    controls: Mapping[UUID, tuple[int, int]],
) -> bool:
    """Open a finding or bring the open one up to date. Returns whether it is new. Holds the board's lock."""
    last = (
        Finding.objects.filter(board=board, participant_id=participant_id, test=test.value)
        .order_by("-found_at")
        .first()
    )
    residual: Residual = getattr(rater, test.value)
    judged, failed = controls.get(participant_id, (0, 0))
    numbers = {
        "statistic": residual.statistic,
        "p": residual.p,
        "q": rater.q,
        "n_votes": rater.n_votes,
        "n_controls": judged,
        "n_controls_failed": failed,
        "model": (rater.model or "") if test is RaterTest.ONE_MODEL else "",
    }
    if last is not None and last.state == FindingState.OPEN.value:
        Finding.objects.filter(pk=last.pk, state=FindingState.OPEN.value).update(**numbers)
        return False
    if last is not None and rater.n_votes < _NEW_EVIDENCE * last.n_votes:
        return False
    Finding.objects.create(board=board, participant_id=participant_id, test=test.value, **numbers)
    return True
