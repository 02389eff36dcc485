"""Sockets end with what let them in: a logout, a changed password, a ban or an erasure, in whatever process it happened."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextvars import Context
from dataclasses import dataclass

from django.db import DatabaseError

from arena.selectors.sessions import Claim, standing_claims
from inference.database import in_thread

logger = logging.getLogger(__name__)

LOOK_S = 5.0
"""How often the claims of all open sockets of a process are looked at, in two queries. Each frame is looked at besides."""
NO_LONGER_WELCOME = 4403
"""The code that these sockets are closed with: the page does not come back by itself."""


@dataclass(frozen=True, slots=True, eq=False)
class Guest:
    """An open socket: what let it in, and how it is shown out."""

    claim: Claim
    show_out: Callable[[], Awaitable[None]]


class Doorkeeper:
    """One a process; belongs to its event loop."""

    def __init__(self) -> None:
        self._guests: set[Guest] = set()
        self._rounds: asyncio.Task[None] | None = None

    def admit(self, guest: Guest) -> None:
        self._guests.add(guest)
        if (
            self._rounds is None
            or self._rounds.done()
            or self._rounds.get_loop() is not asyncio.get_running_loop()
        ):
            self._rounds = asyncio.create_task(self._go_round(), name="doorkeeper", context=Context())

    def dismiss(self, guest: Guest) -> None:
        """It went by itself."""
        self._guests.discard(guest)

    async def _go_round(self) -> None:
        while self._guests:
            await asyncio.sleep(LOOK_S)
            guests = list(self._guests)
            if not guests:
                return
            try:
                standing = await in_thread(standing_claims)({each.claim for each in guests})
            except DatabaseError:
                logger.warning("sessions of %d sockets could not be looked at", len(guests))
                continue  # could not look is not the same as ended
            for each in guests:
                if each.claim not in standing and each in self._guests:
                    self._guests.discard(each)
                    await each.show_out()


doorkeeper = Doorkeeper()
