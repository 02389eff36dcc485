"""Many battles with whatever can go wrong, and nothing left behind."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from uuid import UUID

import pytest
import redis
from channels.db import database_sync_to_async
from django.db import connection
from django.test import Client
from pytest_django import Settings

from arena import runner, sessions
from arena.models import Answer, Battle, Turn
from arena.observing import notes
from arena.services.campaigns import ensure_default_campaign
from arena.types import AnswerStatus
from inference import gateway
from inference.fakes import FakeModelServer, Fault, fake_model_server
from inference.models import Circuit, ModelEndpoint
from inference.services.traffic import DatabaseTraffic, plug_in
from tests.arena.builders import make_candidate, make_participant
from tests.arena.test_fault_matrix import ENDS_WELL, FAILS, QUICK, both_ended
from tests.arena.test_socket import Page, stored
from tests.inference.asking import held
from tests.valkey import Valkey, running

pytestmark = pytest.mark.django_db(transaction=True)

AT_ONCE = 12
FAULTS = [Fault.NONE, *FAILS, *(each for each in ENDS_WELL if each is not Fault.FLOOD)]
LEAVES = ("reads on", "stops", "closes", "goes on to another battle")


def prepared(servers: tuple[FakeModelServer, ...]) -> None:
    for server in servers:
        make_candidate(base_url=server.base_url)
    ModelEndpoint.objects.update(
        **QUICK | {"first_token_s": 0.3, "between_tokens_s": 0.3, "total_s": 1.0}, max_in_flight=6
    )
    ensure_default_campaign()


def close_circuits() -> None:
    """Four endpoints that fail all the time would soon be left alone."""
    Circuit.objects.all().delete()


def newcomer() -> str:
    close_circuits()
    participant = make_participant()
    client = Client()
    session = client.session
    sessions.remember_participant(session, participant.pk)
    session.save()
    return client.cookies["sessionid"].value


async def one_round(servers: tuple[FakeModelServer, ...], chance: random.Random) -> None:
    for server in servers:
        server.script.append(chance.choice(FAULTS))
    page = Page(await database_sync_to_async(newcomer)())
    assert await page.open()
    await page.turn()
    frames = [await page.next()]
    while frames[0]["type"] == "refused":  # three of four circuits have just opened
        await database_sync_to_async(close_circuits)()
        await page.turn()
        frames = [await page.next()]
    leave = chance.choice(LEAVES)
    if leave == "stops":
        await page.say("stop")
    if leave == "goes on to another battle":
        runner.current().interrupt(UUID(str(frames[0]["battle"])))
    while leave != "closes" and not both_ended(frames):
        frames.append(await page.next())
    await page.close()


@pytest.fixture
def valkey(settings: Settings) -> Iterator[Valkey]:
    with running() as server:
        settings.REDIS_URL = server.url
        gateway.plug(DatabaseTraffic(), valkey_url=server.url)
        yield server
    plug_in()


@pytest.mark.parametrize("rounds", [30, pytest.param(200, marks=pytest.mark.slow)])
async def test_after_many_mixed_rounds_nothing_is_left(
    monkeypatch: pytest.MonkeyPatch, valkey: Valkey, rounds: int
) -> None:
    servers = tuple(FakeModelServer(remembers=False, pause_s=0.01) for _ in range(4))
    chance = random.Random(55)
    turnstile = asyncio.Semaphore(AT_ONCE)

    async def guarded() -> None:
        async with turnstile:
            await one_round(servers, chance)

    async with (
        fake_model_server(servers[0]),
        fake_model_server(servers[1]),
        fake_model_server(servers[2]),
        fake_model_server(servers[3]),
    ):
        await stored(lambda: prepared(servers))
        fresh = runner.Runner()
        monkeypatch.setattr(runner, "_runner", fresh)
        await guarded()  # what is opened once and kept is there now
        await settled(fresh)
        await stored(lambda: notes.client().ping())  # errors are noted there; its connection is kept
        before = await census()
        async with asyncio.TaskGroup() as group:
            for _ in range(rounds):
                group.create_task(guarded())
        await settled(fresh)
        assert await census() == before
        for server in servers:
            await server.wait_until(live=0)
    assert await stored(unfinished) == (rounds + 1, 0, 0)
    assert held_in(valkey) == []


async def settled(fresh: runner.Runner) -> None:
    """Leave what nobody follows, and write down what it came to."""
    await fresh.drain()
    await gateway.settled()
    await gateway.close()


async def census() -> tuple[int, int, int, int]:
    """Tasks of the loop, sockets of the process, connections taken from the pool, transactions left open."""
    return *held(), *await stored(database_connections)


def database_connections() -> tuple[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in %'"
        )
        in_transaction = int(cursor.fetchone()[0])
        stats = connection.pool.get_stats()  # type: ignore[attr-defined]  # of the backend for PostgreSQL
    return stats["pool_size"] - stats["pool_available"], in_transaction


def unfinished() -> tuple[int, int, int]:
    """Battles, leases that stand, and answers that never ended."""
    open_answers = [each.value for each in AnswerStatus if not each.ended]
    return (
        Battle.objects.count(),
        Turn.objects.exclude(runner_id=None).count(),
        Answer.objects.filter(status__in=open_answers).count(),
    )


def held_in(valkey: Valkey) -> list[bytes]:
    """Slots, places in queues, and streams of turns that nobody would ever trim."""
    with redis.Redis.from_url(valkey.url) as client:
        kept = notes.ERRORS.encode()  # so many of them at most
        found: list[bytes] = [key for key in client.scan_iter() if client.ttl(key) < 0 and key != kept]
        return found
