"""Fake servers on a loop of their own, for tests that are plain functions as the site's views and tasks are."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Protocol


class Server(Protocol):
    async def start(self) -> None: ...

    async def stop(self) -> None: ...


@contextmanager
def loop_in_background() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def run(loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run_coroutine_threadsafe(coroutine, loop).result(10)


def _stop(loop: asyncio.AbstractEventLoop, server: Server) -> None:
    run(loop, server.stop())


@contextmanager
def served(*servers: Server) -> Iterator[asyncio.AbstractEventLoop]:
    """The servers, for the length of a block. Yields their loop."""
    with loop_in_background() as loop, ExitStack() as stack:
        for server in servers:
            run(loop, server.start())
            stack.callback(_stop, loop, server)
        yield loop
