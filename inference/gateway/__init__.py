"""The one door to model servers.

:func:`stream` serves each event loop by a :class:`Gateway` of its own, made on first use with what :func:`plug` was given: the Django site plugs
in its database and its Valkey when it starts, and without them the gateway works for itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from inference.gateway.core import Gateway
from inference.gateway.ports import NoTraffic, Passage, Standing, Traffic
from inference.types import GenerationRequest, StreamEvent

__all__ = ["Gateway", "NoTraffic", "Passage", "Standing", "Traffic", "close", "plug", "settled", "stream"]

_gateways: dict[asyncio.AbstractEventLoop, Gateway] = {}
_plugged: tuple[Traffic, str | None] = (NoTraffic(), None)


def plug(traffic: Traffic, *, valkey_url: str | None) -> None:
    """What event loops that have not streamed yet will work with."""
    global _plugged  # noqa: PLW0603  # one site a process
    _plugged = (traffic, valkey_url)


def stream(request: GenerationRequest) -> AsyncGenerator[StreamEvent, None]:
    """Generate one answer. Must be called inside the event loop that reads it.

    Parameters
    ----------
    request
        Target, messages, sampling, the id that the server is given too, and whom the queue is fair to.

    Yields
    ------
    Queued
        Only where the endpoint is full: the position, again when it changes; it may grow when somebody else's turn comes first.
    Reasoning or Delta
        As they arrive, never empty.
    Done
        Once, at the end.

    Raises
    ------
    StreamError
        Every way to fail, typed. What was yielded before is then not an answer.

    Notes
    -----
    Closing the generator, or cancelling its reader, gives up the place in the queue or the slot and closes the connection, which frees the request on
    vLLM within 200 ms.
    """
    return _gateway().stream(request)


async def settled() -> None:
    """Wait until all that this loop's requests came to is written down, and their slots are free for other processes."""
    await _gateway().settled()


async def close() -> None:
    """Settle, and close this loop's connections and tasks, when its process shuts down."""
    gateway = _gateways.pop(asyncio.get_running_loop(), None)
    if gateway is not None:
        await gateway.close()


def _gateway() -> Gateway:
    loop = asyncio.get_running_loop()
    gateway = _gateways.get(loop)
    if gateway is None:
        for ended in [each for each in _gateways if each.is_closed()]:
            del _gateways[ended]
        traffic, valkey_url = _plugged
        gateway = _gateways[loop] = Gateway(traffic=traffic, valkey_url=valkey_url)
    return gateway
