"""Those who come and do not behave: sockets that say nothing, requests that never end, posts that nobody asked for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import aiohttp

if TYPE_CHECKING:
    from benchmarks.load.people import Crowd, Person

HUGE = 64 * 1024 * 1024
_PIECE = bytes(64 * 1024)
_BEGUN = b"POST /consent/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\nadult"


@asynccontextmanager
async def idle_sockets(
    crowd: Crowd, people: Sequence[Person]
) -> AsyncIterator[list[aiohttp.ClientWebSocketResponse]]:
    """Each has a page open whose socket is there, and reads it without asking anything."""
    lines = []
    async with AsyncExitStack() as stack:
        for person in people:
            with crowd.seen.timed("connect"):
                lines.append(await stack.enter_async_context(person.line()))
        yield lines


@asynccontextmanager
async def half_open(url: str, number: int) -> AsyncIterator[None]:
    """Connections that began a request and say no more."""
    where = urlsplit(url)
    writers = []
    for _ in range(number):
        _, writer = await asyncio.open_connection(where.hostname, where.port)
        writer.write(_BEGUN)
        writers.append(writer)
    try:
        yield
    finally:
        for writer in writers:
            writer.close()


@dataclass(slots=True)
class Told:
    """How many posts the site took as if they were in order."""

    accepted: int = 0


@asynccontextmanager
async def posts(url: str, number: int) -> AsyncIterator[Told]:
    """Forms of 64 MB, a few at a time, until the block ends."""
    told = Told()
    door = asyncio.Semaphore(10)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=120)) as http:
        sending = [asyncio.create_task(_post(http, url, told, door)) for _ in range(number)]
        try:
            yield told
        finally:
            for each in sending:
                each.cancel()
            await asyncio.wait(sending)


async def _post(http: aiohttp.ClientSession, url: str, told: Told, door: asyncio.Semaphore) -> None:
    async def body() -> AsyncIterator[bytes]:
        for _ in range(HUGE // len(_PIECE)):
            yield _PIECE

    async with door:
        with suppress(aiohttp.ClientError, OSError):  # closing the door on them is an answer too
            async with http.post(f"{url}/consent/", data=body()) as answer:
                told.accepted += answer.status < 400
