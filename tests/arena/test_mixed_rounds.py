"""Two hundred battles with whatever can go wrong, and nothing left behind."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from uuid import UUID

import pytest
from channels.db import database_sync_to_async
from django.db import connection
from django.test import Client

from arena import runner, sessions
from arena.models import Answer, Battle, Turn
from arena.services.campaigns import ensure_default_campaign
from arena.types import AnswerStatus
from inference.fakes import FakeModelServer, Fault, fake_model_server
from inference.models import ModelEndpoint
from inference.providers.openai_compatible import close_clients
from tests.arena.builders import make_candidate, make_participant
from tests.arena.test_fault_matrix import ENDS_WELL, FAILS, QUICK, both_ended
from tests.arena.test_socket import Page, stored

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 200
AT_ONCE = 8
FAULTS = [Fault.NONE, *FAILS, *(each for each in ENDS_WELL if each is not Fault.FLOOD)]
LEAVES = ("reads on", "stops", "closes", "goes on to another battle")


def prepared(servers: tuple[FakeModelServer, ...]) -> None:
    for server in servers:
        make_candidate(base_url=server.base_url)
    ModelEndpoint.objects.update(**QUICK)
    ensure_default_campaign()


def newcomer() -> str:
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
    leave = chance.choice(LEAVES)
    if leave == "stops":
        await page.say("stop")
    if leave == "goes on to another battle":
        runner.current().interrupt(UUID(str(frames[0]["battle"])))
    while leave != "closes" and not both_ended(frames):
        frames.append(await page.next())
    await page.close()


async def test_after_two_hundred_mixed_rounds_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
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
        before = await census()
        async with asyncio.TaskGroup() as group:
            for _ in range(ROUNDS):
                group.create_task(guarded())
        await settled(fresh)
        assert await census() == before
        for server in servers:
            await server.wait_until(live=0)
    assert await stored(unfinished) == (0, 0)


async def settled(fresh: runner.Runner) -> None:
    """Leave what nobody follows, and let what was closed be collected."""
    await fresh.drain()
    await close_clients()


async def census() -> tuple[int, int, int]:
    """Tasks of the loop, sockets of the process, connections of the database."""
    return len(asyncio.all_tasks()), open_sockets(), await stored(database_connections)


def open_sockets() -> int:
    files = (each for each in Path("/proc/self/fd").iterdir() if each.is_symlink())
    return sum(str(each.readlink()).startswith("socket:") for each in files)


def database_connections() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


def unfinished() -> tuple[int, int]:
    """Leases that stand, and answers that never ended."""
    open_answers = [each.value for each in AnswerStatus if not each.ended]
    assert Battle.objects.count() == ROUNDS + 1
    return (
        Turn.objects.exclude(runner_id=None).count(),
        Answer.objects.filter(status__in=open_answers).count(),
    )
