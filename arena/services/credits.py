"""The one place where the ledger of credits is written."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Max

from arena.models import Credit, Participant, Vote


def book(votes: Iterable[Vote]) -> None:
    """Bring the ledger to what *credited* says of these votes, which the caller has locked, in the caller's transaction.

    A vote's rows give and take in turn: the last of an odd number gives. Repeating it changes nothing. Two queries at most.
    """
    known = {vote.pk: vote for vote in votes}
    steps: dict[UUID, int] = dict(
        Credit.objects.filter(vote__in=known).values_list("vote").annotate(last=Max("step"))
    )
    Credit.objects.bulk_create(
        _row(vote, steps.get(vote.pk, 0) + 1)
        for vote in known.values()
        if vote.credited != (steps.get(vote.pk, 0) % 2 == 1)
    )


def book_first(vote: Vote) -> None:
    """As :func:`book`, for a vote that this transaction has stored: nothing of it is in the ledger. One query at most."""
    if vote.credited:
        _row(vote, 1).save(force_insert=True)


def _row(vote: Vote, step: int) -> Credit:
    return Credit(
        vote=vote,
        participant_id=vote.participant_id,
        campaign_id=vote.battle.campaign_id,
        step=step,
        amount=1 if vote.credited else -1,
    )


def hand_over(guest: Participant, own: Participant) -> None:
    """What a guest was credited becomes the account's."""
    Credit.objects.filter(participant=guest).update(participant=own)
