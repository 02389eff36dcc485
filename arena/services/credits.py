"""The one place where the ledger of credits is written."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Max

from arena.days import midnight
from arena.models import Battle, Credit, Participant, Vote


def book(votes: Iterable[Vote]) -> None:
    """Bring the ledger to what *credited* says of these votes, which the caller has locked, in the caller's transaction.

    A vote's rows give and take in turn: the last of an odd number gives. Repeating it changes nothing. Two queries at most.
    """
    known = {vote.pk: vote for vote in votes}
    steps: dict[UUID, int] = dict(
        Credit.objects.filter(vote__in=known).values_list("vote").annotate(last=Max("step"))
    )
    moved = [vote for vote in known.values() if vote.credited != (steps.get(vote.pk, 0) % 2 == 1)]
    Credit.objects.bulk_create(
        Credit(
            vote=vote,
            participant_id=vote.participant_id,
            campaign_id=vote.battle.campaign_id,
            step=steps.get(vote.pk, 0) + 1,
            amount=1 if vote.credited else -1,
        )
        for vote in moved
    )


def is_beyond_cap(battle: Battle, participant: Participant) -> bool:
    """Whether the campaign credits the participant no more votes today. One query.

    The participant must be locked, so that two votes at once count each other.
    """
    today = Vote.objects.filter(
        participant=participant,
        battle__campaign=battle.campaign_id,
        credited=True,
        created_at__gte=midnight(),
    )
    return today.count() >= battle.campaign.credited_a_day


def hand_over(guest: Participant, own: Participant) -> None:
    """What a guest was credited becomes the account's."""
    Credit.objects.filter(participant=guest).update(participant=own)
