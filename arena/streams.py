"""Turns in Valkey, for the other processes: a stream a turn of what was shown, and a list a process of what the others ask of it.

All turns of a process are written in one round trip a tick, off the path of those who follow them. Where Valkey stalls or is away, battles go on: what
could not be written is forgotten, and the turn's stream begins again, with everything so far, once writing works.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection
from contextvars import Context
from enum import StrEnum
from typing import Any
from uuid import UUID

import redis
import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from arena import beats
from arena.beats import Beat

logger = logging.getLogger(__name__)

POLL_S = 0.2
"""How often the others' wishes are looked for while nothing is written."""
MOST_WAITING_BYTES = 1 << 20
_PAUSE_S = 1.0
_TIMEOUT_S = 2.0
_LONGEST_TURN_S = 3600
_AFTERWARDS_S = 60
_ORDERS_S = 60
FIELD = b"b"
_ALL_TURNS = "lehia:turn:*"


class Order(StrEnum):
    """What one process asks of the one that answers a battle: the volunteer's stop, leaving it, forgetting it, and that somebody follows it."""

    STOP = "stop"
    LEAVE = "leave"
    FORGET = "forget"
    FOLLOWED = "followed"


Obey = Callable[[Order, UUID], None]


def client(url: str) -> redis.asyncio.Redis:
    """A client of the running loop. It never tries again by itself: an XADD that is sent twice doubles text."""
    return redis.asyncio.Redis.from_url(
        url,
        protocol=2,
        socket_timeout=_TIMEOUT_S,
        socket_connect_timeout=_TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
    )


def turn_key(turn_id: UUID, runner_id: UUID) -> str:
    return f"lehia:turn:{turn_id.hex}:{runner_id.hex}"


def _orders_key(runner_id: UUID) -> str:
    return f"lehia:orders:{runner_id.hex}"


class Log:
    """One turn's stream, as its owner writes it."""

    def __init__(self, key: str, whole: Callable[[], Beat]) -> None:
        self.key = key
        self.whole = whole
        self.waiting: list[bytes] = []
        self.is_written = False
        self.is_over = False
        self.is_forgotten = False

    @property
    def is_due(self) -> bool:
        return bool(self.waiting) or not self.is_written

    def commands(self) -> list[tuple[Any, ...]]:
        """What brings the stream up to date; taken as written unless :meth:`begin_again` is called."""
        if self.is_forgotten:
            found: list[tuple[Any, ...]] = [("DEL", self.key)]
        elif self.is_written:
            found = [("XADD", self.key, "*", FIELD, each) for each in self.waiting]
        else:
            found = [("DEL", self.key), ("XADD", self.key, "*", FIELD, beats.encode(self.whole()))]
            found.append(("EXPIRE", self.key, _LONGEST_TURN_S))
        if self.is_over:
            found.append(("EXPIRE", self.key, _AFTERWARDS_S))
        self.waiting, self.is_written = [], True
        return found

    def forget(self) -> None:
        """Nothing of the turn is written any more, and what was goes."""
        self.is_forgotten = True
        self.begin_again()

    def begin_again(self) -> None:
        self.waiting, self.is_written = [], False


class Journal:
    """Writes the turns of one process. :meth:`tick` is called after the clock's hands, in the loop that owns it."""

    def __init__(self, url: str, runner_id: UUID, obey: Obey) -> None:
        self._url = url
        self._orders = _orders_key(runner_id)
        self._runner_id = runner_id
        self._obey = obey
        self._client: redis.asyncio.Redis | None = None
        self._logs: list[Log] = []
        self._waiting_bytes = 0
        self._next_poll = 0.0
        self._is_away = False
        self._task: asyncio.Task[None] | None = None

    def open(self, turn_id: UUID, whole: Callable[[], Beat]) -> Log:
        """Begin a turn's stream. *whole* is asked for everything so far whenever the stream has to begin again."""
        log = Log(turn_key(turn_id, self._runner_id), whole)
        self._logs.append(log)
        return log

    def add(self, log: Log, beat: Beat) -> None:
        if log.is_forgotten or not log.is_written:
            return  # the whole will hold it
        data = beats.encode(beat)
        log.waiting.append(data)
        self._waiting_bytes += len(data)
        if self._waiting_bytes > MOST_WAITING_BYTES:
            self._begin_again()

    def close(self, log: Log) -> None:
        """The turn is over: its last beats are written, and it is forgotten a while later."""
        log.is_over = True
        self.tick(time.monotonic())

    def tick(self, now: float) -> None:
        """Write what there is, or look for orders, unless that is under way or has to wait."""
        if self._task is not None and not self._task.done():
            return
        is_due = any(log.is_due or log.is_over for log in self._logs) and not self._is_away
        if is_due or now >= self._next_poll:
            self._next_poll = now + POLL_S
            self._task = asyncio.create_task(self._write(), name="journal", context=Context())

    async def settle(self) -> None:
        """Write what is left, once, and close the connection."""
        if self._task is not None:
            await self._task
        if any(log.is_due or log.is_over for log in self._logs) and not self._is_away:
            await self._write()
        self._logs.clear()
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _write(self) -> None:
        while True:
            try:
                orders = await self._round_trip()
            except (redis.RedisError, OSError) as error:
                self._fail(error)
                return
            if self._is_away:
                logger.info("Valkey is back: turns can be followed in other processes again")
            self._is_away = False
            for each in orders:
                self._follow_order(each)
            if not any(log.is_over for log in self._logs):
                return

    async def _round_trip(self) -> list[bytes]:
        self._client = self._client or client(self._url)
        over = [log for log in self._logs if log.is_over]
        commands = [command for log in self._logs if log.is_due or log.is_over for command in log.commands()]
        self._waiting_bytes = 0
        async with self._client.pipeline(transaction=False) as pipe:
            for command in commands:
                pipe.execute_command(*command)
            pipe.execute_command("LPOP", self._orders, 100)
            answers = await pipe.execute()
        self._logs = [log for log in self._logs if log not in over]
        orders: list[bytes] = answers[-1] or []
        return orders

    def _follow_order(self, order: bytes) -> None:
        name, _, battle = order.decode().partition(" ")
        self._obey(Order(name), UUID(battle))

    def _fail(self, error: Exception) -> None:
        if not self._is_away:
            logger.warning(
                "Valkey is away (%s): battles go on, but other processes cannot take them over",
                type(error).__name__,
            )
        self._is_away = True
        self._next_poll = time.monotonic() + _PAUSE_S
        self._begin_again()
        self._logs = [log for log in self._logs if not log.is_over]

    def _begin_again(self) -> None:
        self._waiting_bytes = 0
        for log in self._logs:
            log.begin_again()


async def send_order(connection: redis.asyncio.Redis, runner_id: UUID, order: Order, battle_id: UUID) -> bool:
    """Ask another process; whether it could be asked. One that is gone leaves the order unread, and Valkey forgets it."""
    try:
        async with connection.pipeline(transaction=False) as pipe:
            for command in _order(runner_id, order, battle_id):
                pipe.execute_command(*command)
            await pipe.execute()
    except (redis.RedisError, OSError):
        return False
    return True


def send_order_from_thread(url: str, runner_id: UUID, order: Order, battle_id: UUID) -> bool:
    """:func:`send_order` for the threads that run the views."""
    try:
        with _from_thread(url) as connection:
            for command in _order(runner_id, order, battle_id):
                connection.execute_command(*command)
    except (redis.RedisError, OSError):
        return False
    return True


def forget_turns(url: str, turn_ids: Collection[UUID]) -> bool:
    """Delete the streams of these turns, and have Valkey write its file anew, which holds what was deleted until then; whether it could be asked.

    Streams that could not be deleted end by themselves, an hour after they began at the latest.
    """
    wanted = {turn_id.hex for turn_id in turn_ids}
    try:
        with _from_thread(url) as connection:
            found = [key for key in connection.scan_iter(_ALL_TURNS, count=1000) if _turn_of(key) in wanted]
            if found:
                connection.delete(*found)
            _compact(connection)
    except (redis.RedisError, OSError) as error:
        logger.warning("streams of %d turns could not be deleted: %s", len(wanted), type(error).__name__)
        return False
    return True


def compact(url: str) -> bool:
    """Have Valkey write its file anew: streams that ended are in the old one. Whether it could be asked."""
    try:
        with _from_thread(url) as connection:
            _compact(connection)
    except (redis.RedisError, OSError):
        return False
    return True


def _compact(connection: redis.Redis) -> None:
    try:
        connection.bgrewriteaof()
    except (
        redis.ResponseError
    ) as refusal:  # under way already, or not allowed where somebody else runs the server
        logger.info("Valkey does not write its file anew now: %s", refusal)


def _turn_of(key: bytes) -> str:
    return key.decode().split(":")[2]


def _from_thread(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S)


def _order(runner_id: UUID, order: Order, battle_id: UUID) -> list[tuple[Any, ...]]:
    key = _orders_key(runner_id)
    return [("RPUSH", key, f"{order.value} {battle_id.hex}"), ("EXPIRE", key, _ORDERS_S)]
