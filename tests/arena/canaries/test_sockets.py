"""Planted words are in no frame of a socket that is somebody else's."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
from channels.db import database_sync_to_async

from arena import runner
from arena.models import Battle, Participant
from inference import gateway
from tests.arena.builders import make_participant
from tests.arena.canaries.world import World, leaks
from tests.arena.test_socket import Frame, Page, cookie_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
async def own_runner(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    fresh = runner.Runner()
    monkeypatch.setattr(runner, "_runner", fresh)
    yield
    await fresh.drain()
    await gateway.close()


def battles(world: World) -> list[str]:
    return [
        str(each) for each in (world.planted.voted.pk, world.planted.running.battle_id, world.published.pk)
    ]


async def asked_for(page: Page, battle: str) -> list[Frame]:
    """What a socket is sent that resumes a battle which is not its own, and goes on with it all the same."""
    frames = []
    for kind, said in (
        ("resume", {"battle": battle, "offsets": {"A": 0, "B": 0}}),
        ("retry", {"side": "A"}),
        ("retry", {"side": "B"}),
    ):
        await page.say(kind, **said)
        frames.append(await page.next())
    return frames


async def test_a_socket_of_somebody_else_is_refused_and_told_nothing(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    stranger: Participant = await database_sync_to_async(make_participant)()
    for other in (stranger, world.planted.judge, None):
        page = Page(await database_sync_to_async(cookie_of)(other) if other else "")
        assert await page.open()
        for battle in battles(world):
            frames = await asked_for(page, battle)
            assert {frame["type"] for frame in frames} == {"refused"}
            assert leaks(json.dumps(frames, ensure_ascii=False)) == []
        await page.close()
    assert leaks(caplog.text) == []


async def test_whose_battle_it_is_is_shown_it_so_that_there_was_something_to_see(world: World) -> None:
    page = Page(world.planted.client.cookies["sessionid"].value)
    assert await page.open()
    await page.say("resume", battle=battles(world)[0], offsets={"A": 0, "B": 0})
    frames = await page.until(lambda frame: frame["type"] == "render" and frame["side"] == "A")
    assert leaks(json.dumps(frames, ensure_ascii=False))
    await page.close()


async def test_a_copy_that_was_given_to_judge_names_nobody(world: World) -> None:
    """Who judges reads the texts, and learns of nobody whose they are."""
    page = Page(await database_sync_to_async(cookie_of)(world.planted.judge))
    assert await page.open()
    pair: Battle = await database_sync_to_async(Battle.objects.get)(origin=world.planted.voted)
    await page.say("resume", battle=str(pair.pk), offsets={"A": 0, "B": 0})
    frames = [await page.next()]
    said = json.dumps(frames, ensure_ascii=False)
    assert str(world.planted.participant.pk) not in said
    assert str(world.planted.voted.pk) not in said
    assert leaks(said) == []
    await page.close()
