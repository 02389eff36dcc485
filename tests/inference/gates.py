"""Gates before endpoints, and what becomes of their tickets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from uuid import uuid4

from inference.queue import Gate, Place, Terms, Ticket

PATIENT = Terms(lease_s=300, renew_s=100)  # what is told, is told by wake-ups
SHORT = Terms(lease_s=0.4, renew_s=0.05, pause_s=0.02, longest_pause_s=0.02)
MakeGate = Callable[..., Gate]


def place(user: str = "ane", room: int = 1, endpoint: str | None = None) -> Place:
    return Place(endpoint or uuid4().hex, user, room)


async def slot(ticket: Ticket) -> None:
    """Wait until the ticket has a slot."""
    await at(ticket, 0)


async def at(ticket: Ticket, position: int) -> None:
    async with asyncio.timeout(10):
        while (now := ticket.position) != position:
            assert now is not None
            await ticket.moved(now, asyncio.get_running_loop().time() + 10)


async def drained(gates: list[Gate], waiting: dict[str, tuple[Gate, Ticket]]) -> list[str]:
    """Who is let in, one after the other, where each leaves before the next."""
    order = []
    while waiting:
        tasks = {asyncio.create_task(slot(ticket)): name for name, (_, ticket) in waiting.items()}
        done, others = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in others:
            task.cancel()
        (first,) = done
        order.append(tasks[first])
        gate, ticket = waiting.pop(tasks[first])
        gate.leave(ticket)
    for gate in gates:
        await gate.settled()
    return order
