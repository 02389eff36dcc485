"""The process's runner: it owns every generation that this process started, whatever happens to the sockets.

A turn is leased in the database. The runner renews its leases, gives a turn up when the lease is gone or its battle was left, and cancels upstream
when nobody has followed for a minute. Sockets subscribe to the :class:`~arena.live.LiveTurn` and may come and go.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable
from functools import partial
from uuid import UUID, uuid4

from channels.db import database_sync_to_async
from django.conf import settings
from django.db import DatabaseError

from arena.duel import Duel, SideResult
from arena.live import LiveTurn
from arena.plan import TurnPlan
from arena.services import turns
from arena.types import AnswerStatus, BattleStatus, FailCode
from inference import gateway
from inference.types import Delta, Done, GenerationRequest

logger = logging.getLogger(__name__)

StreamFactory = Callable[[GenerationRequest], AsyncGenerator[Delta | Done, None]]


class Runner:
    """One a process. All methods belong to the process's event loop."""

    def __init__(self, stream: StreamFactory = gateway.stream) -> None:
        self.id = uuid4()
        self._stream = stream
        self._live: dict[UUID, LiveTurn] = {}
        self._duels: dict[UUID, Duel] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self, plan: TurnPlan) -> LiveTurn:
        """Begin to answer; returns at once."""
        self._loop = asyncio.get_running_loop()
        live = LiveTurn(battle_id=plan.battle_id, turn_index=plan.turn_index)
        for side, kept in plan.kept.items():
            live.place(side, kept.text, kept.reason)
        sources = {side: partial(self._stream, request) for side, request in plan.requests.items()}
        duel = Duel(sources, live)
        self._live[plan.battle_id], self._duels[plan.battle_id] = live, duel
        task = asyncio.create_task(self._answer(plan, duel, live), name=f"turn {plan.turn_id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return live

    def find(self, battle_id: UUID) -> LiveTurn | None:
        return self._live.get(battle_id)

    def stop(self, battle_id: UUID) -> None:
        """Both sides stop together and are kept."""
        if duel := self._duels.get(battle_id):
            duel.stop()

    def interrupt(self, battle_id: UUID) -> None:
        """Cancel upstream at once; nothing of it counts."""
        if duel := self._duels.get(battle_id):
            duel.interrupt()

    def interrupt_from_thread(self, battle_id: UUID) -> None:
        """:meth:`interrupt` for the threads that run the views. In other processes the lease ends it within seconds."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.interrupt, battle_id)

    async def drain(self) -> None:
        """Interrupt everything and wait until it is stored."""
        for duel in list(self._duels.values()):
            duel.interrupt()
        await asyncio.gather(*self._tasks)

    async def _answer(self, plan: TurnPlan, duel: Duel, live: LiveTurn) -> None:
        started = time.perf_counter()
        watch = asyncio.create_task(self._watch(plan, duel, live))
        try:
            results = await duel.run()
        finally:
            watch.cancel()
        status = await self._store(plan, results)
        if self._live.get(plan.battle_id) is live:
            del self._live[plan.battle_id], self._duels[plan.battle_id]
        if status is None:
            for side in plan.requests:
                live.fail(side, AnswerStatus.INTERRUPTED, FailCode.INTERRUPTED.value)
        live.end(status or BattleStatus.ANSWERING)
        elapsed_ms = round((time.perf_counter() - started) * 1000)
        logger.info("turn %s ended as %s in %d ms", plan.turn_id, status, elapsed_ms)

    async def _store(self, plan: TurnPlan, results: list[SideResult]) -> BattleStatus | None:
        """Store the turn; ``None`` where the database refused, and the reaper will free the lease."""
        try:
            return await database_sync_to_async(turns.finish_turn)(
                turn_id=plan.turn_id, runner_id=self.id, results=results
            )
        except DatabaseError:
            logger.exception("turn %s could not be stored", plan.turn_id)
            return None

    async def _watch(self, plan: TurnPlan, duel: Duel, live: LiveTurn) -> None:
        """Renew the lease, and notice when nobody is there any more."""
        grace_s: float = settings.LEHIA_LEAVE_GRACE_S
        renew_s = turns.LEASE.total_seconds() / 3
        step_s = min(renew_s, grace_s / 4)
        alone_since: float | None = None
        renewed = time.monotonic()
        while True:
            await asyncio.sleep(step_s)
            now = time.monotonic()
            alone_since = (alone_since or now) if live.followers == 0 else None
            if alone_since is not None and now - alone_since >= grace_s:
                duel.interrupt()
            if now - renewed >= renew_s:
                renewed = now
                if not await self._renew(plan):
                    duel.interrupt()

    async def _renew(self, plan: TurnPlan) -> bool:
        try:
            return await database_sync_to_async(turns.renew_lease)(turn_id=plan.turn_id, runner_id=self.id)
        except DatabaseError:
            logger.warning("lease of turn %s could not be renewed", plan.turn_id)
            return True  # could not check is not the same as taken away


_runner: Runner | None = None


def current() -> Runner:
    """This process's runner, made on first use inside its event loop."""
    global _runner  # noqa: PLW0603  # one a process, by definition
    if _runner is None:
        _runner = Runner()
    return _runner
