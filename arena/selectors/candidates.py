"""Reads of candidates as the public may see them."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from inference.models import Candidate
from ranking.models import TallyCell
from ranking.types import BoardKind


def public_candidates() -> QuerySet[Candidate]:
    """Those that have a counted vote on a live board, by code; of the others nobody learns that they take part before the votes say it."""
    met = TallyCell.objects.filter(
        Q(a_better__gt=0) | Q(b_better__gt=0) | Q(tie__gt=0) | Q(both_bad__gt=0),
        board__kind=BoardKind.LIVE.value,
    )
    return Candidate.objects.filter(
        Q(code__in=met.values("model_a")) | Q(code__in=met.values("model_b"))
    ).order_by("code")
