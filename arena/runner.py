"""The process's runner: it owns every generation that this process started, whatever happens to the sockets.

A turn is leased in the database. The runner renews its leases, gives a turn up when the lease is gone or its battle was left, and cancels upstream
when nobody has followed for a minute, here or in another process. Sockets subscribe to the :class:`~arena.live.LiveTurn` and may come and go.
Turns of other processes are followed by way of Valkey.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextvars import Context
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID, uuid4

from django.conf import settings
from django.db import DatabaseError

from arena import streams
from arena.clock import Clock
from arena.duel import Duel, SideResult, Source
from arena.live import LiveTurn
from arena.mirror import Mirrors
from arena.observing import context, metrics
from arena.pacing import Paced, Pacing, Unpaced, Whole
from arena.plan import Lease, TurnPlan
from arena.protocol import SideState
from arena.screen import Screen
from arena.selectors import battles as battle_reads
from arena.services import battles, turns
from arena.streams import Journal, Order
from arena.types import AnswerStatus, BattleStatus, Display, FailCode, Side
from inference import gateway
from inference.database import in_thread
from inference.errors import StreamErrorCode
from inference.types import GenerationRequest, StreamEvent

logger = logging.getLogger(__name__)

StreamFactory = Callable[[GenerationRequest], AsyncGenerator[StreamEvent, None]]
Replace = Callable[[TurnPlan, Side, StreamErrorCode], Awaitable[GenerationRequest | None]]
"""Who answers in place of a side that died in the first turn, if anybody."""

_INTERRUPTED = SideState(AnswerStatus.INTERRUPTED, code=FailCode.INTERRUPTED.value)


@dataclass(slots=True, eq=False)
class _Way:
    """A turn under way."""

    plan: TurnPlan
    duel: Duel
    live: LiveTurn
    screen: Screen
    log: streams.Log
    seen: float = field(default_factory=time.monotonic)


class Runner:
    """One a process. All methods belong to the process's event loop, unless they say otherwise.

    Parameters
    ----------
    stream
        Asks for one answer.
    replace
        Finds somebody for a side that died in the first turn; without it the side stays dead.
    """

    def __init__(self, stream: StreamFactory = gateway.stream, replace: Replace | None = None) -> None:
        self.id = uuid4()
        self._stream = stream
        self._replace = replace
        self._ways: dict[UUID, _Way] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._keeper: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._journal = Journal(settings.REDIS_URL, self.id, self._obey)
        self._clock = Clock(after=self._journal.tick)
        self._mirrors = Mirrors(settings.REDIS_URL, _standing, report_s=lambda: _grace_s() / 4)

    def start(self, plan: TurnPlan) -> LiveTurn:
        """Begin to answer; returns at once."""
        self._loop = asyncio.get_running_loop()
        way = self._way(plan)
        kept = {
            side: (each.text, SideState(AnswerStatus.COMPLETE, each.reason, "", plan.attempts[side]))
            for side, each in plan.kept.items()
        }
        self._ways[plan.battle_id] = way
        way.screen.open(set(plan.requests), kept)
        task = asyncio.create_task(self._answer(way), name=f"turn {plan.turn_id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if self._keeper is None or self._keeper.done():
            self._keeper = asyncio.create_task(self._keep(), name="leases", context=Context())
        return way.live

    def find(self, battle_id: UUID) -> LiveTurn | None:
        """The turn of this battle that this process answers."""
        way = self._ways.get(battle_id)
        return way.live if way is not None else None

    def mirror(self, lease: Lease) -> LiveTurn:
        """The turn that another process answers."""
        return self._mirrors.of(lease)

    def stop(self, battle_id: UUID) -> bool:
        """Both sides stop together and are kept. False where this process does not answer the battle."""
        way = self._ways.get(battle_id)
        if way is not None:
            way.duel.stop()
        return way is not None

    async def stop_anywhere(self, battle_id: UUID) -> None:
        """:meth:`stop`, in whichever process answers the battle."""
        if not self.stop(battle_id):
            lease = await in_thread(battle_reads.lease_of)(battle_id)
            if lease is not None:
                await self._mirrors.tell(lease, Order.STOP)

    def interrupt(self, battle_id: UUID) -> None:
        """Cancel upstream at once; nothing of it counts."""
        if way := self._ways.get(battle_id):
            way.duel.interrupt()

    def interrupt_from_thread(self, battle_id: UUID) -> None:
        """:meth:`interrupt`, in whichever process answers the battle, for the threads that run the views.

        Where that process cannot be asked, the lease ends it within seconds.
        """
        if battle_id in self._ways:
            if self._loop is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self.interrupt, battle_id)
            return
        lease = battle_reads.lease_of(battle_id)
        if lease is not None:
            streams.send_order_from_thread(settings.REDIS_URL, lease.runner_id, Order.LEAVE, battle_id)

    async def leave(self, *, within_s: float) -> None:
        """Let what is under way come to its end, for so long; then :meth:`drain`."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=within_s)
        await self.drain()

    def forget(self, battle_id: UUID) -> None:
        """:meth:`interrupt`, and leave nothing of the turn in Valkey: its volunteer was erased."""
        if way := self._ways.get(battle_id):
            way.log.forget()
            way.duel.interrupt()

    def forget_from_thread(self, battle_id: UUID) -> None:
        """:meth:`forget` where this process answers the battle, for the threads that run the views; the others are told by who erases."""
        if battle_id in self._ways and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.forget, battle_id)

    async def drain(self) -> None:
        """Interrupt everything, wait until it is stored, and close what is open."""
        for way in list(self._ways.values()):
            way.duel.interrupt()
        await asyncio.gather(*self._tasks)
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
        await self._mirrors.close()
        await self._journal.settle()

    def _way(self, plan: TurnPlan) -> _Way:
        live = LiveTurn(battle_id=plan.battle_id, turn_index=plan.turn_index)
        screen = Screen(live, attempts=plan.attempts, pacing=_pacing(plan))
        log = self._journal.open(plan.turn_id, screen.whole)
        screen.witness = partial(self._journal.add, log)
        sources: dict[Side, Source] = {
            side: partial(self._stream, request) for side, request in plan.requests.items()
        }
        duel = Duel(sources, screen, self._clock, revive=partial(self._revive, plan))
        return _Way(plan, duel, live, screen, log)

    async def _revive(self, plan: TurnPlan, side: Side, code: StreamErrorCode) -> Source | None:
        if self._replace is None or plan.turn_index != 1:
            return None
        try:
            request = await self._replace(plan, side, code)
        except DatabaseError:
            logger.exception("side %s of turn %s could not be replaced", side, plan.turn_id)
            return None
        return None if request is None else partial(self._stream, request)

    async def _answer(self, way: _Way) -> None:
        plan, started, status = way.plan, time.perf_counter(), None
        context.learn(battle=plan.battle_id, turn=plan.turn_id)
        results: list[SideResult] = []
        try:
            with metrics.answering():
                results = await way.duel.run()
                status = await self._store(way, results)
        finally:
            if self._ways.get(plan.battle_id) is way:
                del self._ways[plan.battle_id]
            ends = dict.fromkeys(plan.requests, _INTERRUPTED) if status is None else {}
            if not way.live.lost:
                way.screen.close(status or BattleStatus.ANSWERING, ends)
            self._journal.close(way.log)
        elapsed_s = time.perf_counter() - started
        unstored = "given_up" if way.live.lost else "not_stored"
        metrics.turn_ended(_outcome(results) if status is not None else unstored, elapsed_s)
        logger.info("turn %s ended as %s in %d ms", plan.turn_id, status, round(elapsed_s * 1000))

    async def _store(self, way: _Way, results: list[SideResult]) -> BattleStatus | None:
        """Store the turn; ``None`` where the database refused, and the reaper will free the lease.

        Or where the lease was taken away: what followers were shown does not count, and they turn to what is stored.
        """
        turn_id = way.plan.turn_id
        try:
            status = await in_thread(turns.finish_turn)(turn_id=turn_id, runner_id=self.id, results=results)
        except DatabaseError:
            logger.exception("turn %s could not be stored", turn_id)
            return None
        if status is None:
            logger.warning("turn %s was given up elsewhere before its end was stored", turn_id)
            way.live.lose()
        return status

    def _obey(self, order: Order, battle_id: UUID) -> None:
        way = self._ways.get(battle_id)
        if way is None:
            return
        match order:
            case Order.STOP:
                way.duel.stop()
            case Order.LEAVE:
                way.duel.interrupt()
            case Order.FORGET:
                self.forget(battle_id)
            case Order.FOLLOWED:
                way.seen = time.monotonic()

    async def _keep(self) -> None:
        """Renew the leases while there are any, and notice turns that nobody follows any more."""
        renewed = time.monotonic()
        while self._ways:
            renew_s = turns.LEASE.total_seconds() / 4
            await asyncio.sleep(min(renew_s, _grace_s() / 4))
            now = time.monotonic()
            for way in self._ways.values():
                if way.live.followers:
                    way.seen = now
                elif now - way.seen >= _grace_s():
                    way.duel.interrupt()
            if now - renewed >= renew_s:
                renewed = now
                await self._renew()

    async def _renew(self) -> None:
        ways = list(self._ways.values())
        try:
            kept = await in_thread(turns.renew_leases)(
                turn_ids=[way.plan.turn_id for way in ways], runner_id=self.id
            )
        except DatabaseError:
            logger.warning("the leases of %d turns could not be renewed", len(ways))
            return  # could not check is not the same as taken away
        for way in ways:
            if way.plan.turn_id not in kept:
                way.duel.interrupt()


def _pacing(plan: TurnPlan) -> Pacing:
    """One pace for two sides that write; a side that is asked again alone comes as it comes, or whole."""
    if plan.display is Display.WHOLE:
        return Whole(plan.requests)
    if plan.display is Display.UNPACED or len(plan.requests) < 2:
        return Unpaced(plan.requests)
    deadlines = [request.target.deadlines for request in plan.requests.values()]
    return Paced(plan.requests, patience_s=max(each.connect_s + each.first_token_s for each in deadlines))


def _outcome(results: Iterable[SideResult]) -> str:
    """A turn is as its worse side: votable only where both are complete."""
    statuses = {each.status for each in results}
    worst = (AnswerStatus.FAILED, AnswerStatus.INTERRUPTED)
    return next((each.value for each in worst if each in statuses), AnswerStatus.COMPLETE.value)


def _grace_s() -> float:
    return float(settings.LEHIA_LEAVE_GRACE_S)


async def _standing(leases: Iterable[Lease]) -> set[Lease]:
    try:
        return await in_thread(turns.standing_leases)(leases)
    except DatabaseError:
        logger.warning("leases of other processes could not be checked")
        return set(leases)


_runner: Runner | None = None


def current() -> Runner:
    """This process's runner, made on first use inside its event loop."""
    global _runner  # noqa: PLW0603  # one a process, by definition
    if _runner is None:
        _runner = Runner(replace=replaced)
    return _runner


async def replaced(plan: TurnPlan, side: Side, code: StreamErrorCode) -> GenerationRequest | None:
    """By a draw of its own, leased to this process's runner."""
    return await in_thread(battles.replace_side)(
        battle_id=plan.battle_id,
        turn_id=plan.turn_id,
        side=side,
        runner_id=current().id,
        code=code.value,
    )
