"""The battle's socket: real consumer, real database, a scripted model server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from channels.db import database_sync_to_async
from django.db import connections
from django.test import Client
from django.utils import timezone

from arena import runner, sessions
from arena.asgi import application
from arena.doorkeeper import NO_LONGER_WELCOME
from arena.models import Answer, Battle, Participant, Turn
from arena.protocol import SUBPROTOCOL
from arena.services import turns
from arena.services.campaigns import ensure_default_campaign
from inference import gateway
from inference.fakes import FakeModelServer, Fault, fake_model_server
from tests.arena.builders import make_candidate, make_participant

pytestmark = pytest.mark.django_db(transaction=True)
Frame = dict[str, Any]


@pytest.fixture(autouse=True)
async def own_runner(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    fresh = runner.Runner()
    monkeypatch.setattr(runner, "_runner", fresh)
    yield
    await fresh.drain()
    await gateway.close()
    await sync_to_async(connections.close_all)()  # of the thread in which an AsyncClient's middlewares run


@pytest.fixture
async def servers() -> AsyncIterator[tuple[FakeModelServer, FakeModelServer]]:
    async with fake_model_server(FakeModelServer()) as a, fake_model_server(FakeModelServer()) as b:
        yield a, b


def seeded(servers: tuple[FakeModelServer, FakeModelServer]) -> tuple[Participant, str]:
    for server in servers:
        make_candidate(base_url=server.base_url)
    participant = make_participant(ensure_default_campaign())
    return participant, cookie_of(participant)


def cookie_of(participant: Participant) -> str:
    client = Client()
    session = client.session
    sessions.remember_participant(session, participant.pk)
    session.save()
    return client.cookies["sessionid"].value


class Page:
    """A browser's socket."""

    def __init__(
        self, cookie: str = "", *, origin: str = "http://localhost", protocol: str = SUBPROTOCOL
    ) -> None:
        headers = [(b"origin", origin.encode()), (b"host", b"localhost")]
        if cookie:
            headers.append((b"cookie", f"sessionid={cookie}".encode()))
        scope = {"type": "websocket", "path": "/ws/battle/", "headers": headers, "subprotocols": [protocol]}
        self.socket = ApplicationCommunicator(application, scope | {"query_string": b""})

    async def open(self) -> bool:
        await self.socket.send_input({"type": "websocket.connect"})
        answer = await self.socket.receive_output(timeout=10)
        return bool(answer["type"] == "websocket.accept" and answer["subprotocol"] == SUBPROTOCOL)

    async def send(self, text: str) -> None:
        await self.socket.send_input({"type": "websocket.receive", "text": text})

    async def say(self, kind: str, **fields: Any) -> None:
        await self.send(json.dumps({"type": kind, **fields}))

    async def turn(self, text: str = "Kaixo") -> None:
        await self.say("turn", text=text, key=str(uuid4()))

    async def next(self) -> Frame:
        frame: Frame = json.loads((await self.socket.receive_output(timeout=10))["text"])
        return frame

    async def until(self, wanted: Callable[[Frame], bool]) -> list[Frame]:
        frames = [await self.next()]
        while not wanted(frames[-1]):
            frames.append(await self.next())
        return frames

    async def closed(self) -> int:
        """The code that the site ends it with; what is said before is let by."""
        event = await self.socket.receive_output(timeout=10)
        while event["type"] != "websocket.close":
            event = await self.socket.receive_output(timeout=10)
        return int(event["code"])

    async def is_silent(self) -> bool:
        return bool(await self.socket.receive_nothing(timeout=0.1))

    async def close(self) -> None:
        await self.socket.send_input({"type": "websocket.disconnect", "code": 1001})
        await self.socket.wait(timeout=10)


def is_state(status: str) -> Callable[[Frame], bool]:
    return lambda frame: frame["type"] == "state" and frame["status"] == status


def is_kind(kind: str) -> Callable[[Frame], bool]:
    return lambda frame: frame["type"] == kind


async def opened(servers: tuple[FakeModelServer, FakeModelServer]) -> tuple[Page, str]:
    _, cookie = await database_sync_to_async(seeded)(servers)
    page = Page(cookie)
    assert await page.open()
    return page, cookie


Servers = tuple[FakeModelServer, FakeModelServer]
stored: Callable[[Callable[[], Any]], Awaitable[Any]] = lambda read: database_sync_to_async(read)()  # noqa: E731


async def test_a_battle_from_the_first_frame_to_ready(servers: Servers) -> None:
    page, _ = await opened(servers)
    await page.turn()
    frames = await page.until(is_state("ready"))
    assert [frame["side"] for frame in frames if frame["type"] == "done"] != []
    answers = await stored(lambda: list(Answer.objects.values_list("status", "text", "completion_tokens")))
    assert answers == [("complete", "Kaixo mundua", 2)] * 2
    await page.close()


async def test_a_ban_closes_the_open_socket_to_turns_retries_and_resumes(servers: Servers) -> None:
    page, cookie = await opened(servers)
    await page.turn()
    state = (await page.until(is_state("ready")))[-1]
    await stored(lambda: Participant.objects.update(banned_at=timezone.now()))
    resume = {"battle": state["battle"], "offsets": {"A": 0, "B": 0}}
    for kind, fields in (
        ("turn", {"text": "Gehiago", "key": str(uuid4())}),
        ("retry", {"side": "A"}),
        ("resume", resume),
    ):
        await page.say(kind, **fields)
        assert await page.next() == {"type": "refused", "code": "banned"}, kind
        assert await page.closed() == NO_LONGER_WELCOME
        page = Page(cookie)
        assert await page.open()
    await page.close()


async def test_no_frame_names_anybody(servers: Servers) -> None:
    page, _ = await opened(servers)
    await page.turn()
    text = json.dumps(await page.until(is_state("ready")))
    battle = await stored(lambda: Battle.objects.select_related("candidate_a", "candidate_b").get())
    for candidate in (battle.candidate_a, battle.candidate_b):
        assert candidate.code not in text
        assert candidate.name not in text
        assert str(candidate.pk) not in text
    assert "127.0.0.1" not in text
    await page.close()


async def test_a_failed_side_is_told_and_retried(servers: Servers) -> None:
    servers[0].fault = Fault.BROKEN
    page, _ = await opened(servers)
    await page.turn()
    frames = await page.until(
        lambda f: (
            f["type"] == "state" and {s["status"] for s in f["sides"].values()} == {"complete", "failed"}
        )
    )
    (failure,) = [frame for frame in frames if frame["type"] == "failed"]
    assert failure["code"] == "server"
    servers[0].fault = Fault.NONE
    await page.say("retry", side=failure["side"])
    await page.until(is_state("ready"))
    await page.close()


async def test_stop_keeps_what_was_written(servers: Servers) -> None:
    for server in servers:
        server.gate = asyncio.Event()
    page, _ = await opened(servers)
    await page.turn()
    seen: set[str] = set()
    while seen != {"A", "B"}:
        frame = await page.next()
        if frame["type"] == "render" and frame["open"]:
            seen.add(frame["side"])
    await page.say("stop")
    frames = await page.until(is_state("ready"))
    assert {frame["reason"] for frame in frames if frame["type"] == "done"} == {"stopped"}
    for server in servers:
        await server.wait_until(live=0)
    await page.close()


async def test_a_reload_resumes_where_it_was(servers: Servers) -> None:
    for server in servers:
        server.gate = asyncio.Event()
    page, cookie = await opened(servers)
    await page.turn()
    (first, *_) = await page.until(is_kind("render"))
    await page.close()
    again = Page(cookie)
    assert await again.open()
    await again.say("resume", battle=first["battle"], offsets={"A": 0, "B": 0})
    assert (await again.next())["status"] == "answering"
    for server in servers:
        assert server.gate is not None
        server.gate.set()
    frames = await again.until(is_state("ready"))
    last = {frame["side"]: frame for frame in frames if frame["type"] == "render"}
    assert all(frame["sealed"] == ["<p>Kaixo mundua</p>\n"] for frame in last.values())
    await again.close()


async def test_a_resume_after_the_end_comes_from_the_database(servers: Servers) -> None:
    page, cookie = await opened(servers)
    await page.turn()
    frames = await page.until(is_state("ready"))
    await page.close()
    again = Page(cookie)
    assert await again.open()
    await again.say("resume", battle=frames[-1]["battle"], offsets={"A": 0, "B": 1})
    state = await again.next()
    assert state["status"] == "ready"
    renders = [await again.next() for _ in range(4)]
    assert [f["sealed"] for f in renders if f["type"] == "render"] == [["<p>Kaixo mundua</p>\n"], []]
    await again.close()


@pytest.mark.parametrize("is_live", [True, False], ids=["while it is written", "once it is stored"])
async def test_a_page_that_holds_an_earlier_turn_gets_the_whole_of_the_next(
    servers: Servers, is_live: bool
) -> None:
    """Its line broke after its second message was taken, and before it heard of that."""
    page, cookie = await opened(servers)
    await page.turn()
    await page.until(is_state("ready"))
    for server in servers:
        server.words = ("Bigarren", " erantzuna")
        server.gate = asyncio.Event()
        if not is_live:
            server.gate.set()
    await page.turn()
    state = (await page.until(is_state("answering" if is_live else "ready")))[-1]
    again = Page(cookie)
    assert await again.open()
    held = {"A": 1, "B": 1}
    await again.say("resume", battle=state["battle"], turn=1, offsets=held, attempts=held)
    for server in servers:
        assert server.gate is not None
        server.gate.set()
    frames = await again.until(lambda frame: frame["type"] == "done")
    side = frames[-1]["side"]
    sealed = [
        each
        for frame in frames
        if frame["type"] == "render" and frame["side"] == side
        for each in frame["sealed"]
    ]
    assert "".join(sealed) == "<p>Bigarren erantzuna</p>\n"
    await page.close()
    await again.close()


async def test_what_was_given_up_elsewhere_before_it_ended_is_told_as_it_is_stored(servers: Servers) -> None:
    """A process that is too busy to renew its lease: its page must not wait for a vote on answers that do not count."""
    for server in servers:
        server.gate = asyncio.Event()
    page, _ = await opened(servers)
    await page.turn()
    await page.until(is_state("answering"))
    await stored(lambda: Turn.objects.update(lease_until=timezone.now() - timedelta(seconds=1)))
    assert await stored(turns.reap_turns) == 1
    for server in servers:
        assert server.gate is not None
        server.gate.set()
    failed = (await page.until(is_kind("failed")))[-1]
    assert failed["code"] == "interrupted"
    await page.say("retry", side=failed["side"])
    await page.until(is_state("ready"))
    await page.close()


async def test_leaving_a_battle_cancels_upstream(servers: Servers) -> None:
    for server in servers:
        server.gate = asyncio.Event()
    page, cookie = await opened(servers)
    await page.turn()
    frames = await page.until(is_kind("render"))
    battle = frames[0]["battle"]

    def leave() -> int:
        client = Client()
        client.cookies["sessionid"] = cookie
        return client.post(f"/battle/{battle}/abandon/").status_code

    assert await stored(leave) == 302
    for server in servers:
        await server.wait_until(live=0)
    await page.close()


async def test_a_lost_volunteer_is_waited_for_and_then_given_up(servers: Servers, settings: Any) -> None:
    settings.LEHIA_LEAVE_GRACE_S = 0.2
    for server in servers:
        server.gate = asyncio.Event()
    page, _ = await opened(servers)
    await page.turn()
    await page.until(is_kind("render"))
    await page.close()
    for server in servers:
        await server.wait_until(live=0)
    await runner.current().drain()
    assert await stored(lambda: set(Answer.objects.values_list("status", flat=True))) == {"interrupted"}


async def test_refusals_are_frames(servers: Servers) -> None:
    page, _ = await opened(servers)
    await page.send("not json")
    assert await page.next() == {"type": "refused", "code": "bad_frame"}
    await page.turn("")
    assert (await page.next())["code"] == "empty"
    await page.say("retry", side="A")
    assert (await page.next())["code"] == "not_found"
    await page.say("stop")
    await page.say("resume", battle=str(uuid4()))
    assert (await page.next())["code"] == "not_found"
    await page.close()


async def test_a_stranger_neither_sees_nor_continues_a_battle(servers: Servers) -> None:
    page, _ = await opened(servers)
    await page.turn()
    battle = (await page.until(is_state("ready")))[-1]["battle"]
    stranger = Page()
    assert await stranger.open()
    await stranger.say("resume", battle=battle)
    assert (await stranger.next())["code"] == "not_found"
    await stranger.turn()
    assert (await stranger.next())["code"] == "consent_needed"
    await stranger.close()
    await page.close()


async def test_a_foreign_origin_and_another_protocol_are_turned_away(servers: Servers) -> None:
    assert not await Page(origin="https://adibidea.eus").open()
    assert not await Page(protocol="lehia.v0").open()


async def test_a_resent_frame_opens_one_battle(servers: Servers) -> None:
    page, _ = await opened(servers)
    key = str(uuid4())
    await page.say("turn", text="Kaixo", key=key)
    await page.until(is_state("ready"))
    await page.say("turn", text="Kaixo", key=key)
    assert (await page.next())["status"] == "ready"
    assert await stored(Battle.objects.count) == 1
    await page.close()
