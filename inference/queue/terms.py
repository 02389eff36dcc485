"""How the queue behaves: bounds, leases and patience."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Terms:
    """Times in seconds.

    Parameters
    ----------
    lease_s
        After this long without a renewal a slot or a place belongs to a dead process, and is free.
    renew_s
        How often a process renews all of its own, a few times a lease; also how long a lost wake-up goes unnoticed.
    answer_s
        How long Valkey may take to answer before it counts as away.
    pause_s, longest_pause_s
        Before the first try to reach it again, and the most: it doubles.
    waiting_a_slot
        The longest queue, in requests for each slot of the endpoint.
    longest_wait_s
        The most that a request waits.
    """

    lease_s: float = 15.0
    renew_s: float = 5.0
    answer_s: float = 1.0
    pause_s: float = 0.5
    longest_pause_s: float = 5.0
    waiting_a_slot: int = 8
    longest_wait_s: float = 120.0
