"""What is known of each endpoint, asked at most once a second, however many requests there are."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Mapping
from dataclasses import replace
from uuid import UUID

from inference.breaker import Breaker
from inference.gateway.ports import Standing, Traffic

FRESH_S = 1.0


class Standings:
    """One an event loop."""

    def __init__(self, traffic: Traffic, time: Callable[[], float]) -> None:
        self._traffic, self._time = traffic, time
        self._known: dict[UUID, tuple[float, Standing]] = {}
        self._asked: dict[UUID, asyncio.Task[Standing]] = {}

    async def of(self, endpoint_id: UUID) -> Standing:
        """The standing, at most a second old. Requests that come together share one question."""
        when, standing = self._known.get(endpoint_id, (None, None))
        if when is not None and standing is not None and self._time() - when < FRESH_S:
            return standing
        if (task := self._asked.get(endpoint_id)) is None:
            # no request's own: another may wait for it after this one was cancelled
            task = asyncio.get_running_loop().create_task(
                self._ask(endpoint_id), context=contextvars.Context()
            )
            self._asked[endpoint_id] = task
        return await asyncio.shield(task)

    def latest(self, endpoint_id: UUID) -> Standing:
        """What was known last, however old."""
        return self._known.get(endpoint_id, (0.0, Standing()))[1]

    def forget(self, endpoint_id: UUID) -> None:
        """Ask again next time."""
        self._known.pop(endpoint_id, None)

    def learn(self, breakers: Mapping[UUID, Breaker]) -> None:
        """Circuits that this process has just written."""
        for endpoint_id, breaker in breakers.items():
            if endpoint_id in self._known:
                when, standing = self._known[endpoint_id]
                self._known[endpoint_id] = when, replace(standing, breaker=breaker)

    async def _ask(self, endpoint_id: UUID) -> Standing:
        try:
            standing = await self._traffic.standing(endpoint_id)
            self._known[endpoint_id] = self._time(), standing
            return standing
        finally:
            del self._asked[endpoint_id]
