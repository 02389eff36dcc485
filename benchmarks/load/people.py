"""Volunteers of the load: they come in by the door, play battles over sockets, vote by the form, open pages. Each has an address of their own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count

import aiohttp

from benchmarks.load.stack import Stack
from benchmarks.relay_readers import Meter, Refusal, SiteVisitor

AT_ONCE = 8
AGAIN_S = 0.2
_number = count()
Failure = (Refusal, aiohttp.ClientError, OSError, TimeoutError)


@dataclass(slots=True)
class Seen:
    """Milliseconds of what succeeded, and what failed, by what was asked for."""

    took_ms: dict[str, list[float]] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)
    counts: bool = True

    @contextmanager
    def timed(self, what: str, since: float | None = None) -> Iterator[None]:
        """Times the block, from *since* on where it should have begun then; a failure is counted, and goes no further."""
        began = time.monotonic() if since is None else since
        try:
            yield
        except Failure as error:
            self.note(what, error)
        else:
            if self.counts:
                self.took_ms.setdefault(what, []).append(1000 * (time.monotonic() - began))

    def note(self, what: str, error: BaseException) -> None:
        kind = f"{what}: {type(error).__name__} {error}"[:120]
        self.failures[kind] = self.failures.get(kind, 0) + 1

    def failed(self) -> int:
        return sum(self.failures.values())


class Person(SiteVisitor):
    """A volunteer with a phone, behind the proxy that this process stands for."""

    def __init__(self, http: aiohttp.ClientSession, url: str, meter: Meter, leaving: asyncio.Event) -> None:
        super().__init__(http, url, meter, leaving)
        number = next(_number)
        self._headers = {
            "X-Forwarded-For": f"10.{number >> 14 & 255}.{number >> 6 & 255}.{1 + (number & 63) * 4}"
        }

    async def page(self, path: str) -> None:
        async with self._http.get(f"{self._url}{path}", headers=self._headers) as answer:
            await answer.read()
            answer.raise_for_status()

    async def vote(self, battle: str) -> None:
        form = {"content": "a_better", "language": "a_better"}
        async with self._http.post(
            f"{self._url}/battle/{battle}/vote/", data=form, headers=self.posting(), allow_redirects=False
        ) as answer:
            await answer.read()
            if answer.status >= 400:
                raise Refusal(f"vote {answer.status}")


@dataclass(slots=True)
class Crowd:
    """Everybody, on one connector that keeps as many connections as browsers would."""

    stack: Stack
    http: aiohttp.ClientSession
    meter: Meter
    seen: Seen = field(default_factory=Seen)
    leaving: asyncio.Event = field(default_factory=asyncio.Event)

    async def people(self, number: int) -> list[Person]:
        """So many more, through the door a few at a time."""
        made = [Person(self.http, self.stack.site.url, self.meter, self.leaving) for _ in range(number)]
        door = asyncio.Semaphore(AT_ONCE)

        async def one(person: Person) -> None:
            async with door:
                with self.seen.timed("enter"):
                    await person.enter()

        await asyncio.gather(*map(one, made))
        return made

    async def play(self, person: Person, begins_s: float) -> None:
        """Battle after battle, each voted on, until the crowd leaves."""
        await asyncio.sleep(begins_s)
        while not self.leaving.is_set():
            try:
                await person.battle()
            except Failure as error:
                if not self.leaving.is_set():  # whoever leaves stops a battle
                    self.seen.note("battle", error)
                    await asyncio.sleep(AGAIN_S)
                continue
            with self.seen.timed("vote"):
                await person.vote(person.played)

    async def paced(
        self, rate: float, seconds: float, what: str, ask: Callable[[int], Awaitable[None]]
    ) -> None:
        """*rate* times a second, whether earlier ones have ended or not; each is timed from the moment when it was due."""
        began = time.monotonic()
        tasks: set[asyncio.Task[None]] = set()

        async def one(number: int, due: float) -> None:
            with self.seen.timed(what, since=due):
                await ask(number)

        for number in range(int(rate * seconds)):
            due = began + number / rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            tasks.add(asyncio.create_task(one(number, due)))
        await asyncio.wait(tasks)


async def in_crowd(stack: Stack, played: Callable[[Crowd], Awaitable[None]]) -> Crowd:
    """A crowd for the length of *played*; who still plays then leaves."""
    timeout = aiohttp.ClientTimeout(total=60, sock_connect=30)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(
        connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()
    ) as http:
        crowd = Crowd(stack, http, Meter(stack.times))
        await played(crowd)
    return crowd
