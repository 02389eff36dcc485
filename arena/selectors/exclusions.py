"""Reads of why votes do not count."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Q

from arena.models import Exclusion, Vote
from ranking.models import Board


@dataclass(frozen=True, slots=True)
class ExclusionCounts:
    """Of a board's votes. A vote may have several reasons, so that these add up to more than what is not counted."""

    votes: int
    counted: int
    reasons: dict[str, int]


def exclusion_counts(board: Board) -> ExclusionCounts:
    """Standing exclusions by reason, those that volunteers are never told among them. Two queries."""
    votes = Vote.objects.filter(battle__campaign__board=board)
    told = votes.aggregate(votes=Count("pk"), counted=Count("pk", filter=Q(counted=True)))
    reasons = (
        Exclusion.objects.filter(vote__battle__campaign__board=board, lifted_at__isnull=True)
        .values_list("reason")
        .annotate(n=Count("pk"))
        .order_by("reason")
    )
    return ExclusionCounts(told["votes"], told["counted"], dict(reasons))
