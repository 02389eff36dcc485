"""Gateways between a scripted wire and a site in memory, and their readers."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing

import pytest

from inference import errors
from inference.gateway import Gateway
from inference.types import (
    Done,
    GenerationRequest,
    StreamEvent,
)
from tests.inference.scripted import Memory, Wire

BROKEN = errors.ServerFailed("the server answered 500")
MakeGateway = Callable[..., tuple[Gateway, Wire, Memory]]


async def collect(gateway: Gateway, request: GenerationRequest) -> list[StreamEvent]:
    return [event async for event in gateway.stream(request)]


async def failing(gateway: Gateway, request: GenerationRequest) -> errors.StreamError:
    with pytest.raises(errors.StreamError) as caught:
        await collect(gateway, request)
    return caught.value


async def until_done(gateway: Gateway, request: GenerationRequest) -> None:
    """As the site reads: it leaves at the end of the answer."""
    async with aclosing(gateway.stream(request)) as events:
        async for event in events:
            if isinstance(event, Done):
                return
