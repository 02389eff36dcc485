"""What is known of each endpoint: read for all that are in use at once, about once a second, however many requests there are."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Mapping
from dataclasses import replace
from uuid import UUID

from inference.breaker import Breaker
from inference.gateway.ports import Standing, Traffic

FRESH_S = 1.0
IN_USE_S = 10.0


class Standings:
    """One an event loop.

    A question goes to the database over a connection of its own, which costs more than the answer: so it is asked for every endpoint that was wanted
    in the last ten seconds, and the requests of the next second find theirs.
    """

    def __init__(self, traffic: Traffic, time: Callable[[], float]) -> None:
        self._traffic, self._time = traffic, time
        self._wanted: dict[UUID, float] = {}
        self._known: dict[UUID, tuple[float, Standing]] = {}
        self._question: asyncio.Task[None] | None = None

    async def of(self, endpoint_id: UUID) -> Standing:
        """The standing, at most a second old. Requests that come together share one question."""
        since = self._time() - FRESH_S
        self._wanted[endpoint_id] = self._time()
        while (known := self._known.get(endpoint_id)) is None or known[0] <= since:
            if self._question is None:
                # no request's own: another may wait for it after this one was cancelled
                self._question = asyncio.get_running_loop().create_task(
                    self._ask(), context=contextvars.Context()
                )
            await asyncio.shield(self._question)
        return known[1]

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

    async def _ask(self) -> None:
        now = self._time()
        self._wanted = {each: when for each, when in self._wanted.items() if now - when < IN_USE_S}
        endpoint_ids = list(self._wanted)
        try:
            standings = await self._traffic.standings(endpoint_ids)
            self._known = {each: (now, standings.get(each, Standing())) for each in endpoint_ids}
        finally:
            self._question = None
