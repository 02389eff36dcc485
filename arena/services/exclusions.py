"""The ledger of exclusions: the one place where a vote stops counting, or counts again, together with its tally."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from arena.models import Exclusion, Participant, User, Vote
from arena.selectors.judgements import judgements_of, tally_entries
from arena.services.credits import book, book_first
from arena.types import ExclusionSource
from ranking.filters import ExclusionReason
from ranking.services import TallyEntry, record

STILL_CREDITED = {
    ExclusionReason.IDENTITY_LEAK,
    ExclusionReason.WRONG_LANGUAGE,
    ExclusionReason.GUEST,
    ExclusionReason.HELD,
    ExclusionReason.REJUDGED,
    ExclusionReason.PROMPT_SET,
}
"""Reasons that are no fault of the volunteer, or not known to be one: such a vote enters no ranking, but thanks and tickets."""


def exclude(
    *, vote_id: UUID, reason: ExclusionReason, source: ExclusionSource, staff: User | None = None
) -> Vote:
    """Add a reason against a vote; where it is the first one, the tally moves back by the vote.

    Locks the vote, then the tally's rows in key order. Repeating it changes nothing.
    """
    with transaction.atomic():
        vote = _locked(vote_id)
        Exclusion.objects.get_or_create(
            vote=vote, reason=reason.value, lifted_at=None, defaults={"source": source.value, "staff": staff}
        )
        return _settle(vote)


def lift(*, vote_id: UUID, reason: ExclusionReason) -> Vote:
    """Lift a reason; where no other stands, the vote counts again. Locks as :func:`exclude`. Repeating it changes nothing."""
    with transaction.atomic():
        vote = _locked(vote_id)
        vote.exclusions.filter(reason=reason.value, lifted_at=None).update(lifted_at=timezone.now())
        return _settle(vote)


def exclude_all(
    *, participant: Participant, reason: ExclusionReason, source: ExclusionSource, staff: User | None = None
) -> int:
    """Add a reason against all votes of a volunteer, in one transaction with the tallies. Returns how many votes.

    Locks the votes in key order, then each board's cells. Repeating it changes nothing.
    """
    with transaction.atomic():
        votes = _all_locked(participant)
        Exclusion.objects.bulk_create(
            (Exclusion(vote=vote, reason=reason.value, source=source.value, staff=staff) for vote in votes),
            ignore_conflicts=True,
        )
        _settle_all(votes)
    return len(votes)


def lift_all(*, participant: Participant, reason: ExclusionReason, keeping: Collection[UUID] = ()) -> int:
    """Lift a reason from all votes of a volunteer but those to keep, as :func:`exclude_all` adds one."""
    with transaction.atomic():
        votes = [vote for vote in _all_locked(participant) if vote.pk not in keeping]
        Exclusion.objects.filter(vote__in=votes, reason=reason.value, lifted_at=None).update(
            lifted_at=timezone.now()
        )
        _settle_all(votes)
    return len(votes)


def flag_participant(*, participant: Participant, source: ExclusionSource, staff: User | None = None) -> int:
    """Count none of a volunteer's votes, given or to come.

    Vote by vote, so that no lock is held for long; repeating it ends what was cut off. Returns how many votes.
    """
    Participant.objects.filter(pk=participant.pk, flagged_at=None).update(flagged_at=timezone.now())
    return _follow(participant, ExclusionReason.FLAGGED_USER, source=source, staff=staff)


def unflag_participant(*, participant: Participant) -> int:
    """Let a volunteer's votes count again, where nothing else speaks against them. Returns how many votes were looked at."""
    Participant.objects.filter(pk=participant.pk).update(flagged_at=None)
    return _follow(participant, ExclusionReason.FLAGGED_USER)


def settle_hold(*, participant: Participant) -> int:
    """Set a volunteer's votes aside, or let them count again, as *held_at* says. Works as :func:`flag_participant`; returns how many votes were looked at."""
    return _follow(participant, ExclusionReason.HELD, source=ExclusionSource.STATISTICS)


_MARKS = {ExclusionReason.FLAGGED_USER: "flagged_at", ExclusionReason.HELD: "held_at"}


def _follow(
    participant: Participant,
    reason: ExclusionReason,
    *,
    source: ExclusionSource = ExclusionSource.STAFF,
    staff: User | None = None,
) -> int:
    """Bring all votes of a volunteer to what the mark of *reason* says of them; anew, where somebody moved the mark meanwhile."""
    while True:
        marked, votes = _is_marked(participant, reason), _votes_of(participant)
        for vote_id in votes:
            if marked:
                exclude(vote_id=vote_id, reason=reason, source=source, staff=staff)
            else:
                lift(vote_id=vote_id, reason=reason)
        if _is_marked(participant, reason) == marked:
            return len(votes)


def _is_marked(participant: Participant, reason: ExclusionReason) -> bool:
    return Participant.objects.filter(pk=participant.pk, **{f"{_MARKS[reason]}__isnull": False}).exists()


def store_with(vote: Vote, reasons: Iterable[ExclusionReason]) -> None:
    """Store a vote that is being cast, with the reasons that the site's own rules found; the caller moves the tally where there is none."""
    found = set(reasons)
    vote.counted, vote.credited = not found, _is_credited(vote, found)
    vote.save(force_insert=True)
    Exclusion.objects.bulk_create(
        Exclusion(vote=vote, reason=reason.value, source=ExclusionSource.RULE.value)
        for reason in sorted(found)
    )
    book_first(vote)


def _is_credited(vote: Vote, standing: set[ExclusionReason]) -> bool:
    return standing <= STILL_CREDITED and not vote.beyond_cap


def _settle(vote: Vote) -> Vote:
    """Bring *counted*, *credited* and the tally to what the standing reasons say."""
    _settle_all([vote])
    return vote


def _settle_all(votes: list[Vote]) -> None:
    """As :func:`_settle`, for many. One call for a board and a direction, and callers only take votes out or let them in: cells are locked in key order."""
    standing: dict[UUID, set[ExclusionReason]] = defaultdict(set)
    for vote_id, reason in Exclusion.objects.filter(vote__in=votes, lifted_at=None).values_list(
        "vote_id", "reason"
    ):
        standing[vote_id].add(ExclusionReason(reason))
    moves: dict[tuple[int, int], list[TallyEntry]] = defaultdict(list)
    for vote in votes:
        counts = not standing[vote.pk]
        if counts != vote.counted:
            step = 1 if counts else -1
            moves[vote.battle.campaign.board_id, step] += tally_entries(vote.battle, judgements_of(vote))
        vote.counted, vote.credited = counts, _is_credited(vote, standing[vote.pk])
    for (board_id, step), entries in sorted(moves.items()):
        record(board_id=board_id, entries=entries, step=step)
    Vote.objects.bulk_update(votes, ["counted", "credited"])
    book(votes)


def _all_locked(participant: Participant) -> list[Vote]:
    """The volunteer's votes, locked in the order of their keys."""
    return list(
        Vote.objects.select_for_update(of=("self",))
        .select_related("battle__campaign", "battle__candidate_a", "battle__candidate_b")
        .prefetch_related("judgements")
        .filter(participant=participant)
        .order_by("pk")
    )


def _locked(vote_id: UUID) -> Vote:
    return (
        Vote.objects.select_for_update(of=("self",))
        .select_related("battle__campaign", "battle__candidate_a", "battle__candidate_b")
        .get(pk=vote_id)
    )


def _votes_of(participant: Participant) -> list[UUID]:
    return list(
        Vote.objects.filter(participant=participant).order_by("created_at").values_list("pk", flat=True)
    )
