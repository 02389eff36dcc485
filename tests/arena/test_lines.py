"""The battle's line without a socket: the same frames, by requests and server-sent events."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import AsyncClient, Client
from django.urls import reverse
from django.utils import timezone

from arena import runner
from arena.models import Battle, Participant
from arena.protocol import MAX_FRAME_BYTES
from arena.services import battles
from arena.types import Side
from arena.views.lines import END
from inference.database import in_thread
from tests.arena.builders import make_campaign, make_participant, ready_battle
from tests.arena.test_socket import Frame, Page, Servers, cookie_of, is_state, own_runner, seeded, servers
from tests.arena.turns import html_of

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["own_runner", "servers"]
OVER = {"type": "over"}


class Requests:
    """A browser whose sockets are blocked."""

    def __init__(self, cookie: str = "") -> None:
        self.client = AsyncClient()
        self.battle = ""
        if cookie:
            self.client.cookies["sessionid"] = cookie

    def say(self, kind: str, **fields: Any) -> AsyncIterator[Frame]:
        return self.post(json.dumps({"type": kind, **fields}))

    async def post(self, text: str) -> AsyncIterator[Frame]:
        address = reverse("battle_line", args=[self.battle]) if self.battle else reverse("line")
        answer: Any = await self.client.post(address, data=text, content_type="application/json")
        assert answer.headers["Content-Type"] == "text/event-stream"
        async with aclosing(aiter(answer.streaming_content)) as events:
            async for event in events:
                frame = OVER if event == END else json.loads(event.removeprefix(b"data: "))
                self.battle = frame.get("battle", self.battle)
                yield frame

    async def all(self, kind: str, **fields: Any) -> list[Frame]:
        frames = [frame async for frame in self.say(kind, **fields)]
        assert frames.pop() == OVER
        return frames

    async def turn(self) -> list[Frame]:
        return await self.all("turn", text="Kaixo", key=str(uuid4()))


@pytest.fixture
async def blocked(servers: Servers) -> Requests:
    _, cookie = await in_thread(seeded)(servers)
    return Requests(cookie)


def cookie(page: Requests) -> str:
    return str(page.client.cookies["sessionid"].value)


async def test_both_ways_tell_the_same(servers: Servers, blocked: Requests) -> None:
    for server in servers:
        server.gate = asyncio.Event()
    socket = Page(cookie(blocked))
    assert await socket.open()
    await socket.turn()
    (first,) = await socket.until(is_state("answering"))
    resume = {"battle": first["battle"], "offsets": {"A": 0, "B": 0}}
    told = asyncio.create_task(blocked.all("resume", **resume))
    for server in servers:
        await server.wait_until(live=1)
        assert server.gate is not None
        server.gate.set()
    by_socket = [first, *await socket.until(is_state("ready"))]
    by_requests = await told
    for side in Side:
        assert html_of(by_socket, side) == html_of(by_requests, side) == "<p>Kaixo mundua</p>\n"
    assert by_socket[-1] == by_requests[-1]
    await socket.say("resume", **resume)
    stored = [await socket.next() for _ in range(5)]
    assert stored == await blocked.all("resume", **resume)
    await socket.close()


async def test_a_battle_by_requests_goes_on_for_another_turn(blocked: Requests) -> None:
    assert (await blocked.turn())[-1]["status"] == "ready"
    assert (await blocked.turn())[-1]["turn"] == 2
    assert await in_thread(Battle.objects.count)() == 1


async def test_a_stop_comes_by_a_request_of_its_own(servers: Servers, blocked: Requests) -> None:
    for server in servers:
        server.gate = asyncio.Event()
    shown: set[str] = set()
    frames = []
    async for frame in blocked.say("turn", text="Kaixo", key=str(uuid4())):
        frames.append(frame)
        if frame["type"] == "render" and frame["open"] and len(shown | {frame["side"]}) > len(shown):
            shown.add(frame["side"])
            if len(shown) == 2:
                assert await blocked.all("stop") == []
    assert {frame["reason"] for frame in frames if frame["type"] == "done"} == {"stopped"}


async def test_who_leaves_is_no_follower_any_more_and_resumes_from_what_is_held(
    servers: Servers, blocked: Requests
) -> None:
    for server in servers:
        server.gate = asyncio.Event()
    shown = asyncio.Event()

    async def read() -> None:
        async for frame in blocked.say("turn", text="Kaixo", key=str(uuid4())):
            if frame["type"] == "render":
                shown.set()

    reading = asyncio.create_task(read())
    await shown.wait()
    reading.cancel()  # as the server does when the browser goes
    await asyncio.wait([reading])
    battle = await in_thread(Battle.objects.get)()
    live = runner.current().find(battle.pk)
    assert live is not None
    assert live.followers == 0
    told = asyncio.create_task(blocked.all("resume", battle=str(battle.pk), offsets={"A": 0, "B": 0}))
    for server in servers:
        assert server.gate is not None
        server.gate.set()
    assert html_of(await told, Side.A) == "<p>Kaixo mundua</p>\n"


async def test_a_message_of_a_browser_that_goes_at_once_is_answered(
    blocked: Requests, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, gone, begin = threading.Event(), threading.Event(), battles.begin_turn

    def slow(**given: Any) -> battles.Begun:
        asked.set()
        gone.wait()
        return begin(**given)

    monkeypatch.setattr(battles, "begin_turn", slow)
    reading = asyncio.create_task(blocked.turn())
    await asyncio.to_thread(asked.wait)
    reading.cancel()
    await asyncio.wait([reading])
    gone.set()
    begun: list[UUID] = []
    while not begun:
        begun = await in_thread(lambda: list(Battle.objects.values_list("pk", flat=True)))()
    frames = await blocked.all("resume", battle=str(begun[0]), offsets={"A": 0, "B": 0})
    assert frames[0]["type"] == "state"
    assert html_of(frames, Side.B) == "<p>Kaixo mundua</p>\n"


@pytest.mark.parametrize(
    ("say", "code"),
    [
        (lambda: "no frame", "bad_frame"),
        (lambda: json.dumps({"type": "turn", "text": "", "key": str(uuid4())}), "empty"),
        (lambda: json.dumps({"type": "retry", "side": "A"}), "not_found"),
        (lambda: json.dumps({"type": "resume", "battle": str(uuid4())}), "not_found"),
        (lambda: " " * (MAX_FRAME_BYTES + 1), "bad_frame"),
    ],
)
async def test_refusals_are_the_same_frames(blocked: Requests, say: Callable[[], str], code: str) -> None:
    assert [frame async for frame in blocked.post(say())] == [{"type": "refused", "code": code}, OVER]


async def test_a_stranger_neither_sees_nor_continues_a_battle(blocked: Requests) -> None:
    battle = (await blocked.turn())[-1]["battle"]
    stranger = Requests(await in_thread(lambda: cookie_of(make_participant()))())
    frames = {"resume": {"battle": battle}, "retry": {"side": "A"}, "stop": {}, "turn": {"text": "a"}}
    for kind, fields in frames.items():
        stranger.battle = battle
        key = {"key": str(uuid4())} if kind == "turn" else {}
        (refusal,) = await stranger.all(kind, **fields, **key)
        assert refusal["code"] == "not_found"


def test_a_request_needs_the_pages_token_and_a_frame(client: Client) -> None:
    battle = ready_battle(make_participant(make_campaign()))
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(reverse("line"), "{}", content_type="application/json").status_code == 403
    assert client.get(reverse("battle_line", args=[battle.pk])).status_code == 405


async def test_who_is_banned_is_told_so(blocked: Requests) -> None:
    battle = (await blocked.turn())[-1]["battle"]
    await in_thread(lambda: Participant.objects.update(banned_at=timezone.now()))()
    for kind, fields in (("resume", {"battle": battle}), ("turn", {"text": "a", "key": str(uuid4())})):
        assert await blocked.all(kind, **fields) == [{"type": "refused", "code": "banned"}]


async def test_no_event_names_anybody(blocked: Requests) -> None:
    text = json.dumps(await blocked.turn())
    battle = await in_thread(Battle.objects.select_related("candidate_a", "candidate_b").get)()
    for candidate in (battle.candidate_a, battle.candidate_b):
        assert not [word for word in (candidate.code, candidate.name, str(candidate.pk)) if word in text]
    assert "127.0.0.1" not in text
