"""Which candidates can be drawn at this moment."""

from __future__ import annotations

from dataclasses import dataclass

from inference.models import Candidate
from inference.selectors import at_work
from ranking.canaries import Shares


@dataclass(frozen=True, slots=True)
class Pool:
    """The candidates that can be drawn now, by code, and the shares of those that are canaries."""

    candidates: dict[str, Candidate]
    shares: Shares


def pool_now() -> Pool:
    """As :func:`inference.selectors.at_work` knows it."""
    found = at_work()
    return Pool(found.candidates, found.shares)
