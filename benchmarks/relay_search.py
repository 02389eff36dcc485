"""The largest load that a server carries, found with few trials."""

from __future__ import annotations

from collections.abc import Callable

FINENESS = 10
"""The search ends where the next load is at most a tenth heavier."""


def capacity(carries: Callable[[int], bool], *, begin: int, most: int) -> tuple[int, bool]:
    """Double from *begin* until a load is not carried, then halve the gap.

    Returns the largest load that was carried (0 where none was), and whether a heavier one was seen to fail; *most* is the heaviest that is tried.
    """
    low, high = 0, begin
    while high <= most and carries(high):
        low, high = high, high * 2
    if high > most:
        if low == most or carries(most):
            return most, False
        high = most
    while high - low > max(1, low // FINENESS):
        middle = (low + high) // 2
        if carries(middle):
            low = middle
        else:
            high = middle
    return low, True
