"""Who may be asked at this moment, read once a second however many battles begin."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from inference.models import Candidate
from inference.selectors.candidates import canary_shares, servable_candidates

FRESH_S = 1.0
"""So long what was read is good for every battle of the process. An endpoint that fails meanwhile is refused by its circuit, which each request asks."""


@dataclass(frozen=True, slots=True)
class AtWork:
    """The candidates that may be asked.

    Parameters
    ----------
    candidates
        By code; they are shared, and nobody changes them.
    shares
        Of battles that may draw each of them that only canaries serve, from 0 to 1, by code.
    """

    candidates: dict[str, Candidate]
    shares: dict[str, float]


_lock = threading.Lock()
_known: tuple[float, AtWork] | None = None


def at_work() -> AtWork:
    """At most :data:`FRESH_S` old. Three queries at most, usually none; of threads that come together one asks."""
    global _known  # noqa: PLW0603  # one a process, by definition
    with _lock:
        now = time.monotonic()
        if _known is None or now - _known[0] >= FRESH_S:
            _known = now, _read()
        return _known[1]


def _read() -> AtWork:
    shares = canary_shares()
    canaries = Candidate.objects.filter(code__in=shares) if shares else ()
    return AtWork({each.code: each for each in (*servable_candidates(), *canaries)}, shares)
