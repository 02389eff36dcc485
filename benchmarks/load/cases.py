"""The cases. Each returns a row of figures and the limits that they must keep; limits are the ones of the project's goals for two cores."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from benchmarks.load import hostile
from benchmarks.load.people import Crowd, Person, Seen, in_crowd
from benchmarks.load.ready import ready_battles
from benchmarks.load.stack import TOKENS, TOKENS_A_SECOND, Stack
from benchmarks.load.watch import Watch

ANSWER_S = TOKENS / TOKENS_A_SECOND
SETTLE_S = 1.0
Row = dict[str, Any]
PAGES = ("/", "/leaderboard/", "/about/", "/me/")


@dataclass(frozen=True, slots=True)
class Case:
    """What was measured, and for each limited figure the most that it may be."""

    row: Row
    limits: dict[str, float]

    def broken(self) -> list[str]:
        """Sentences; a figure that is not there keeps no limit."""
        return [
            f"{name} is {self.row.get(name)}, above {most}"
            for name, most in self.limits.items()
            if (found := self.row.get(name)) is None or found > most
        ]


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything; the defaults are what the project asks for."""

    connected: int = 1000
    battles: int = 60
    seconds: float = 60
    votes_a_second: float = 50
    voting_s: float = 300
    half_open: int = 500
    posts: int = 100
    enduring_s: float = 600


def percentile(values: Sequence[float], percent: int) -> float | None:
    """Inclusive, in the values' unit; nothing of fewer than two values."""
    if len(values) < 2:
        return None
    return round(statistics.quantiles(values, n=100, method="inclusive")[percent - 1], 1)


@asynccontextmanager
async def playing(crowd: Crowd, people: Sequence[Person]) -> AsyncIterator[None]:
    """They play in the block, battles beginning and ending all through it; inside, everybody has begun."""
    players = [
        asyncio.create_task(crowd.play(each, ANSWER_S * place / len(people)))
        for place, each in enumerate(people)
    ]
    await asyncio.sleep(ANSWER_S + SETTLE_S)
    try:
        yield
    finally:
        crowd.leaving.set()
        await asyncio.gather(*players)


@asynccontextmanager
async def watching(stack: Stack, every_s: float = 1.0) -> AsyncIterator[Watch]:
    watch = Watch(stack.site.pid, every_s)
    looking = asyncio.create_task(watch.run())
    try:
        yield watch
    finally:
        looking.cancel()
        await asyncio.wait([looking])


async def window(crowd: Crowd, seconds: float) -> None:
    """The time that counts; what everybody does at once as they leave does not."""
    crowd.seen.took_ms.clear()
    crowd.meter.counts = crowd.seen.counts = True
    await asyncio.sleep(seconds)
    crowd.meter.counts = crowd.seen.counts = False


async def streaming(stack: Stack, size: Size) -> Case:
    """Many connected, some of whom battle and vote, on the clock of 100 ms."""
    row: Row = {"case": "streaming", "connected": size.connected, "battles": size.battles}

    async def played(crowd: Crowd) -> None:
        people = await crowd.people(size.connected)
        async with hostile.idle_sockets(crowd, people[size.battles :]) as lines:
            async with playing(crowd, people[: size.battles]), watching(stack) as watch:
                await window(crowd, size.seconds)
            row["peak_mb"] = watch.peak_mb()
            row["lines_lost"] = sum(line.closed for line in lines)
        added = crowd.meter.added_ms
        row["tokens"] = len(added)
        row["added_p50_ms"], row["added_p95_ms"] = percentile(added, 50), percentile(added, 95)
        row["first_p95_ms"] = percentile(crowd.meter.first_ms, 95)
        row["votes"] = len(crowd.seen.took_ms.get("vote", []))
        row["vote_p95_ms"] = percentile(crowd.seen.took_ms.get("vote", []), 95)

    _told(row, (await in_crowd(stack, played)).seen)
    limits: dict[str, float] = {
        "added_p95_ms": 200,
        "vote_p95_ms": 300,
        "failures": 0,
        "lines_lost": 0,
        "peak_mb": 1500,
    }
    return Case(row, limits)


async def voting(stack: Stack, size: Size) -> Case:
    """Votes at a steady rate by the form, whether earlier ones are answered or not; waiting counts from the moment when each was due."""
    row: Row = {"case": "voting", "votes_a_second": size.votes_a_second, "seconds": size.voting_s}

    async def played(crowd: Crowd) -> None:
        wanted = int(size.votes_a_second * size.voting_s)
        people = await crowd.people(min(300, wanted))
        waiting = await asyncio.to_thread(ready_battles, people, wanted)

        async def one(number: int) -> None:
            person, battle = waiting[number]
            await person.vote(battle)

        async with watching(stack) as watch:
            await crowd.paced(size.votes_a_second, size.voting_s, "vote", one)
        took = crowd.seen.took_ms.get("vote", [])
        row["votes"], row["peak_mb"] = len(took), watch.peak_mb()
        for percent in (50, 95, 99):
            row[f"vote_p{percent}_ms"] = percentile(took, percent)

    _told(row, (await in_crowd(stack, played)).seen)
    return Case(row, {"vote_p99_ms": 500, "failures": 0})


async def attacked(stack: Stack, size: Size) -> Case:
    """What a few volunteers feel while others open sockets and leave them half open, and post what nobody reads: beside the same minute without."""
    row: Row = {"case": "attacked", "half_open": size.half_open, "posts": size.posts}

    async def played(crowd: Crowd) -> None:
        people = await crowd.people(20)
        seconds = size.seconds / 2
        async with playing(crowd, people[:10]):
            calm = await _felt(crowd, people[10:], seconds)
            async with (
                hostile.half_open(stack.site.url, size.half_open),
                hostile.posts(stack.site.url, size.posts) as told,
            ):
                under = await _felt(crowd, people[10:], seconds)
        row["posts_accepted"] = told.accepted
        for name, before in calm.items():
            row[f"{name}_calm"], row[name] = before, under[name]
            row[f"{name}_times"] = _times(under[name], before)

    _told(row, (await in_crowd(stack, played)).seen)
    limits: dict[str, float] = {
        "page_p95_ms_times": 2,
        "vote_p95_ms_times": 2,
        "added_p95_ms_times": 2,
        "failures": 0,
    }
    return Case(row, limits | {"posts_accepted": 0})


async def _felt(crowd: Crowd, people: Sequence[Person], seconds: float) -> dict[str, float | None]:
    """95th percentiles in milliseconds while pages are opened ten times a second and the players play."""
    crowd.seen.took_ms.clear()
    crowd.meter.added_ms = type(crowd.meter.added_ms)("d")
    crowd.meter.counts = True
    await crowd.paced(10, seconds, "page", _pages(people))
    crowd.meter.counts = False
    took = crowd.seen.took_ms
    found = {"page": took.get("page", []), "vote": took.get("vote", []), "added": crowd.meter.added_ms}
    return {f"{what}_p95_ms": percentile(values, 95) for what, values in found.items()}


def _times(under: float | None, before: float | None) -> float | None:
    return round(under / before, 2) if under and before else None


def _pages(people: Sequence[Person]) -> Callable[[int], Awaitable[None]]:
    async def one(number: int) -> None:
        await people[number % len(people)].page(PAGES[number % len(PAGES)])

    return one


async def enduring(stack: Stack, size: Size) -> Case:
    """Mixed load for long: battles, votes and pages. What the second third held, beside the last one."""
    row: Row = {"case": "enduring", "seconds": size.enduring_s}

    async def played(crowd: Crowd) -> None:
        people = await crowd.people(30)
        async with playing(crowd, people[:20]), watching(stack, size.enduring_s / 120) as watch:
            await crowd.paced(5, size.enduring_s, "page", _pages(people[20:]))
        third = len(watch.looks) // 3
        middle, last = watch.looks[third : 2 * third], watch.looks[-third:]
        for name in ("memory_mb", "files", "connections"):
            before, after = (
                statistics.median(getattr(look, name) for look in looks) for looks in (middle, last)
            )
            row[f"{name}_before"], row[name] = before, after
            row[f"{name}_times"] = round(after / max(1, before), 3)
        row["votes"] = len(crowd.seen.took_ms["vote"])

    _told(row, (await in_crowd(stack, played)).seen)
    return Case(row, {"memory_mb_times": 1.03, "files_times": 1.1, "connections_times": 1.1, "failures": 0})


def _told(row: Row, seen: Seen) -> None:
    row["failures"] = seen.failed()
    if seen.failures:
        row["failed"] = seen.failures


CASES: dict[str, Callable[[Stack, Size], Coroutine[Any, Any, Case]]] = {
    "streaming": streaming,
    "voting": voting,
    "attacked": attacked,
    "enduring": enduring,
}
