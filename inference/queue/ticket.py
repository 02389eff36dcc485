"""A request's ticket: a place in an endpoint's queue, then one of its slots."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """Where a request wants in, and for whom.

    Parameters
    ----------
    endpoint
        The endpoint's id.
    user
        Whom the queue is fair to.
    room
        How many requests the endpoint takes at once.
    """

    endpoint: str
    user: str
    room: int


class Ticket:
    """Made by a gate; :attr:`position` is ``None`` until the gate knows it, then a place from 1 on, and at last 0: a slot."""

    __slots__ = ("_news", "name", "place", "position")

    def __init__(self, name: str, place: Place) -> None:
        self.name, self.place = name, place
        self.position: int | None = None
        self._news = asyncio.Event()

    def move(self, position: int) -> None:
        """Take note of a position. A slot is for good: what was said before it may be heard after it."""
        if self.position not in {0, position}:
            self.position = position
            self._news.set()

    async def moved(self, seen: int, until: float) -> int:
        """Wait for another position than *seen*. Raises ``TimeoutError`` at *until*, of the loop's clock."""
        async with asyncio.timeout_at(until):
            while self.position is None or self.position == seen:
                self._news.clear()
                await self._news.wait()
        return self.position
