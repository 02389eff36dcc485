"""One process's own queues, for when Valkey is away."""

from __future__ import annotations

from inference.queue.fair import FairQueue
from inference.queue.ticket import Ticket


class LocalQueues:
    """The same bounds and the same order as the shared queues, for the requests of this process alone."""

    def __init__(self) -> None:
        self._held: dict[str, set[str]] = {}
        self._queues: dict[str, FairQueue] = {}
        self._waiting: dict[str, Ticket] = {}

    def enter(self, ticket: Ticket, longest: int) -> bool:
        """Give a slot or a place. False where the queue holds *longest* already."""
        place = ticket.place
        queue = self._queues.setdefault(place.endpoint, FairQueue())
        if not queue and len(self._slots(place.endpoint)) < place.room:
            self.hold(ticket)
            return True
        if len(queue) >= longest:
            return False
        self.join(ticket)
        return True

    def hold(self, ticket: Ticket) -> None:
        """Count a ticket that has a slot, whether there is room or not."""
        self._slots(ticket.place.endpoint).add(ticket.name)
        ticket.move(0)

    def join(self, ticket: Ticket) -> None:
        """Give a place, whether there is room or not."""
        self._waiting[ticket.name] = ticket
        self._queues.setdefault(ticket.place.endpoint, FairQueue()).join(ticket.name, ticket.place.user)
        self.serve(ticket.place.endpoint)

    def leave(self, ticket: Ticket) -> None:
        """Give up a slot or a place."""
        endpoint = ticket.place.endpoint
        if self._waiting.pop(ticket.name, None) is None:
            self._slots(endpoint).discard(ticket.name)
        else:
            self._queues[endpoint].leave(ticket.name)
        self.serve(endpoint)
        if not self._held.get(endpoint) and not self._queues.get(endpoint):
            self._held.pop(endpoint, None)
            self._queues.pop(endpoint, None)

    def serve(self, endpoint: str) -> None:
        """Let in whom there is room for, and tell the others where they stand."""
        queue = self._queues.get(endpoint)
        while queue:
            first = self._waiting[queue.order()[0]]
            if len(self._slots(endpoint)) >= first.place.room:
                break
            del self._waiting[queue.pop()]
            self.hold(first)
        for index, name in enumerate(queue.order() if queue else (), start=1):
            self._waiting[name].move(index)

    def _slots(self, endpoint: str) -> set[str]:
        return self._held.setdefault(endpoint, set())
