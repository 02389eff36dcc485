"""When the next request may leave: a rate for all workers of a run, and one pause when the server asks for it."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

_FIRST_S = 0.5
_LONGEST_S = 60.0


class Pace:
    """Spreads requests evenly over time.

    Parameters
    ----------
    requests_per_minute
        At most so many leave in a minute, retries included; no limit if left out.
    clock, sleep
        In seconds; a test brings its own.
    """

    def __init__(
        self,
        requests_per_minute: float | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._gap_s = 60.0 / requests_per_minute if requests_per_minute else 0.0
        self._clock, self._sleep = clock, sleep
        self._next = self._quiet_until = clock()

    async def turn(self) -> None:
        """Wait until this request may leave."""
        self._next = max(self._next, self._clock()) + self._gap_s
        mine = self._next - self._gap_s
        while (left := max(mine, self._quiet_until) - self._clock()) > 0:
            await self._sleep(left)

    async def rest(self, seconds: float) -> None:
        """Wait before a request goes out again; the others go on."""
        await self._sleep(seconds)

    def pause(self, seconds: float) -> None:
        """Nobody asks for so long: the server said so."""
        self._quiet_until = max(self._quiet_until, self._clock() + seconds)


def back_off_s(attempt: int, rng: random.Random) -> float:
    """How long to wait after failed attempt number *attempt*, from 1: doubling up to a minute, drawn between half and all of it.

    The draw keeps workers that failed together from coming back together.
    """
    most = min(_LONGEST_S, _FIRST_S * 2.0 ** min(attempt - 1, 20))
    return most * rng.uniform(0.5, 1.0)
