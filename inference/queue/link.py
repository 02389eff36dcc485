"""A process's line to Valkey: commands in order on one connection, news on another, one task for both."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import redis.asyncio
from redis import RedisError
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError

from inference.queue.terms import Terms

logger = logging.getLogger(__name__)

_FAILURES = (RedisError, OSError, TimeoutError)


class Away(Exception):
    """Valkey cannot be reached; the caller goes on without it."""


@dataclass(frozen=True, slots=True)
class Command:
    """A script with its keys and arguments. *done* is called with the reply, in the order of the commands."""

    script: str
    keys: tuple[str, ...]
    arguments: tuple[str | int, ...]
    done: Callable[[Any], None] | None = None


_NOTHING = Command("", (), ())


class Link:
    """Keeps a connection while its task runs, and tries again when it is lost.

    Commands go out in the order in which they were posted, those of one moment in one round trip, and none overtakes another even when whoever
    posted it was cancelled. Belongs to one event loop.

    Parameters
    ----------
    channel
        Where the news come from; they are given to *hear* as they are.
    renewals
        Commands to send at once when the connection stands, and then every ``terms.renew_s``.
    farewells
        Commands to send when the task is cancelled.
    lost, found
        Called when Valkey goes away, after the first time and after each that it was there, and when it is back.
    """

    def __init__(
        self,
        url: str,
        channel: str,
        terms: Terms,
        *,
        hear: Callable[[str], None],
        renewals: Callable[[], list[Command]],
        farewells: Callable[[], list[Command]],
        lost: Callable[[], None],
        found: Callable[[], None],
    ) -> None:
        self._url, self._channel, self._terms = url, channel, terms
        self._hear, self._renewals, self._farewells = hear, renewals, farewells
        self._lost, self._found = lost, found
        self._posted: list[tuple[Command, asyncio.Future[Any] | None]] = []
        self._sent: list[tuple[Command, asyncio.Future[Any] | None]] = []
        self._wake = asyncio.Event()
        self._hashes: dict[str, str] = {}
        self._task: asyncio.Task[None] | None = None
        self.up = True  # until the contrary is known

    def post(self, command: Command) -> None:
        """Send *command* soon. Dropped where Valkey is away."""
        if self.up:
            self._add(command, None)

    async def call(self, command: Command) -> Any:
        """The reply to *command*. Raises :class:`Away`."""
        if not self.up:
            raise Away
        reply = asyncio.get_running_loop().create_future()
        self._add(command, reply)
        return await reply

    async def settled(self) -> None:
        """Wait until Valkey has done everything posted so far, or is found to be away."""
        if self._task is not None:
            with suppress(Away):
                await self.call(_NOTHING)

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None

    def _add(self, command: Command, reply: asyncio.Future[Any] | None) -> None:
        self._posted.append((command, reply))
        self._wake.set()
        if self._task is None:
            # a context of its own: that of the first request would be kept, and be over, for all later ones
            self._task = asyncio.get_running_loop().create_task(
                self._run(), name="gateway's line to Valkey", context=contextvars.Context()
            )

    async def _run(self) -> None:
        pause_s = self._terms.pause_s
        try:
            while True:
                try:
                    await self._connected()
                except* _FAILURES as group:
                    if self.up:
                        pause_s = self._terms.pause_s
                        logger.warning("Valkey is away (%s): queues are this process's own", _kind(group))
                    self._drop()
                await asyncio.sleep(pause_s)
                pause_s = min(self._terms.longest_pause_s, 2 * pause_s)
        except asyncio.CancelledError:
            await self._part()
            raise
        finally:
            self._drop()

    async def _part(self) -> None:
        """Give back what this process still has, so that others need not wait for its leases to end."""
        commands = [command for command, _ in self._sent + self._posted if command.script] + self._farewells()
        if self.up and commands:
            try:
                async with asyncio.timeout(self._terms.answer_s), self._client() as client:
                    await self._ask(client, commands)
            except _FAILURES as error:
                logger.warning("slots could not be given back (%s)", type(error).__name__)

    async def _connected(self) -> None:
        """Serve over one connection until it fails."""
        async with self._client() as client, client.pubsub(ignore_subscribe_messages=True) as news:
            async with asyncio.timeout(self._terms.answer_s):
                await news.subscribe(self._channel)
                await client.ping()
            if not self.up:
                self.up = True
                logger.info("Valkey is back")
                self._found()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._listen(news))
                group.create_task(self._send(client))

    def _client(self) -> redis.asyncio.Redis:
        return redis.asyncio.Redis.from_url(
            self._url,
            decode_responses=True,
            socket_connect_timeout=self._terms.answer_s,
            socket_timeout=None,  # our own clock runs; the news may be silent for hours
            retry=Retry(NoBackoff(), 0),
        )

    async def _listen(self, news: PubSub) -> None:
        async for message in news.listen():
            self._hear(message["data"])

    async def _send(self, client: redis.asyncio.Redis) -> None:
        time = asyncio.get_running_loop().time
        renew_at = time()
        while True:
            await self._wait_until(renew_at)
            self._wake.clear()
            self._sent, self._posted = self._posted, []
            if time() >= renew_at:
                self._sent += [(command, None) for command in self._renewals()]
                renew_at = time() + self._terms.renew_s
            if not self._sent:
                continue
            async with asyncio.timeout(self._terms.answer_s):
                replies = await self._ask(client, [command for command, _ in self._sent])
            answered, self._sent = self._sent, []
            for (command, future), reply in zip(answered, replies, strict=True):
                _hand_over(command, future, reply)

    async def _wait_until(self, when: float) -> None:
        if not self._wake.is_set():
            try:
                async with asyncio.timeout_at(when):
                    await self._wake.wait()
            except TimeoutError:
                return

    async def _ask(self, client: redis.asyncio.Redis, commands: Sequence[Command]) -> list[Any]:
        """The replies, in one round trip; another one where the server does not know a script yet."""
        for script in {command.script for command in commands if command.script} - self._hashes.keys():
            self._hashes[script] = await client.script_load(script)
        replies = await self._pipe(client, commands)
        if any(isinstance(reply, NoScriptError) for reply in replies):  # a new server, or its scripts flushed
            for script in self._hashes:
                await client.script_load(script)
            unknown = [index for index, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
            again = await self._pipe(client, [commands[index] for index in unknown])
            for index, reply in zip(unknown, again, strict=True):
                replies[index] = reply
        for reply in replies:
            if isinstance(reply, RedisError):
                raise reply
        return replies

    async def _pipe(self, client: redis.asyncio.Redis, commands: Sequence[Command]) -> list[Any]:
        async with client.pipeline(transaction=False) as pipe:
            for command in commands:
                if command.script:
                    keys, arguments = command.keys, command.arguments
                    pipe.evalsha(self._hashes[command.script], len(keys), *keys, *arguments)
                else:
                    pipe.ping()
            return await pipe.execute(raise_on_error=False)

    def _drop(self) -> None:
        """Tell everybody who waits for a reply that none will come."""
        dropped, self._sent, self._posted = self._sent + self._posted, [], []
        was_up, self.up = self.up, False
        for _, future in dropped:
            if future is not None and not future.done():
                future.set_exception(Away())
        if was_up:
            self._lost()


def _hand_over(command: Command, future: asyncio.Future[Any] | None, reply: object) -> None:
    if command.done is not None:
        command.done(reply)
    if future is not None and not future.done():
        future.set_result(reply)


def _kind(group: BaseExceptionGroup[Exception]) -> str:
    """The innermost failure's type: its text may hold the server's address."""
    first: BaseException = group
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return type(first).__name__
