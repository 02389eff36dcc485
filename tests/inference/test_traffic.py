"""What goes through the gateway, as the database keeps it: requests, use, circuits."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from channels.db import database_sync_to_async
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from inference import database, errors, gateway, selectors
from inference.breaker import Breaker, Verdict
from inference.budgets import Prices, Use
from inference.database import MOST_THREADS
from inference.fakes import FakeModelServer, Fault, fake_model_server
from inference.gateway import Gateway
from inference.models import Circuit, EndpointUsage, Generation, UserUsage
from inference.processes import wait_until
from inference.selectors.traffic import breaker_of
from inference.services import traffic
from inference.services.traffic import POLICY, DatabaseTraffic
from inference.types import CircuitState, Done, GenerationRequest
from tests.inference.endpoints import breaker_now, fail, make_endpoint, open_circuit, passage
from tests.inference.scripted import Step, Wire, request_to
from tests.valkey import Valkey

READ = database_sync_to_async

# writing


@pytest.mark.django_db
def test_requests_and_their_use_are_one_round_trip(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    one, other = make_endpoint(), make_endpoint()
    prices = Prices(Decimal(1), Decimal(10))
    with django_assert_num_queries(1):
        traffic.record(
            [
                passage(one.pk, use=Use(5, 20), prices=prices),
                passage(one.pk, use=Use(6, 30), prices=prices, user="jon", completion_tokens=None),
                passage(other.pk, use=Use(7, 40), queued_ms=250),
            ]
        )
    assert Generation.objects.count() == 3
    used = EndpointUsage.objects.get(endpoint=one)
    assert (used.requests, used.prompt_tokens, used.completion_tokens) == (2, 11, 50)
    assert used.cost == Decimal("0.000511")
    assert {each.user: each.tokens for each in UserUsage.objects.all()} == {"ane": 25 + 47, "jon": 36}
    traffic.record([passage(one.pk, use=Use(1, 1), prices=prices)])
    used.refresh_from_db()
    assert (used.requests, used.prompt_tokens, used.completion_tokens) == (3, 12, 51)
    assert used.cost == Decimal("0.000522")
    assert selectors.tokens_used_today("ane") == 25 + 47 + 2


@pytest.mark.django_db
def test_a_request_s_row_tells_what_is_known_of_it_and_no_text() -> None:
    endpoint = make_endpoint()
    stored = passage(endpoint.pk, outcome="timeout", first_token_ms=None, attempts=3, completion_tokens=None)
    traffic.record([stored])
    row = Generation.objects.get()
    assert (row.request_id, row.outcome, row.attempts) == (stored.request_id, "timeout", 3)
    assert (row.first_token_ms, row.completion_tokens, row.prompt_tokens) == (None, None, 5)
    assert row.ended_at == stored.ended_at
    assert {field.name for field in Generation._meta.fields} == {
        *("id", "endpoint", "request_id", "ended_at", "outcome", "attempts", "queued_ms"),
        *("first_token_ms", "duration_ms", "prompt_tokens", "completion_tokens"),
    }


@pytest.mark.django_db
def test_an_endpoint_that_is_gone_takes_nothing_else_with_it() -> None:
    endpoint = make_endpoint()
    gone = passage(uuid4(), verdict=Verdict.FAILED)
    assert traffic.record([gone, passage(endpoint.pk)]) == {}
    assert [row.endpoint_id for row in Generation.objects.all()] == [endpoint.pk]
    assert EndpointUsage.objects.get().endpoint_id == endpoint.pk


@pytest.mark.django_db
def test_what_was_never_sent_has_a_row_and_no_use() -> None:
    endpoint = make_endpoint()
    refused = passage(endpoint.pk, outcome="queue_full", attempts=0, use=Use(), first_token_ms=None)
    traffic.record([refused])
    assert Generation.objects.get().outcome == "queue_full"
    assert not EndpointUsage.objects.exists()
    assert not UserUsage.objects.exists()


@pytest.mark.django_db
def test_a_day_ends_at_midnight_in_utc() -> None:
    endpoint = make_endpoint()
    late = datetime(2026, 11, 25, 23, 59, 59, tzinfo=UTC)
    traffic.record(
        [
            passage(endpoint.pk, ended_at=late),
            passage(endpoint.pk, ended_at=late + timedelta(seconds=1)),
        ]
    )
    assert [str(each.day) for each in EndpointUsage.objects.order_by("day")] == ["2026-11-25", "2026-11-26"]
    assert UserUsage.objects.count() == 2


@pytest.mark.django_db(transaction=True)
async def test_many_processes_may_write_the_same_days_at_once() -> None:
    endpoints = [await READ(make_endpoint)() for _ in range(4)]
    site = DatabaseTraffic()
    batches = [
        [passage(each.pk, user=user) for each in order for user in users]
        for order in (endpoints, endpoints[::-1])
        for users in (("ane", "jon"), ("jon", "ane"))
    ] * 5
    await asyncio.gather(*(site.record(batch) for batch in batches))
    requests = await READ(lambda: [each.requests for each in EndpointUsage.objects.all()])()
    assert requests == [40] * 4
    assert await READ(selectors.tokens_used_today)("ane") == 4 * 20 * 25


def somebody_waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
def test_processes_that_write_the_same_days_lock_them_in_the_same_order() -> None:
    first, last = sorted((make_endpoint() for _ in range(2)), key=lambda endpoint: endpoint.pk)
    traffic.record([passage(first.pk), passage(last.pk)])
    writer = threading.Thread(
        target=asyncio.run, args=(DatabaseTraffic().record([passage(last.pk), passage(first.pk)]),)
    )
    with transaction.atomic():
        EndpointUsage.objects.select_for_update().get(endpoint=first)
        writer.start()
        assert wait_until(somebody_waits_for_a_lock, within_s=20)
        # the other waits for the first row and has not locked the last one yet
        assert EndpointUsage.objects.select_for_update(nowait=True).get(endpoint=last)
    writer.join()
    assert [each.requests for each in EndpointUsage.objects.all()] == [2, 2]


@pytest.mark.django_db
def test_rows_older_than_a_week_are_pruned_and_what_endpoints_used_is_kept() -> None:
    endpoint, now = make_endpoint(), timezone.now()
    for days in (0, 6, 8):
        traffic.record([passage(endpoint.pk, ended_at=now - timedelta(days=days))])
    assert traffic.prune() == 1
    assert Generation.objects.count() == 2
    assert UserUsage.objects.count() == 2
    assert EndpointUsage.objects.count() == 3
    assert traffic.prune(now=now + timedelta(days=30)) == 2


# circuits


@pytest.mark.django_db
def test_failures_open_the_circuit_s_row_and_a_trial_closes_it(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="inference.services.traffic")
    endpoint = make_endpoint()
    fail(endpoint, times=POLICY.threshold - 1)
    assert Circuit.objects.get().state == CircuitState.CLOSED.value
    fail(endpoint)
    row = Circuit.objects.get()
    assert (row.state, row.failures) == (CircuitState.OPEN.value, POLICY.threshold)
    assert row.retry_at is not None
    assert f"the circuit of endpoint {endpoint.pk} opens" in caplog.text
    breaker = breaker_now(endpoint)
    until = timezone.now() + timedelta(minutes=1)
    assert traffic.claim_trial(endpoint.pk, breaker, until)
    assert not traffic.claim_trial(endpoint.pk, breaker, until)  # another process was quicker
    moved = traffic.record([passage(endpoint.pk, verdict=Verdict.WORKED, trial=True)])
    assert moved == {endpoint.pk: Breaker()}
    row.refresh_from_db()
    assert breaker_of(row) == Breaker()
    assert f"the circuit of endpoint {endpoint.pk} closes" in caplog.text


@pytest.mark.django_db
def test_the_pause_grows_with_each_trial_that_fails() -> None:
    endpoint = make_endpoint()
    fail(endpoint, verdict=Verdict.REFUSED)
    pauses = []
    for _ in range(3):
        breaker = breaker_now(endpoint)
        assert traffic.claim_trial(endpoint.pk, breaker, timezone.now() + timedelta(minutes=1))
        traffic.record([passage(endpoint.pk, outcome="connect", verdict=Verdict.FAILED, trial=True)])
        row = Circuit.objects.get()
        assert row.retry_at is not None
        pauses.append(round((row.retry_at - timezone.now()) / POLICY.pause))
    assert pauses == [2, 4, 8]


@pytest.mark.django_db
def test_no_row_is_made_or_written_while_all_is_well(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    endpoint = make_endpoint()
    with django_assert_num_queries(1):
        assert traffic.record([passage(endpoint.pk)] * 3) == {}
    assert not Circuit.objects.exists()


@pytest.mark.django_db(transaction=True)
async def test_failures_of_several_processes_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traffic, "POLICY", replace(POLICY, threshold=1000))
    endpoint = await READ(make_endpoint)()
    failure = passage(endpoint.pk, outcome="server", verdict=Verdict.FAILED)
    await asyncio.gather(*(DatabaseTraffic().record([failure]) for _ in range(60)))
    row = await READ(Circuit.objects.get)()
    assert (row.state, row.failures) == (CircuitState.CLOSED.value, 60)


@pytest.mark.django_db(transaction=True)
async def test_only_one_of_many_claims_of_a_trial_is_granted() -> None:
    endpoint = await READ(make_endpoint)()
    await READ(open_circuit)(endpoint, due=True)
    breaker = (await DatabaseTraffic().standings([endpoint.pk]))[endpoint.pk].breaker
    until = timezone.now() + timedelta(minutes=1)
    claims = await asyncio.gather(
        *(DatabaseTraffic().claim_trial(endpoint.pk, breaker, until) for _ in range(8))
    )
    assert sorted(claims) == [False] * 7 + [True]


# the whole way: real servers, the database, Valkey


@pytest.fixture
async def plugged(valkey: Valkey) -> AsyncIterator[None]:
    gateway.plug(DatabaseTraffic(), valkey_url=valkey.url)
    yield
    await gateway.close()


async def request_through(server: FakeModelServer, **fields: Any) -> GenerationRequest:
    endpoint = await READ(make_endpoint)(base_url=server.base_url, **fields)
    return request_to(endpoint.pk, base_url=server.base_url)


@pytest.mark.django_db(transaction=True)
async def test_an_answer_is_accounted_for_in_the_database(plugged: None) -> None:
    async with fake_model_server(FakeModelServer()) as server:
        request = await request_through(server, completion_price=Decimal(100_000))
        async with aclosing(gateway.stream(request)) as events:
            async for event in events:
                if isinstance(event, Done):
                    break
        await gateway.settled()
    row = await READ(Generation.objects.get)()
    assert (row.request_id, row.outcome) == (request.request_id, "done")
    assert (row.prompt_tokens, row.completion_tokens) == (5, 2)
    used = await READ(EndpointUsage.objects.get)()
    assert (used.requests, used.cost) == (1, Decimal("0.2"))
    assert await READ(selectors.tokens_used_today)("ane") == 7


@pytest.mark.django_db(transaction=True)
async def test_a_server_that_refuses_its_key_is_left_alone(plugged: None) -> None:
    async with fake_model_server(FakeModelServer(fault=Fault.UNAUTHORIZED)) as server:
        request = await request_through(server)
        with pytest.raises(errors.Unauthorized):
            await anext(gateway.stream(request))
        await gateway.settled()
        with pytest.raises(errors.CircuitOpen):
            await anext(gateway.stream(request))
    assert server.requests == 1
    assert await READ(selectors.servable_candidates)() == []


@pytest.mark.django_db(transaction=True)
async def test_two_processes_agree_on_a_circuit() -> None:
    endpoint = await READ(make_endpoint)()
    script: list[Step] = [errors.ModelNotFound("the server answered 404")]
    one, wire = Gateway(traffic=DatabaseTraffic(), source=Wire([script]).stream), Wire()
    other = Gateway(traffic=DatabaseTraffic(), source=wire.stream)
    with pytest.raises(errors.ModelNotFound):
        await anext(one.stream(request_to(endpoint.pk)))
    await one.settled()
    with pytest.raises(errors.CircuitOpen):
        await anext(other.stream(request_to(endpoint.pk)))
    assert wire.asked == []
    for each in (one, other):
        await each.close()


@pytest.mark.django_db(transaction=True)
async def test_a_database_that_fails_costs_no_answer(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(*args: object) -> None:
        raise DatabaseError("away")

    for name in ("standings_of", "record"):
        monkeypatch.setattr(traffic, name, away)
    served = Gateway(traffic=DatabaseTraffic(), source=Wire().stream)
    events = [event async for event in served.stream(request_to())]
    await served.settled()
    await served.close()
    assert isinstance(events[-1], Done)
    assert "could not be read" in caplog.text
    assert "1 requests could not be recorded" in caplog.text


@pytest.mark.django_db(transaction=True)
async def test_a_trial_that_cannot_be_claimed_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: object) -> None:
        raise DatabaseError("away")

    monkeypatch.setattr(traffic, "claim_trial", away)
    assert not await DatabaseTraffic().claim_trial(uuid4(), Breaker(), timezone.now())


@pytest.mark.django_db(transaction=True)
async def test_no_thread_keeps_a_connection_to_the_database(plugged: None) -> None:
    async with fake_model_server(FakeModelServer()) as server:
        request = await request_through(server)
        for number in range(5):
            assert [event async for event in gateway.stream(replace(request, request_id=f"eskaera-{number}"))]
            await gateway.settled()
    loop, all_here = asyncio.get_running_loop(), threading.Barrier(MOST_THREADS)

    def is_open() -> bool:
        all_here.wait(10)  # one question to each thread
        return connection.connection is not None

    asked = [loop.run_in_executor(database._threads, is_open) for _ in range(MOST_THREADS)]
    assert not any(await asyncio.gather(*asked))
