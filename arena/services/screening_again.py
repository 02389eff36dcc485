"""Votes judged again by today's rules on texts, which may have changed since they were cast."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import Q

from arena.models import Vote
from arena.selectors.voting import chat_of
from arena.services.accounts import ERASED
from arena.services.exclusions import exclude, lift
from arena.services.screening import TEXT_RULES, reasons_in_texts
from arena.types import ExclusionSource
from ranking.filters import ExclusionReason
from ranking.models import Board

logger = logging.getLogger(__name__)

_AT_ONCE = 200


@dataclass(slots=True)
class Again:
    """How many votes were read, how many could not be since their texts are erased, and by reason how many are set aside or freed of it."""

    votes: int = 0
    erased: int = 0
    added: dict[str, int] = field(default_factory=dict)
    lifted: dict[str, int] = field(default_factory=dict)


def screen_again(*, board: Board | None = None, dry_run: bool = False) -> Again:
    """Ask the rules on identity leaks and languages again of every vote, or of a board's; the ledger and the tallies follow.

    Only what the site's own rules said is taken back. A transaction and a lock a vote, so that what was cut off goes on; repeating it changes nothing. Names
    and makers of candidates count as they are now. Votes whose texts are erased keep the reasons that they had.
    """
    told = Again()
    for vote in _votes(board):
        chat = chat_of(vote.battle)
        if any(each.text == ERASED for each in chat):
            told.erased += 1
            continue
        told.votes += 1
        found = set(reasons_in_texts(vote.battle, chat))
        standing = {
            ExclusionReason(each.reason): each.source
            for each in vote.exclusions.all()
            if each.lifted_at is None
        }
        for reason in sorted(found - standing.keys()):
            _count(told.added, reason)
            if not dry_run:
                exclude(vote_id=vote.pk, reason=reason, source=ExclusionSource.RULE)
        ours = {reason for reason in TEXT_RULES if standing.get(reason) == ExclusionSource.RULE.value}
        for reason in sorted(ours - found):
            _count(told.lifted, reason)
            if not dry_run:
                lift(vote_id=vote.pk, reason=reason)
    logger.info(
        "%s votes screened again: %s added, %s lifted",
        told.votes,
        sum(told.added.values()),
        sum(told.lifted.values()),
    )
    return told


def _count(among: dict[str, int], reason: ExclusionReason) -> None:
    among[reason.value] = among.get(reason.value, 0) + 1


def _votes(board: Board | None) -> Iterator[Vote]:
    """In the order of their keys, page by page, with what stands against them."""
    found = (
        Vote.objects.filter(Q(battle__campaign__board=board) if board else Q())
        .select_related("battle__candidate_a", "battle__candidate_b")
        .prefetch_related("exclusions")
        .order_by("pk")
    )
    last: UUID | None = None
    while page := list((found.filter(pk__gt=last) if last else found)[:_AT_ONCE]):
        yield from page
        last = page[-1].pk
