"""The order in which waiting requests are let in: users take turns."""

from __future__ import annotations

from bisect import insort


class FairQueue:
    """Who waits at one endpoint, in rounds. Pure and in memory; the scripts of :mod:`inference.queue.scripts` keep the same order.

    A ticket joins the round that is being served, or the one after its user's last ticket where that is later; within a round, first
    come, first served. So a user with five waiting tickets gets one a round, whoever comes meanwhile goes before the other four, and a
    user who asks again and again never overtakes those of the round before. A place that is given up gives its round back.

    Positions start at 1. They may grow, when somebody joins an earlier round.

    Notes
    -----
    Start-time fair queueing (Goyal, Vin and Cheng, SIGCOMM 1996) with tickets of equal cost.
    """

    def __init__(self) -> None:
        self._entries: list[tuple[int, int, str]] = []  # round, arrival, ticket
        self._users: dict[str, str] = {}
        self._last: dict[str, int] = {}
        self._round = 0
        self._arrivals = 0

    def __len__(self) -> int:
        return len(self._entries)

    def join(self, ticket: str, user: str) -> int:
        """Take a place; returns its position."""
        turn = max(self._round, self._last.get(user, self._round - 1) + 1)
        self._last[user] = turn
        self._users[ticket] = user
        self._arrivals += 1
        insort(self._entries, (turn, self._arrivals, ticket))
        return self.order().index(ticket) + 1

    def leave(self, ticket: str) -> bool:
        """Give a place up. False where the ticket had none."""
        user = self._users.pop(ticket, None)
        if user is None:
            return False
        entry = next(each for each in self._entries if each[2] == ticket)
        self._entries.remove(entry)
        if self._last.get(user) == entry[0]:
            self._last[user] -= 1
        self._forget()
        return True

    def pop(self) -> str:
        """Let the first one in. Raises ``IndexError`` where nobody waits."""
        self._round, _, ticket = self._entries.pop(0)
        del self._users[ticket]
        self._last = {user: turn for user, turn in self._last.items() if turn >= self._round}
        self._forget()
        return ticket

    def order(self) -> list[str]:
        """The tickets, the next one first."""
        return [ticket for _, _, ticket in self._entries]

    def _forget(self) -> None:
        """Nobody waits: nobody has had a turn before another either."""
        if not self._entries:
            self._last.clear()
            self._round = self._arrivals = 0
