"""Writes passages down behind the answers: several in one go, none before its reader has the end of the answer."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Mapping
from uuid import UUID

from inference.breaker import Breaker, Verdict
from inference.gateway.ports import Passage, Traffic

LINGER_S = 0.25


class Writer:
    """One an event loop.

    A passage waits up to a quarter of a second for others to share its round trip, since a connection to the database costs more than the
    rows; a circuit's news go at once. Cancelling the task writes what is left.
    """

    def __init__(self, traffic: Traffic, learn: Callable[[Mapping[UUID, Breaker]], None]) -> None:
        self._traffic, self._learn = traffic, learn
        self._pending: list[Passage] = []
        self._filled, self._urgent, self._empty = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._empty.set()
        self._task: asyncio.Task[None] | None = None
        self._is_closing = False

    def add(self, passage: Passage) -> None:
        self._pending.append(passage)
        self._filled.set()
        self._empty.clear()
        if passage.verdict is not Verdict.NOTHING or passage.trial:
            self._urgent.set()
        if self._task is None or self._task.done():
            # a context of its own: that of the first request would be kept, and be over, for all later ones
            self._task = asyncio.get_running_loop().create_task(
                self._run(), name="gateway's writer", context=contextvars.Context()
            )

    async def settled(self) -> None:
        """Wait until everything is written."""
        if self._pending:
            self._urgent.set()
        await self._empty.wait()

    async def close(self) -> None:
        """Write what is left and stop. What is being written is waited for: cancelled, it would go on unseen in its thread."""
        if self._task is not None:
            self._is_closing = True
            self._filled.set()
            self._urgent.set()
            await asyncio.wait([self._task])
            self._task, self._is_closing = None, False

    async def _run(self) -> None:
        try:
            while not self._is_closing:
                await self._filled.wait()
                await self._linger()
                await self._write()
        finally:
            await self._write()

    async def _linger(self) -> None:
        try:
            async with asyncio.timeout(LINGER_S):
                await self._urgent.wait()
        except TimeoutError:
            return

    async def _write(self) -> None:
        passages, self._pending = self._pending, []
        self._filled.clear()
        self._urgent.clear()
        try:
            if passages:
                self._learn(await self._traffic.record(passages))
        finally:  # whatever befell it, nobody waits for it for ever
            if not self._pending:
                self._empty.set()
