"""The gate before each endpoint: so many requests at once in all processes, the others in a fair queue."""

from __future__ import annotations

import json
import logging
from itertools import count
from uuid import uuid4

from inference.errors import QueueFull
from inference.queue import scripts
from inference.queue.link import Away, Command, Link
from inference.queue.local import LocalQueues
from inference.queue.terms import Terms
from inference.queue.ticket import Place, Ticket

logger = logging.getLogger(__name__)


class Gate:
    """Hands out tickets. One an event loop.

    The slots and queues of all processes stand in Valkey; see :mod:`inference.queue.scripts`. While it is away each process keeps to the bounds for
    itself, with the tickets it has; when it is back they are put there again. Either way nobody who has a slot loses it.

    Parameters
    ----------
    valkey_url
        ``None`` keeps to this process's own queues.
    """

    def __init__(self, valkey_url: str | None, terms: Terms | None = None) -> None:
        self._process = uuid4().hex
        self._terms = terms = terms or Terms()
        self._numbers = count()
        self._tickets: dict[str, Ticket] = {}
        self._local = LocalQueues()
        self._link: Link | None = None
        if valkey_url is not None:
            self._link = Link(
                valkey_url,
                f"{scripts.PREFIX}:{self._process}",
                terms,
                hear=self._hear,
                renewals=self._renewals,
                farewells=self._farewells,
                lost=self._move_in,
                found=self._move_out,
            )

    async def enter(self, place: Place) -> Ticket:
        """Take a slot or, where there is none, a place.

        Raises
        ------
        QueueFull
            As many wait as may.
        """
        ticket = Ticket(f"{self._process}:{next(self._numbers)}:{place.user}", place)
        self._tickets[ticket.name] = ticket
        try:
            entered = await self._entered(ticket)
        except BaseException:
            self.leave(ticket)  # a cancelled request may have got it meanwhile
            raise
        if not entered:
            self.leave(ticket)
            raise QueueFull("too many requests wait for the endpoint")
        return ticket

    def leave(self, ticket: Ticket) -> None:
        """Give up a slot or a place at once; twice does no harm."""
        if self._tickets.pop(ticket.name, None) is None:
            return
        if self._link is not None and self._link.up:
            self._link.post(self._command(scripts.LEAVE, ticket.place, ticket.name))
        else:
            self._local.leave(ticket)

    async def settled(self) -> None:
        """Wait until what was given up is free for other processes."""
        if self._link is not None:
            await self._link.settled()

    async def close(self) -> None:
        """Give everything up and hang up."""
        if self._link is not None:
            await self._link.close()

    async def _entered(self, ticket: Ticket) -> bool:
        longest = self._terms.waiting_a_slot * ticket.place.room
        if self._link is not None:
            try:
                position = await self._link.call(
                    self._command(scripts.ENTER, ticket.place, longest, ticket.name)
                )
            except Away:
                pass
            else:
                if position >= 0:
                    ticket.move(position)
                return bool(position >= 0)
        return ticket.position is not None or self._local.enter(ticket, longest)

    def _command(self, script: str, place: Place, *arguments: str | int) -> Command:
        lease_ms = round(self._terms.lease_s * 1000)
        return Command(
            script, scripts.keys(place.endpoint), (place.room, lease_ms, scripts.PREFIX, *arguments)
        )

    def _hear(self, news: str) -> None:
        for name, position in json.loads(news).items():
            if ticket := self._tickets.get(name):
                ticket.move(position)

    def _renewals(self) -> list[Command]:
        """One command an endpoint that keeps all of this process's tickets alive and tells where they stand."""
        endpoints: dict[str, list[Ticket]] = {}
        for ticket in self._tickets.values():
            if ticket.position is not None:
                endpoints.setdefault(ticket.place.endpoint, []).append(ticket)
        return [self._renewal(tickets) for tickets in endpoints.values()]

    def _renewal(self, tickets: list[Ticket]) -> Command:
        held = [ticket.name for ticket in tickets if ticket.position == 0]
        waiting = sorted((ticket for ticket in tickets if ticket.position), key=_position)

        def done(positions: list[int]) -> None:
            for ticket, position in zip(waiting, positions, strict=True):
                ticket.move(position)

        names = (*held, *(ticket.name for ticket in waiting))
        command = self._command(scripts.RENEW, tickets[0].place, len(held), *names)
        return Command(command.script, command.keys, command.arguments, done)

    def _farewells(self) -> list[Command]:
        return [self._command(scripts.LEAVE, each.place, each.name) for each in self._tickets.values()]

    def _move_in(self) -> None:
        """Valkey went away: this process's tickets stand in its own queues now. Those that just enter follow by themselves."""
        known = [ticket for ticket in self._tickets.values() if ticket.position is not None]
        for ticket in sorted(known, key=_position):
            if ticket.position == 0:
                self._local.hold(ticket)
            else:
                self._local.join(ticket)

    def _move_out(self) -> None:
        """Valkey is back, and the renewals that follow put all tickets there."""
        self._local = LocalQueues()


def _position(ticket: Ticket) -> int:
    return ticket.position or 0
