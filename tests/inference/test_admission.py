"""Budgets and circuits: which requests the gateway lets through, and what it learns from their ends."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing, suppress
from decimal import Decimal
from uuid import uuid4

import pytest

from inference import errors
from inference.breaker import Verdict
from inference.budgets import Budget, Prices, Spent, Use
from inference.gateway import Standing
from inference.types import (
    CircuitState,
    Delta,
    Reasoning,
)
from tests.inference.gateways import BROKEN, MakeGateway, collect, failing, until_done
from tests.inference.scripted import GOOD, Memory, Step, request_to

# budgets


@pytest.mark.parametrize(
    "standing",
    [
        Standing(budget=Budget(tokens=10), spent=Spent(tokens=10)),
        Standing(budget=Budget(money=Decimal(1)), spent=Spent(money=Decimal(1))),
    ],
    ids=["tokens", "money"],
)
async def test_an_endpoint_whose_budget_is_spent_is_not_asked(make: MakeGateway, standing: Standing) -> None:
    gateway, wire, site = make()
    request = request_to()
    site.endpoints[request.target.endpoint_id] = standing
    assert isinstance(await failing(gateway, request), errors.BudgetSpent)
    assert wire.asked == []
    await gateway.settled()
    assert (site.passages[0].outcome, site.passages[0].attempts) == ("budget", 0)


async def test_use_is_priced_as_its_endpoint_was_when_it_was_asked(make: MakeGateway) -> None:
    gateway, _, site = make()
    request = request_to()
    prices = Prices(Decimal(1), Decimal(2))
    site.endpoints[request.target.endpoint_id] = Standing(prices=prices)
    await until_done(gateway, request)
    await gateway.settled()
    assert site.passages[0].prices == prices


async def test_what_came_before_a_cancellation_is_counted_by_its_length(make: MakeGateway) -> None:
    gateway, wire, site = make((Reasoning("hmm"), Delta("Kaixo"), asyncio.Event()))
    request = request_to()
    async with aclosing(gateway.stream(request)) as events:
        await anext(events)
        await anext(events)
    await gateway.settled()
    (passage,) = site.passages
    assert (passage.outcome, passage.verdict) == ("cancelled", Verdict.NOTHING)
    assert passage.use == Use(8, 3)  # 23 characters were sent and 8 came
    assert (passage.prompt_tokens, passage.completion_tokens) == (None, None)
    assert wire.live == 0


async def test_what_came_before_a_failure_is_counted_and_where_nothing_came_nothing(
    make: MakeGateway,
) -> None:
    gateway, _, site = make((Delta("Kaixo"), BROKEN), (errors.Unauthorized("the server answered 401"),))
    for _ in range(2):
        await failing(gateway, request_to())
    await gateway.settled()
    assert [passage.use for passage in site.passages] == [Use(8, 2), Use()]


# the circuit


async def test_failures_open_the_circuit_and_then_nothing_is_asked(make: MakeGateway) -> None:
    gateway, wire, site = make((errors.StreamTimeout("past a deadline of the stream"),))
    endpoint = uuid4()
    for _ in range(2):
        await failing(gateway, request_to(endpoint))
    await gateway.settled()
    assert site.endpoints[endpoint].breaker.state is CircuitState.OPEN
    assert isinstance(await failing(gateway, request_to(endpoint)), errors.CircuitOpen)
    assert len(wire.asked) == 2


async def test_one_request_of_all_processes_tries_an_open_circuit(make: MakeGateway) -> None:
    site, more = Memory(), asyncio.Event()
    script = (errors.Unauthorized("the server answered 401"),), (Delta("Kaixo"), more, GOOD[-1])
    one, _, _ = make(*script, memory=site)
    endpoint = uuid4()
    await failing(one, request_to(endpoint))
    await one.settled()
    site.make_due(endpoint)
    gateways = [make(script[1], memory=site) for _ in range(2)]
    readers = [asyncio.create_task(collect(gateway, request_to(endpoint))) for gateway, _, _ in gateways]
    done, trying = await asyncio.wait(readers, return_when=asyncio.FIRST_COMPLETED)
    assert [type(task.exception()) for task in done] == [errors.CircuitOpen]
    assert site.endpoints[endpoint].breaker.state is CircuitState.HALF_OPEN
    more.set()
    (trial,) = trying
    assert (await trial)[-1] == GOOD[-1]
    for gateway, _, _ in gateways:
        await gateway.settled()
    assert site.endpoints[endpoint].breaker.state is CircuitState.CLOSED
    assert sum(len(wire.asked) for _, wire, _ in gateways) == 1
    assert site.claims == 2


@pytest.mark.parametrize(
    ("script", "state"),
    [((BROKEN,), CircuitState.OPEN), ((Delta("Kaixo"), asyncio.Event()), CircuitState.CLOSED)],
    ids=["fails", "is cancelled after its first word"],
)
async def test_how_a_trial_ends_decides(
    make: MakeGateway, script: Sequence[Step], state: CircuitState
) -> None:
    gateway, _, site = make((errors.ModelNotFound("the server answered 404"),), script)
    endpoint = uuid4()
    await failing(gateway, request_to(endpoint))
    await gateway.settled()
    site.make_due(endpoint)
    other, _, _ = make(script, memory=site)
    with suppress(errors.ServerFailed):
        async with aclosing(other.stream(request_to(endpoint))) as events:
            await anext(events)
    await other.settled()
    assert site.endpoints[endpoint].breaker.state is state


async def test_a_trial_that_is_cancelled_before_it_tells_anything_is_given_back(make: MakeGateway) -> None:
    gateway, wire, site = make((errors.Unauthorized("the server answered 401"),))
    endpoint = uuid4()
    await failing(gateway, request_to(endpoint))
    await gateway.settled()
    site.make_due(endpoint)
    other, wire, _ = make((asyncio.Event(),), GOOD, memory=site)
    trial = asyncio.create_task(collect(other, request_to(endpoint)))
    await wire.begun.wait()
    trial.cancel()
    await asyncio.wait([trial])
    await other.settled()
    assert await collect(other, request_to(endpoint)) == list(GOOD)
    await other.settled()
    assert site.endpoints[endpoint].breaker.state is CircuitState.CLOSED


async def test_a_success_clears_the_failures_before_it_and_later_ones_touch_nothing(
    make: MakeGateway,
) -> None:
    gateway, _, site = make((errors.MalformedStream("x"),), GOOD)
    endpoint = uuid4()
    await failing(gateway, request_to(endpoint))
    await gateway.settled()
    assert site.endpoints[endpoint].breaker.failures == 1
    for _ in range(2):
        await until_done(gateway, request_to(endpoint))
        await gateway.settled()
    assert site.endpoints[endpoint].breaker.failures == 0
    told = [passage.verdict for passage in site.passages]
    assert told == [Verdict.FAILED, Verdict.WORKED, Verdict.NOTHING]


@pytest.mark.parametrize("error", [errors.BadRequest("x"), errors.RateLimited("x"), errors.EmptyAnswer("x")])
async def test_what_is_not_the_endpoint_s_fault_opens_no_circuit(
    make: MakeGateway, error: errors.StreamError
) -> None:
    gateway, _, site = make((error,))
    endpoint = uuid4()
    for _ in range(4):
        assert await failing(gateway, request_to(endpoint)) is error
    await gateway.settled()
    assert {passage.verdict for passage in site.passages} == {Verdict.NOTHING}
