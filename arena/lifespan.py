"""What a process of the site does before it ends."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.conf import settings

from arena import runner
from inference import gateway

Event = MutableMapping[str, Any]


async def lifespan(
    _: Event, receive: Callable[[], Awaitable[Event]], send: Callable[[Event], Awaitable[None]]
) -> None:
    """ASGI's lifespan: the server calls it once, and tells its end after all sockets are closed.

    Pages then follow through other processes what this one still answers.
    """
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await runner.current().leave(within_s=settings.LEHIA_DRAIN_S)
    await gateway.close()
    await send({"type": "lifespan.shutdown.complete"})
