"""One clock a process: every turn that is being written is shown on the same tick.

A tick comes every 30 ms. Where many turns are shown, the loop is late, or showing takes long, ticks stretch up to 100 ms: each then shows more at about the
same cost.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextvars import Context

TICK_S = 0.03
SLOWEST_TICK_S = 0.1
SHARE_S = 0.001
"""Of a tick, for each turn that is shown: about what a turn costs one core in a tick of 100 ms."""

Hand = Callable[[float], None]
"""Called on each tick with the time, in monotonic seconds."""


def stretched(behind_s: float, *, turns: int) -> float:
    """The next tick's length, with so many turns to show, after a tick that was over so much later than it was due."""
    return min(SLOWEST_TICK_S, max(TICK_S, TICK_S + 2 * behind_s, SHARE_S * turns))


class Clock:
    """Ticks while somebody has joined, and sleeps otherwise: then it keeps no task. Belongs to one event loop.

    The hands of a tick are callbacks of the loop, one each: an error in one is told to the loop's handler and stops no other.
    """

    def __init__(self, after: Hand | None = None) -> None:
        self._hands: dict[Hand, None] = {}
        self._after = after
        self._task: asyncio.Task[None] | None = None
        self._begun = asyncio.Event()

    async def tick(self) -> None:
        """Wait for the next tick; what its waiters do at once is done before its hands are called. Only while somebody has joined."""
        await self._begun.wait()

    def join(self, hand: Hand) -> None:
        self._hands[hand] = None
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="clock", context=Context())

    def leave(self, hand: Hand) -> None:
        self._hands.pop(hand, None)
        if not self._hands and self._task is not None:
            self._task.cancel()
            self._task = None

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        interval_s = TICK_S
        while True:
            due = time.monotonic() + interval_s
            await asyncio.sleep(interval_s)
            now = time.monotonic()
            self._begun.set()
            self._begun = asyncio.Event()
            for hand in self._hands:
                loop.call_soon(hand, now)
            if self._after is not None:
                loop.call_soon(self._after, now)
            shown = loop.create_future()
            loop.call_soon(_resolve, shown)
            await shown
            interval_s = stretched(time.monotonic() - due, turns=len(self._hands))


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():  # the clock may have been put to sleep meanwhile
        future.set_result(None)
