"""The gate before an endpoint, over a real Valkey and without it. Two gates stand for two processes."""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inference.errors import QueueFull
from inference.queue import Gate, Place, Terms, Ticket
from inference.queue.fair import FairQueue
from tests.inference.valkey import Valkey, client, connections, left

PATIENT = Terms(lease_s=300, renew_s=100)  # what is told, is told by wake-ups
SHORT = Terms(lease_s=0.4, renew_s=0.05, pause_s=0.02, longest_pause_s=0.02)
MakeGate = Callable[..., Gate]


@pytest.fixture
async def make_gate(valkey: Valkey) -> AsyncIterator[MakeGate]:
    made: list[Gate] = []

    def make(url: str | None = valkey.url, terms: Terms = PATIENT) -> Gate:
        made.append(Gate(url, terms))
        return made[-1]

    yield make
    for gate in made:
        await gate.close()


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
    await asyncio.to_thread(mortal_valkey.start)
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
