"""The way of a request through the gateway, between a scripted wire and a site in memory."""

from __future__ import annotations

import asyncio
import logging
import random
from contextlib import aclosing
from dataclasses import replace
from uuid import uuid4

import pytest

from inference import errors
from inference.breaker import Verdict
from inference.budgets import Spent, Use
from inference.gateway import Gateway, Standing
from inference.gateway.standings import FRESH_S, IN_USE_S, Standings
from inference.queue import Terms
from inference.types import (
    Deadlines,
    Delta,
    Done,
    FinishReason,
    Queued,
    Reasoning,
    StreamEvent,
)
from tests.inference.gateways import BROKEN, MakeGateway, collect, failing, until_done
from tests.inference.scripted import GOOD, Memory, Step, Wire, request_to
from tests.valkey import Valkey, left

# the way of a good request


async def test_an_uncontended_request_is_its_server_s_stream(make: MakeGateway) -> None:
    gateway, wire, _ = make()
    request = request_to()
    assert await collect(gateway, request) == list(GOOD)
    assert wire.asked == [request]


async def test_a_request_that_went_well_is_written_once_with_the_server_s_counts(make: MakeGateway) -> None:
    gateway, _, site = make((Reasoning("hm"), *GOOD))
    request = request_to()
    await until_done(gateway, request)
    await gateway.settled()
    (passage,) = site.passages
    assert (passage.endpoint_id, passage.request_id) == (request.target.endpoint_id, request.request_id)
    assert (passage.user, passage.outcome, passage.attempts) == ("ane", "done", 1)
    assert passage.use == Use(5, 2)
    assert (passage.prompt_tokens, passage.completion_tokens) == (5, 2)
    assert (passage.verdict, passage.trial, passage.queued_ms) == (Verdict.NOTHING, False, 0)
    assert passage.first_token_ms is not None
    assert passage.first_token_ms <= passage.duration_ms


async def test_nothing_is_written_before_the_reader_has_the_end(make: MakeGateway) -> None:
    gateway, _, site = make()
    async with aclosing(gateway.stream(request_to())) as events:
        async for event in events:
            if isinstance(event, Done):
                assert site.writes == 0
    await gateway.settled()
    assert site.writes == 1


async def test_the_slot_is_free_when_the_reader_has_the_end(make: MakeGateway, valkey: Valkey) -> None:
    gateway, _, _ = make()
    request = request_to()
    async with aclosing(gateway.stream(request)) as events:
        async for event in events:
            if isinstance(event, Done):
                await gateway.settled()  # the reader may take its time
                assert await left(valkey, str(request.target.endpoint_id)) == {}


async def test_requests_that_end_together_share_a_write(make: MakeGateway) -> None:
    gateway, _, site = make()
    await asyncio.gather(*(until_done(gateway, request_to()) for _ in range(20)))
    await gateway.settled()
    assert len(site.passages) == 20
    assert site.writes < 5


async def test_a_loop_that_just_ends_loses_no_passage() -> None:
    site = Memory()

    async def serve_and_end() -> None:
        await until_done(Gateway(traffic=site, source=Wire().stream), request_to())

    await asyncio.to_thread(asyncio.run, serve_and_end())
    assert [passage.outcome for passage in site.passages] == ["done"]


async def test_what_is_known_of_an_endpoint_is_asked_once_for_many(make: MakeGateway) -> None:
    gateway, _, site = make()
    endpoint = uuid4()
    await asyncio.gather(*(until_done(gateway, request_to(endpoint, room=40)) for _ in range(40)))
    assert site.questions == [{endpoint}]


async def test_what_is_known_is_asked_for_all_endpoints_in_use_at_once(make: MakeGateway) -> None:
    gateway, _, site = make()
    endpoints = [uuid4() for _ in range(3)]
    await asyncio.gather(*(until_done(gateway, request_to(each)) for each in endpoints))
    assert site.questions == [set(endpoints)]


async def test_an_endpoint_that_is_wanted_while_a_question_is_under_way_is_asked_for_next() -> None:
    site, clock = Memory(), 0.0
    known = Standings(site, lambda: clock)
    one, other, idle = uuid4(), uuid4(), uuid4()
    site.endpoints[other] = Standing(spent=Spent(tokens=7))
    await known.of(idle)
    clock = IN_USE_S
    first = asyncio.create_task(known.of(one))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert (await known.of(other)).spent == Spent(tokens=7)
    await first
    assert site.questions == [{idle}, {one}, {one, other}]
    clock += FRESH_S / 2
    await known.of(one)
    assert len(site.questions) == 3
    clock += FRESH_S
    await known.of(one)
    assert len(site.questions) == 4


async def test_a_reader_that_leaves_while_it_asks_takes_the_answer_from_nobody() -> None:
    site = Memory()
    known, endpoint = Standings(site, lambda: 0.0), uuid4()
    leaves, stays = (asyncio.create_task(known.of(endpoint)) for _ in range(2))
    await asyncio.sleep(0)
    leaves.cancel()
    assert await stays == Standing()
    assert len(site.questions) == 1


# the queue


async def test_requests_beyond_the_limit_wait_and_are_told_where_they_stand(make: MakeGateway) -> None:
    more = asyncio.Event()
    gateway, wire, site = make((Delta("Kaixo"), more, GOOD[-1]))
    endpoint = uuid4()
    first = asyncio.create_task(collect(gateway, request_to(endpoint, room=1)))
    await wire.begun.wait()
    async with aclosing(gateway.stream(request_to(endpoint, room=1, user="jon"))) as events:
        assert await anext(events) == Queued(1)
        async with aclosing(gateway.stream(request_to(endpoint, room=1, user="miren"))) as later:
            assert await anext(later) == Queued(2)
            more.set()
            assert [event async for event in events] == [Delta("Kaixo"), GOOD[-1]]
            assert [event async for event in later] == [Queued(1), Delta("Kaixo"), GOOD[-1]]
    await first
    await gateway.settled()
    assert wire.most == 1
    assert site.passages[0].queued_ms == 0


async def test_two_processes_share_an_endpoint_s_limit(make: MakeGateway) -> None:
    more = asyncio.Event()
    site, endpoint = Memory(), uuid4()
    one, wire, _ = make((Delta("Kaixo"), more, GOOD[-1]), memory=site)
    other, other_wire, _ = make(memory=site)
    held = asyncio.create_task(collect(one, request_to(endpoint, room=1)))
    await wire.begun.wait()
    async with aclosing(other.stream(request_to(endpoint, room=1))) as events:
        assert await anext(events) == Queued(1)
        assert other_wire.asked == []
        more.set()
        assert [event async for event in events] == list(GOOD)
    await held


async def test_a_wait_that_is_too_long_is_a_full_queue(make: MakeGateway) -> None:
    gateway, wire, site = make((asyncio.Event(),), terms=Terms(longest_wait_s=0.01))
    endpoint = uuid4()
    held = asyncio.create_task(collect(gateway, request_to(endpoint, room=1)))
    await wire.begun.wait()
    assert isinstance(await failing(gateway, request_to(endpoint, room=1)), errors.QueueFull)
    held.cancel()
    await asyncio.wait([held])
    await gateway.settled()
    refused = next(each for each in site.passages if each.outcome == "queue_full")
    assert (refused.attempts, refused.use, refused.first_token_ms) == (0, Use(), None)


async def test_a_battle_s_sides_do_not_wait_for_each_other(make: MakeGateway) -> None:
    gateway, wire, _ = make((asyncio.Event(),), GOOD)
    busy = asyncio.create_task(collect(gateway, request_to(user="ane", room=1)))
    await wire.begun.wait()
    assert await collect(gateway, request_to(user="ane", room=1)) == list(GOOD)
    busy.cancel()
    await asyncio.wait([busy])


async def test_a_circuit_that_opened_while_a_request_waited_refuses_it(make: MakeGateway) -> None:
    more = asyncio.Event()
    gateway, wire, site = make((more, BROKEN))
    site.policy = replace(site.policy, threshold=1)
    endpoint = uuid4()
    first = asyncio.create_task(failing(gateway, request_to(endpoint, room=1)))
    await wire.begun.wait()
    async with aclosing(gateway.stream(request_to(endpoint, room=1))) as events:
        assert await anext(events) == Queued(1)
        more.set()
        await first
        await gateway.settled()
        with pytest.raises(errors.CircuitOpen):
            await anext(events)


# retries


async def test_a_failure_before_the_first_token_is_asked_again_at_most_twice(make: MakeGateway) -> None:
    pauses: list[float] = []
    gateway, wire, site = make((BROKEN,), (BROKEN,), GOOD, pauses=pauses)
    assert await collect(gateway, request_to()) == list(GOOD)
    assert (len(wire.asked), len(pauses)) == (3, 2)
    await gateway.settled()
    assert (site.passages[0].attempts, site.passages[0].outcome) == (3, "done")
    gateway, wire, site = make((BROKEN,))
    assert await failing(gateway, request_to()) is BROKEN
    assert len(wire.asked) == 3


@pytest.mark.parametrize("begun", [Delta("Kai"), Reasoning("hm")])
async def test_nothing_is_asked_again_once_something_came(
    make: MakeGateway, begun: Delta | Reasoning
) -> None:
    gateway, wire, _ = make((begun, BROKEN))
    assert await failing(gateway, request_to()) is BROKEN
    assert len(wire.asked) == 1


async def test_retry_after_is_honoured_where_there_is_time_for_it(make: MakeGateway) -> None:
    pauses: list[float] = []
    limited = errors.RateLimited("the server answered 429", retry_after_s=7)
    gateway, wire, _ = make((limited,), GOOD, pauses=pauses)
    assert await collect(gateway, request_to()) == list(GOOD)
    assert 7 <= pauses[0] <= 7.25
    gateway, wire, _ = make((limited,), GOOD, pauses=pauses)
    hurried = request_to(deadlines=Deadlines(first_token_s=5))
    assert await failing(gateway, hurried) is limited
    assert (len(wire.asked), len(pauses)) == (1, 1)


async def test_a_second_try_has_what_is_left_of_the_deadlines(make: MakeGateway) -> None:
    gateway, wire, _ = make((BROKEN,), GOOD)
    await collect(gateway, request_to(deadlines=Deadlines(first_token_s=60, total_s=300)))
    first, second = (asked.target.deadlines for asked in wire.asked)
    assert (first.first_token_s, first.total_s) == (60, 300)
    assert second.first_token_s < 60
    assert second.total_s < 300
    assert second.between_tokens_s == first.between_tokens_s


# guards


async def test_a_loop_and_a_flood_end_the_answer_and_free_the_server(make: MakeGateway) -> None:
    looping: list[Step] = [Delta("bai, bai, ")] * 3000
    gateway, wire, _ = make(looping)
    events = await collect(gateway, request_to(max_tokens=4096))
    assert events[-1] == Done(FinishReason.LOOP)
    assert (len(events) < 3000, wire.live) == (True, 0)
    gateway, wire, _ = make([Delta(f"{number} ") for number in range(3000)])
    events = await collect(gateway, request_to(max_tokens=8))
    assert (events[-1], wire.live) == (Done(FinishReason.LENGTH), 0)
    await gateway.settled()


async def test_an_answer_without_a_word_is_no_answer(make: MakeGateway) -> None:
    gateway, wire, site = make((Delta(" \n"), Done(FinishReason.STOP, 5, 2)))
    assert isinstance(await failing(gateway, request_to()), errors.EmptyAnswer)
    await gateway.settled()
    assert (site.passages[0].outcome, len(wire.asked)) == ("empty", 1)


# logs and leftovers


async def test_the_log_tells_ids_and_outcomes_and_no_text(
    make: MakeGateway, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="inference.gateway")
    gateway, _, _ = make(GOOD, (BROKEN,))
    good, bad = request_to(), request_to()
    await until_done(gateway, good)
    await failing(gateway, bad)
    told = [record.getMessage() for record in caplog.records if record.name == "inference.gateway"]
    assert told[0].startswith(f"request {good.request_id} to endpoint {good.target.endpoint_id}: done in ")
    assert ["again in" in line for line in told[1:]] == [True, True, False]
    assert told[-1].startswith(f"request {bad.request_id} to endpoint {bad.target.endpoint_id}: server in ")
    assert not {"Kaixo", "mundua", "ane"} & set(" ".join(told).split())
    assert good.target.base_url not in caplog.text


async def test_200_requests_cancelled_at_random_leave_nothing(make: MakeGateway, valkey: Valkey) -> None:
    rng = random.Random(11)
    script: list[Step] = [Delta(f"{number} ") for number in range(30)]
    before = asyncio.all_tasks()
    site, endpoints = Memory(), [uuid4() for _ in range(3)]
    gateways = [make([*script, GOOD[-1]], memory=site) for _ in range(2)]

    async def read(number: int) -> StreamEvent | None:
        request = request_to(endpoints[number % 3], user=f"user{number % 5}", room=2)
        last: StreamEvent | None = None
        async with aclosing(gateways[number % 2][0].stream(request)) as events:
            async for event in events:
                last = event
                for _ in range(rng.randrange(4)):
                    await asyncio.sleep(0)
        return last

    tasks: list[asyncio.Task[StreamEvent | None]] = []
    for number in range(200):
        tasks.append(asyncio.create_task(read(number)))
        for _ in range(rng.randrange(40)):
            await asyncio.sleep(0)
        if rng.random() < 0.6:
            rng.choice(tasks).cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    for gateway, _, _ in gateways:
        await gateway.settled()
    kinds = {type(each) for each in ended}
    assert {Done, asyncio.CancelledError} <= kinds <= {Done, asyncio.CancelledError, errors.QueueFull}
    for endpoint in endpoints:
        assert await left(valkey, str(endpoint)) == {}
    assert [wire.live for _, wire, _ in gateways] == [0, 0]
    assert max(wire.most for _, wire, _ in gateways) <= 6
    for gateway, _, _ in gateways:
        await gateway.close()
    assert asyncio.all_tasks() == before
    assert len({passage.request_id for passage in site.passages}) == len(site.passages)
    done = sum(isinstance(each, Done) for each in ended)
    # a reader may be cancelled when it has its answer
    assert done <= sum(each.outcome == "done" for each in site.passages) < 200
