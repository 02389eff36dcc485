"""Seeds from what is asked for, so that a request sent again after a kill is the same request."""

from __future__ import annotations

import hashlib


def seed_of(seed: int, *parts: str | int) -> int:
    """A seed of 31 bits from the run's seed and the request's place in the run; servers take no more than that alike."""
    return int.from_bytes(_digest(seed, *parts)[:4]) >> 1


def share_of(seed: int, *parts: str | int) -> float:
    """A number in [0, 1) from the same; orders rows at random, the same way on every machine."""
    return int.from_bytes(_digest(seed, *parts)[:7]) / 2**56


def _digest(*parts: str | int) -> bytes:
    return hashlib.sha256("\0".join(map(str, parts)).encode()).digest()
