"""The gate's line to Valkey: leases, losses, returns, and that nothing is left."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inference.errors import QueueFull
from inference.queue import Gate, Place, Terms, Ticket
from inference.queue.fair import FairQueue
from tests.inference.gates import SHORT, MakeGate, place, slot
from tests.valkey import Valkey, client, connections, left


async def test_leases_are_kept_while_their_process_lives(valkey: Valkey, make_gate: MakeGate) -> None:
    gate, other = make_gate(terms=SHORT), make_gate(terms=SHORT)
    where = place()
    held, waiting = await gate.enter(where), await other.enter(where)
    lease_over = asyncio.Event()
    asyncio.get_running_loop().call_later(3 * SHORT.lease_s, lease_over.set)
    await lease_over.wait()
    assert (held.position, waiting.position) == (0, 1)
    assert (await left(valkey, where.endpoint))["slots"] == [held.name]
    gate.leave(held)
    await slot(waiting)
    other.leave(waiting)


async def test_a_wake_up_that_is_lost_is_made_good_by_the_next_renewal(
    valkey: Valkey, make_gate: MakeGate
) -> None:
    gate, other = make_gate(terms=SHORT), make_gate(terms=SHORT)
    where = place()
    held, waiting = await gate.enter(where), await other.enter(where)
    other._hear = lambda news: None  # type: ignore[method-assign]  # the news is lost on the way
    assert other._link is not None
    other._link._hear = lambda news: None
    gate.leave(held)
    await slot(waiting)
    other.leave(waiting)


async def test_when_valkey_is_not_there_the_process_keeps_to_itself(
    make_gate: MakeGate, caplog: pytest.LogCaptureFixture
) -> None:
    gate = make_gate("unix:///nonexistent/valkey.sock", SHORT)
    where = place()
    held = await gate.enter(where)
    waiting = [await gate.enter(where), await gate.enter(where)]
    assert [held.position, *(each.position for each in waiting)] == [0, 1, 2]
    gate.leave(held)
    await slot(waiting[0])
    gate.leave(waiting[0])
    await slot(waiting[1])
    gate.leave(waiting[1])
    told = [record for record in caplog.records if "Valkey is away" in record.getMessage()]
    assert len(told) == 1
    assert "nonexistent" not in caplog.text


def told_of(gate: Gate) -> tuple[asyncio.Event, asyncio.Event]:
    """Set when the gate has dealt with Valkey's loss, and with its return."""
    link, lost, found = gate._link, asyncio.Event(), asyncio.Event()
    assert link is not None
    link._lost, link._found = then(link._lost, lost.set), then(link._found, found.set)
    return lost, found


def then(first: Callable[[], None], second: Callable[[], None]) -> Callable[[], None]:
    def both() -> None:
        first()
        second()

    return both


async def test_tickets_survive_valkey_s_end_and_its_return(
    mortal_valkey: Valkey, make_gate: MakeGate
) -> None:
    gate = make_gate(mortal_valkey.url, SHORT)
    where = place()
    held, *waiting = [await gate.enter(where) for _ in range(4)]
    lost, found = told_of(gate)
    await asyncio.to_thread(mortal_valkey.stop)
    await asyncio.wait_for(lost.wait(), 10)
    assert [held.position, *(each.position for each in waiting)] == [0, 1, 2, 3]
    gate.leave(held)  # the process's own queue goes on
    await slot(waiting[0])
    mortal_valkey.start()
    await asyncio.wait_for(found.wait(), 10)
    await gate.settled()
    assert (await left(mortal_valkey, where.endpoint))["slots"] == [waiting[0].name]
    other = make_gate(mortal_valkey.url, SHORT)
    newcomer = await other.enter(place("jon", endpoint=where.endpoint))
    assert newcomer.position == 2
    gate.leave(waiting[0])
    await slot(waiting[1])
    for ticket in waiting[1:]:
        gate.leave(ticket)
    await slot(newcomer)
    other.leave(newcomer)


async def test_a_valkey_that_answers_nothing_counts_as_away(
    mortal_valkey: Valkey, make_gate: MakeGate
) -> None:
    gate = make_gate(mortal_valkey.url, Terms(answer_s=0.1, pause_s=30))
    gate.leave(await gate.enter(place()))
    await gate.settled()
    mortal_valkey.freeze()
    try:
        ticket = await gate.enter(place())
        assert ticket.position == 0
        gate.leave(ticket)
    finally:
        mortal_valkey.thaw()


async def test_scripts_that_the_server_forgot_are_told_again(valkey: Valkey, make_gate: MakeGate) -> None:
    gate, where = make_gate(), place()
    gate.leave(await gate.enter(where))
    async with client(valkey) as connected:
        await connected.script_flush()
    ticket = await gate.enter(where)
    assert ticket.position == 0
    assert gate._link is not None
    assert gate._link.up
    gate.leave(ticket)


async def test_an_uncontended_request_is_one_round_trip(valkey: Valkey, make_gate: MakeGate) -> None:
    gate, where = make_gate(), place(room=4)
    gate.leave(await gate.enter(where))  # connects, and tells the scripts
    await gate.settled()
    async with client(valkey) as connected:
        before = await connected.info("commandstats")
        ticket = await gate.enter(where)
        after = await connected.info("commandstats")
    calls = {name: stats["calls"] - before.get(name, {"calls": 0})["calls"] for name, stats in after.items()}
    assert calls["cmdstat_evalsha"] == 1
    assert not {"cmdstat_publish", "cmdstat_script|load"} & {name for name, n in calls.items() if n}
    gate.leave(ticket)


async def test_a_loop_that_just_ends_gives_its_slots_back(valkey: Valkey) -> None:
    where = place()

    async def enter_and_end() -> None:
        await Gate(valkey.url).enter(where)

    await asyncio.to_thread(asyncio.run, enter_and_end())
    assert await left(valkey, where.endpoint) == {}


async def test_a_gate_that_is_closed_leaves_no_connection(valkey: Valkey) -> None:
    before = await connections(valkey)
    gate = Gate(valkey.url)
    await gate.enter(place())
    assert await connections(valkey) == before + 2
    await gate.close()
    assert await connections(valkey) == before
    assert [task for task in asyncio.all_tasks() if "Valkey" in task.get_name()] == []


async def test_200_requests_with_random_cancellations_leave_nothing(
    valkey: Valkey, make_gate: MakeGate
) -> None:
    rng, gates = random.Random(5), [make_gate(), make_gate()]
    where = uuid4().hex
    inside = most = 0

    async def request(number: int) -> None:
        nonlocal inside, most
        gate = gates[number % 2]
        ticket = await gate.enter(Place(where, f"user{number % 7}", 3))
        try:
            await slot(ticket)
            inside += 1
            most = max(most, inside)
            for _ in range(rng.randrange(20)):
                await asyncio.sleep(0)
        finally:
            inside -= ticket.position == 0
            gate.leave(ticket)

    tasks = []
    for number in range(200):
        tasks.append(asyncio.create_task(request(number)))
        for _ in range(rng.randrange(30)):
            await asyncio.sleep(0)
        rng.choice(tasks).cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(each) for each in ended} <= {type(None), asyncio.CancelledError, QueueFull}
    for gate in gates:
        await gate.settled()
    assert 1 <= most <= 3
    assert await left(valkey, where) == {}


steps = st.lists(st.tuples(st.sampled_from(["enter", "leave"]), st.integers(0, 8)), max_size=40)


@given(steps=steps, room=st.integers(1, 3))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_scripts_keep_the_order_of_the_pure_queue(
    valkey: Valkey, steps: list[tuple[str, int]], room: int
) -> None:
    asyncio.run(_same_order(valkey, steps, room))


async def _same_order(valkey: Valkey, steps: list[tuple[str, int]], room: int) -> None:
    gate, where, pure = Gate(valkey.url), uuid4().hex, FairQueue()
    tickets: dict[str, Ticket] = {}
    held: list[str] = []
    try:
        for step, number in steps:
            if step == "enter":
                ticket = await gate.enter(Place(where, f"user{number % 3}", room))
                tickets[ticket.name] = ticket
                if len(held) < room:
                    held.append(ticket.name)
                else:
                    pure.join(ticket.name, ticket.place.user)
            elif tickets:
                name = sorted(tickets)[number % len(tickets)]
                gate.leave(tickets.pop(name))
                if not pure.leave(name):
                    held.remove(name)
                    held += [pure.pop()] if len(pure) else []
            await gate.settled()
            seen = await left(valkey, where)
            assert seen.get("queue", []) == pure.order()
            assert sorted(seen.get("slots", [])) == sorted(held)
    finally:
        await gate.close()
