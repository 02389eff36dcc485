"""200 requests, real servers with faults, Valkey and the database, readers that leave at any moment: nothing is left of them."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from uuid import uuid4

import pytest
from channels.db import database_sync_to_async

from inference import errors
from inference.fakes import FakeModelServer, Fault, fake_model_server
from inference.gateway import Gateway
from inference.models import EndpointUsage, Generation, ModelEndpoint, UserUsage
from inference.queue.terms import Terms
from inference.services.traffic import DatabaseTraffic
from inference.types import Deadlines, Done, GenerationRequest
from tests.inference.asking import held, released
from tests.inference.endpoints import make_endpoint
from tests.inference.scripted import request_to
from tests.valkey import Valkey, left

pytestmark = pytest.mark.django_db(transaction=True)
QUICK = Deadlines(connect_s=5, first_token_s=1, between_tokens_s=1, total_s=10)
FAULTS = [Fault.BROKEN, Fault.DIES, Fault.HANGS_FIRST, Fault.HANGS_BETWEEN, Fault.GARBAGE, Fault.RATE_LIMITED]


@pytest.fixture
async def server() -> AsyncIterator[FakeModelServer]:
    """Every fifth request meets a fault."""
    rng = random.Random(2)
    script = [rng.choice(FAULTS) if rng.random() < 0.2 else Fault.NONE for _ in range(600)]
    words = tuple(f" hitz{number}" for number in range(40))
    async with fake_model_server(FakeModelServer(words=words, script=script, rate=400)) as running:
        yield running


async def read(gateway: Gateway, request: GenerationRequest, leaves_after: int | None) -> str:
    """How the request ended for its reader, who may leave after some events."""
    seen = 0
    try:
        async with aclosing(gateway.stream(request)) as events:
            async for event in events:
                if isinstance(event, Done):
                    return "done"
                seen += 1
                if seen == leaves_after:
                    return "cancelled"
    except errors.StreamError as error:
        return error.code.value
    raise AssertionError("a stream without an end")


def rows() -> tuple[Counter[str], int, set[str]]:
    outcomes = Counter(Generation.objects.values_list("outcome", flat=True))
    asked = sum(EndpointUsage.objects.values_list("requests", flat=True))
    return outcomes, asked, set(UserUsage.objects.values_list("user", flat=True))  # two rows each at midnight


async def storm(
    gateways: list[Gateway], requests: list[GenerationRequest], rng: random.Random
) -> Counter[str]:
    """All of them, a third cancelled from outside and a third left by their readers."""
    tasks = []
    for number, request in enumerate(requests):
        leaves_after = rng.randrange(1, 40) if number % 3 == 0 else None
        tasks.append(asyncio.create_task(read(gateways[number % 2], request, leaves_after)))
        if number % 3 == 1:
            asyncio.get_running_loop().call_later(rng.random() / 2, tasks[-1].cancel)
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    return Counter(each if isinstance(each, str) else "cancelled" for each in ended)


async def test_200_requests_leave_no_ticket_slot_task_or_socket_and_every_row(
    server: FakeModelServer, valkey: Valkey
) -> None:
    make = database_sync_to_async(make_endpoint)
    endpoints: list[ModelEndpoint] = [await make(base_url=server.base_url) for _ in range(4)]
    before, rng = held(), random.Random(8)
    patient = Terms(
        answer_s=30
    )  # what a busy machine's Valkey forgot is freed by its time, not by the gateway
    gateways = [Gateway(traffic=DatabaseTraffic(), valkey_url=valkey.url, terms=patient) for _ in range(2)]
    plain = request_to(base_url=server.base_url, room=5, deadlines=QUICK)
    requests = [
        replace(
            plain,
            target=replace(plain.target, endpoint_id=endpoints[number % 4].pk),
            request_id=f"eskaera-{uuid4()}",
            user=f"erabiltzaile-{number % 9}",
        )
        for number in range(200)
    ]
    ended = await storm(gateways, requests, rng)
    for gateway in gateways:
        await gateway.settled()
    for endpoint in endpoints:
        assert await left(valkey, str(endpoint.pk)) == {}
    await server.wait_until(live=0)
    for gateway in gateways:
        await gateway.close()
    await released(before)
    outcomes, asked, users = await database_sync_to_async(rows)()
    assert outcomes.total() == 200 == ended.total()
    assert outcomes["done"] >= ended["done"] > 20  # a reader may be cancelled when it has its answer
    assert ended["cancelled"] > 40
    assert 0 < asked <= 200
    assert set() < users <= {request.user for request in requests}
