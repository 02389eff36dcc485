"""Turns that another process answers, as this process's pages follow them: fed from Valkey, one reader for all of them.

A mirror that hears nothing for a second asks whether the turn is still leased. Where it is not, and nothing more was written before it ended, the mirror
is lost: its followers then find in the database how the turn ended, be it well or with the death of its process.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from contextvars import Context
from dataclasses import dataclass, field

import redis

from arena import beats, streams
from arena.clock import TICK_S
from arena.live import LiveTurn
from arena.plan import Lease
from arena.streams import Order

SILENCE_S = 1.0
_BLOCK_MS = 100
_UNFOLLOWED_S = 5.0

Standing = Callable[[Iterable[Lease]], Awaitable[set[Lease]]]
"""Which leases still stand; one that ran out is given up on the way."""


@dataclass(slots=True, eq=False)
class _Mirror:
    lease: Lease
    live: LiveTurn
    last: bytes = b"0-0"
    heard: float = field(default_factory=time.monotonic)
    followed: float = field(default_factory=time.monotonic)
    reported: float = 0.0
    lapsed: bool = False


class Mirrors:
    """One a process, in its event loop. *report_s*: how often an owner is told that its turn is followed here."""

    def __init__(self, url: str, standing: Standing, *, report_s: Callable[[], float]) -> None:
        self._url = url
        self._standing = standing
        self._report_s = report_s
        self._mirrors: dict[str, _Mirror] = {}
        self._client: redis.asyncio.Redis | None = None
        self._task: asyncio.Task[None] | None = None

    def of(self, lease: Lease) -> LiveTurn:
        """The turn to follow; made and fed from now on if nobody follows it here yet."""
        key = streams.turn_key(lease.turn_id, lease.runner_id)
        found = self._mirrors.get(key)
        if found is None or found.live.lost or found.live.ended:
            live = LiveTurn(battle_id=lease.battle_id, turn_index=lease.turn_index, attempts=lease.attempts)
            found = self._mirrors[key] = _Mirror(lease, live)
        found.followed = time.monotonic()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="mirrors", context=Context())
        return found.live

    async def tell(self, lease: Lease, order: Order) -> bool:
        """Ask a turn's owner; whether it could be asked."""
        self._client = self._client or streams.client(self._url)
        return await streams.send_order(self._client, lease.runner_id, order, lease.battle_id)

    async def close(self) -> None:
        """Lose every mirror and close the connections."""
        for mirror in self._mirrors.values():
            mirror.live.lose()
        self._mirrors.clear()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _run(self) -> None:
        while self._mirrors:
            for key, entries in await self._read():
                self._take(self._mirrors[key], entries)
            for mirror in self._mirrors.values():
                if mirror.live.is_behind:
                    mirror.live.flush()
            await self._look_after(time.monotonic())
            await asyncio.sleep(TICK_S)  # what comes meanwhile is read in one round trip

    async def _read(self) -> list[tuple[str, list[tuple[bytes, dict[bytes, bytes]]]]]:
        """What came of each stream, by its key; nothing while Valkey is away."""
        self._client = self._client or streams.client(self._url)
        places = [mirror.last for mirror in self._mirrors.values()]
        try:  # redis-py types some of its commands only
            found = await self._client.execute_command(  # type: ignore[no-untyped-call]  # see above
                "XREAD", "BLOCK", _BLOCK_MS, "STREAMS", *self._mirrors, *places
            )
        except (redis.RedisError, OSError):
            await asyncio.sleep(SILENCE_S)
            return []
        return [(key.decode(), entries) for key, entries in found or () if key.decode() in self._mirrors]

    @staticmethod
    def _take(mirror: _Mirror, entries: list[tuple[bytes, dict[bytes, bytes]]]) -> None:
        mirror.heard, mirror.lapsed = time.monotonic(), False
        for mirror.last, fields in entries:
            mirror.live.take(beats.decode(fields[streams.FIELD]))
        mirror.live.flush()

    async def _look_after(self, now: float) -> None:
        silent = []
        for key, mirror in list(self._mirrors.items()):
            if mirror.live.followers:
                mirror.followed = now
            if mirror.live.ended or now - mirror.followed >= _UNFOLLOWED_S:
                del self._mirrors[key]
                mirror.live.lose()
            elif now - mirror.heard >= SILENCE_S:
                silent.append(mirror)
            if mirror.live.followers and now - mirror.reported >= self._report_s():
                mirror.reported = now
                await self.tell(mirror.lease, Order.FOLLOWED)
        await self._check(silent, now)

    async def _check(self, silent: list[_Mirror], now: float) -> None:
        if not silent:
            return
        standing = await self._standing([mirror.lease for mirror in silent])
        for mirror in silent:
            if mirror.lease in standing:
                mirror.heard = now
                mirror.live.open()
                continue
            if not mirror.lapsed:  # what its owner wrote last may be there by now
                mirror.lapsed = True
                continue
            self._mirrors.pop(streams.turn_key(mirror.lease.turn_id, mirror.lease.runner_id), None)
            mirror.live.lose()
