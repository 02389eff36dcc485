"""Which candidates can be drawn at this moment."""

from __future__ import annotations

from dataclasses import dataclass

from inference.models import Candidate
from inference.selectors import canary_shares, servable_candidates
from ranking.canaries import Shares


@dataclass(frozen=True, slots=True)
class Pool:
    """The candidates that can be drawn now, by code, and the shares of those that are canaries."""

    candidates: dict[str, Candidate]
    shares: Shares


def pool_now() -> Pool:
    """Three queries at most."""
    shares = canary_shares()
    canaries = Candidate.objects.filter(code__in=shares) if shares else ()
    return Pool({each.code: each for each in (*servable_candidates(), *canaries)}, shares)
