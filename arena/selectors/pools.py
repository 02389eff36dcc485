"""Which candidates can be drawn at this moment."""

from __future__ import annotations

from dataclasses import dataclass

from arena.models import Campaign
from inference.models import Candidate
from inference.selectors import at_work
from ranking.canaries import Shares


@dataclass(frozen=True, slots=True)
class Pool:
    """The candidates that can be drawn now, by code, and the shares of those that are canaries."""

    candidates: dict[str, Candidate]
    shares: Shares


def pool_now(campaign: Campaign | None) -> Pool:
    """Of those whom :func:`inference.selectors.at_work` knows, the campaign's; all where it names none. One query."""
    found = at_work()
    chosen = set(campaign.candidates.values_list("code", flat=True)) if campaign else set()
    if not chosen:
        return Pool(found.candidates, found.shares)
    return Pool(
        {code: each for code, each in found.candidates.items() if code in chosen},
        {code: share for code, share in found.shares.items() if code in chosen},
    )
