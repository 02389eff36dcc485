"""The gate before an endpoint: slots, turns, positions, places given up. Two gates stand for two processes."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from uuid import uuid4

import pytest

from inference.errors import QueueFull
from inference.queue import Place, Terms
from tests.inference.gates import SHORT, MakeGate, at, drained, place, slot
from tests.valkey import Valkey, left


@pytest.mark.parametrize("shared", [True, False], ids=["shared", "local"])
async def test_there_is_a_slot_at_once_where_there_is_room(shared: bool, make_gate: MakeGate) -> None:
    gate = make_gate() if shared else make_gate(None)
    tickets = [await gate.enter(each) for each in [place(room=2, endpoint="E")] * 2]
    assert [ticket.position for ticket in tickets] == [0, 0]
    third = await gate.enter(place(room=2, endpoint="E"))
    assert third.position == 1
    gate.leave(tickets[0])
    await slot(third)
    for ticket in (*tickets, third):
        gate.leave(ticket)
    await gate.settled()


async def test_two_processes_share_the_slots(valkey: Valkey, make_gate: MakeGate) -> None:
    one, other = make_gate(), make_gate()
    where = place(room=2)
    held = [await one.enter(where), await other.enter(where)]
    waiting = await other.enter(where)
    assert [ticket.position for ticket in (*held, waiting)] == [0, 0, 1]
    one.leave(held[0])
    await slot(waiting)
    for gate, ticket in ((other, held[1]), (other, waiting)):
        gate.leave(ticket)
        await gate.settled()
    assert await left(valkey, where.endpoint) == {}


async def test_users_take_turns_across_processes(make_gate: MakeGate) -> None:
    gates = [make_gate(), make_gate()]
    first = await gates[0].enter(place("nor", endpoint="turns"))
    waiting = {}
    for number, user in enumerate(["ane", "ane", "ane", "ane", "jon", "jon", "miren"]):
        gate = gates[number % 2]
        waiting[f"{user}{number}"] = (gate, await gate.enter(place(user, endpoint="turns")))
    gates[0].leave(first)
    order = await drained(gates, waiting)
    assert order == ["ane0", "jon4", "miren6", "ane1", "jon5", "ane2", "ane3"]


async def test_positions_are_told_when_they_change_in_whatever_process(make_gate: MakeGate) -> None:
    one, other = make_gate(), make_gate()
    where = place("ane", endpoint=uuid4().hex)
    first, second, third = (await one.enter(where), await one.enter(where), await one.enter(where))
    assert [first.position, second.position, third.position] == [0, 1, 2]
    newcomer = await other.enter(place("jon", endpoint=where.endpoint))
    assert newcomer.position == 2  # after the first of ane's, before the second
    await at(third, 3)
    other.leave(newcomer)
    await at(third, 2)
    one.leave(second)
    await at(third, 1)
    one.leave(first)
    await slot(third)
    one.leave(third)


async def test_both_sides_of_a_battle_go_to_their_own_endpoints(make_gate: MakeGate) -> None:
    gate = make_gate()
    busy, free = place("jon"), uuid4().hex
    held = await gate.enter(busy)
    side_a = await gate.enter(place("ane", endpoint=busy.endpoint))
    side_b = await gate.enter(place("ane", endpoint=free))
    assert (side_a.position, side_b.position) == (1, 0)
    gate.leave(held)
    await slot(side_a)  # while side B still has its slot
    for ticket in (side_a, side_b):
        gate.leave(ticket)


async def test_one_user_s_two_sides_may_have_two_slots_of_one_endpoint(make_gate: MakeGate) -> None:
    gate = make_gate()
    where = place("ane", room=2)
    sides = [await gate.enter(where), await gate.enter(where)]
    assert [side.position for side in sides] == [0, 0]
    for side in sides:
        gate.leave(side)


@pytest.mark.parametrize("shared", [True, False], ids=["shared", "local"])
async def test_a_full_queue_refuses_and_takes_no_place(
    shared: bool, valkey: Valkey, make_gate: MakeGate
) -> None:
    gate = make_gate(valkey.url if shared else None, Terms(waiting_a_slot=2))
    where = place()
    tickets = [await gate.enter(where) for _ in range(3)]
    with pytest.raises(QueueFull):
        await gate.enter(where)
    gate.leave(tickets[1])
    tickets.append(await gate.enter(where))
    assert tickets[3].position == 2
    for ticket in tickets:
        gate.leave(ticket)
        gate.leave(ticket)  # twice does no harm
    await gate.settled()
    assert await left(valkey, where.endpoint) == {}


async def test_a_place_is_given_up_only_until_its_time(make_gate: MakeGate) -> None:
    gate = make_gate()
    where = place()
    held, waiting = await gate.enter(where), await gate.enter(where)
    with pytest.raises(TimeoutError):
        await waiting.moved(1, asyncio.get_running_loop().time())
    for ticket in (waiting, held):
        gate.leave(ticket)


async def test_a_request_that_is_cancelled_while_it_enters_leaves_nothing(
    valkey: Valkey, make_gate: MakeGate
) -> None:
    gate, where = make_gate(), place(room=3)
    for steps in range(12):
        task = asyncio.create_task(gate.enter(where))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            gate.leave(await task)
    await gate.settled()
    assert await left(valkey, where.endpoint) == {}


KILLED = """
import asyncio, sys
from inference.queue import Gate, Place, Terms
async def main():
    gate = Gate(sys.argv[1], Terms(lease_s=0.4, renew_s=0.05))
    for _ in range(2):
        await gate.enter(Place(sys.argv[2], "jon", int(sys.argv[3])))
    print("in", flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


@asynccontextmanager
async def other_process(valkey: Valkey, where: Place) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process that has entered twice. It may be killed in the block."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", KILLED, valkey.url, where.endpoint, str(where.room)),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"in\n"
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def test_what_a_killed_process_held_is_free_when_its_leases_end(
    valkey: Valkey, make_gate: MakeGate
) -> None:
    gate, where = make_gate(terms=SHORT), place(room=3)
    held = await gate.enter(where)
    async with other_process(valkey, where) as process:
        waiting = await gate.enter(where)
        assert waiting.position == 1
        process.kill()
        await slot(waiting)
    for ticket in (held, waiting):
        gate.leave(ticket)
    await gate.settled()
    assert await left(valkey, where.endpoint) == {}


async def test_a_place_of_a_killed_process_is_given_up(valkey: Valkey, make_gate: MakeGate) -> None:
    gate, where = make_gate(terms=SHORT), place(room=1)
    held = await gate.enter(where)
    async with other_process(valkey, where) as process:
        waiting = await gate.enter(where)
        assert waiting.position == 2  # jon's second place comes after ane's first
        process.kill()
        await at(waiting, 1)
    for ticket in (held, waiting):
        gate.leave(ticket)
    last = await gate.enter(where)
    await slot(last)  # jon's second place, which was leased a moment after the first, is gone too
    gate.leave(last)
    await gate.settled()
    assert await left(valkey, where.endpoint) == {}


@pytest.mark.parametrize("shared", [True, False], ids=["shared", "local"])
async def test_whoever_gives_a_place_up_and_comes_back_stands_a_place_further_not_a_round(
    shared: bool, make_gate: MakeGate
) -> None:
    gate, endpoint = make_gate() if shared else make_gate(None), uuid4().hex
    names = ("held", "ane", "jon", "miren")
    tickets = {name: await gate.enter(place(name, endpoint=endpoint)) for name in names}
    gate.leave(tickets.pop("ane"))
    for name in ("ane", "nor"):
        tickets[name] = await gate.enter(place(name, endpoint=endpoint))
    gate.leave(tickets.pop("held"))
    waiting = {name: (gate, ticket) for name, ticket in tickets.items()}
    assert await drained([gate], waiting) == ["jon", "miren", "ane", "nor"]
