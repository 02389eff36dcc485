"""Two real processes of the site beside each other: what one of them answers, pages follow through both."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import aiohttp
import pytest
from channels.db import database_sync_to_async
from django.db import connection
from django.utils import timezone

from arena import transcript
from arena.embedded.ports import free_port, listens
from arena.embedded.processes import end, spawn
from arena.models import Answer, Participant, Turn
from arena.protocol import SUBPROTOCOL, ServerFrame
from arena.services.campaigns import ensure_default_campaign
from arena.services.people import prefer_display
from arena.types import Display, Side
from inference.fakes import FakeModelServer, fake_model_server
from inference.models import ModelEndpoint
from inference.processes import wait_until
from tests.arena.builders import make_candidate, make_participant
from tests.arena.test_socket import cookie_of
from tests.arena.turns import PageSide
from tests.valkey import Valkey, running

pytestmark = pytest.mark.django_db(transaction=True)

BATTLES = 20
RECONNECTS = 10
WORDS = 60
SERVICE_RESTART = 1012
CHANCE = random.Random(2026)


@dataclass(frozen=True)
class Site:
    address: str
    process: subprocess.Popen[bytes]


@pytest.fixture(scope="module")
def valkey() -> Iterator[Valkey]:
    with running() as server:
        yield server


@pytest.fixture(scope="module")
def sites(django_db_setup: None, repository: Path, valkey: Valkey) -> Iterator[list[Site]]:
    with serving(repository, valkey, count=2) as made:
        yield made


@contextmanager
def serving(repository: Path, valkey: Valkey, count: int, drain_s: int = 30) -> Iterator[list[Site]]:
    made = [started(repository, valkey.url, drain_s) for _ in range(count)]
    try:
        for site in made:
            port = int(site.address.rpartition(":")[2])
            assert wait_until(lambda: listens(port), within_s=60)  # noqa: B023  # asked within the turn
        yield made
    finally:
        for site in made:
            end(site.process)


def started(repository: Path, valkey_url: str, drain_s: int) -> Site:
    """A process of the site on the tests' database."""
    database = connection.settings_dict
    port = free_port()
    env = {
        "DATABASE_URL": f"postgresql://{database['USER']}@localhost/{database['NAME']}?host={database['HOST']}",
        "REDIS_URL": valkey_url,
        "LEHIA_DRAIN_S": str(drain_s),
    }
    argv = [
        *(sys.executable, "-m", "arena.serve", "--port", str(port)),
    ]
    process = spawn(argv, env=env, output=subprocess.DEVNULL, cwd=repository)
    return Site(f"http://127.0.0.1:{port}", process)


class Turnstile(asyncio.Event):
    """A gate that lets so many words through, in the order in which their streams came."""

    def __init__(self) -> None:
        super().__init__()
        self._permits = asyncio.Semaphore(0)
        self._comers = asyncio.Semaphore(0)

    def let_through(self, count: int) -> None:
        for _ in range(count):
            self._permits.release()

    async def until_all_wait(self, streams: int) -> None:
        """From then on what is let through is shared evenly; to be called before anything is."""
        for _ in range(streams):
            await self._comers.acquire()

    async def wait(self) -> bool:  # type: ignore[override]  # the literal type of the real one says no more
        self._comers.release()
        if not self.is_set():
            await self._permits.acquire()
        return True

    def open(self) -> None:
        self.set()
        self.let_through(BATTLES * WORDS)


def server(voice: int) -> FakeModelServer:
    """A server whose answer has lists, code, tables of words and letters of two and three bytes."""
    parts = [
        "# Titulu\n\n",
        "- bat\n",
        "- bi ñ\n\n",
        "`kodea` ",
        "**lodi** ",
        "日本 ",
        "hitza ",
        "\n\n",
        "> aipu\n\n",
    ]
    words = (f"{CHANCE.choice(parts)}{voice}.{number} " for number in range(WORDS))
    return FakeModelServer(words=tuple(words), gate=Turnstile())


@dataclass
class Tab:
    """A volunteer's page, which loses its line and comes back, through whichever process."""

    http: aiohttp.ClientSession
    cookie: str
    battle: str = ""
    panes: dict[Side, PageSide] = field(default_factory=lambda: {side: PageSide(side) for side in Side})
    socket: aiohttp.ClientWebSocketResponse | None = None
    status: str = ""

    async def open(self, site: Site) -> None:
        self.socket = await self.http.ws_connect(
            f"{site.address}/ws/battle/",
            protocols=[SUBPROTOCOL],
            headers={"Cookie": f"sessionid={self.cookie}", "Origin": site.address},
        )

    async def ask(self, site: Site) -> None:
        await self.open(site)
        await self.say("turn", text="Kaixo", key=str(uuid4()))
        await self.until(lambda frame: frame["type"] == "state")

    async def resume(self, site: Site) -> None:
        await self.open(site)
        offsets = {side.value: len(pane.sealed) for side, pane in self.panes.items()}
        attempts = {side.value: pane.attempt for side, pane in self.panes.items()}
        await self.say("resume", battle=self.battle, offsets=offsets, attempts=attempts)
        await self.until(lambda frame: frame["type"] == "state")

    async def say(self, kind: str, **fields: object) -> None:
        assert self.socket is not None
        await self.socket.send_json({"type": kind, **fields})

    async def lose(self) -> None:
        """Half of the times without a word, as a phone does."""
        assert self.socket is not None
        if CHANCE.random() < 0.5 and self.socket._response.connection is not None:
            transport = self.socket._response.connection.transport
            assert transport is not None
            transport.abort()
        with suppress(aiohttp.ClientError, ConnectionError):
            await self.socket.close()

    async def until(self, wanted: Callable[[ServerFrame], bool]) -> ServerFrame:
        assert self.socket is not None
        while True:
            frame: ServerFrame = json.loads((await self.socket.receive(timeout=20)).data)
            self.take(frame)
            if wanted(frame):
                return frame

    async def until_closed(self) -> int | None:
        """What the server closed the line with; what it said before is read."""
        assert self.socket is not None
        while (said := await self.socket.receive(timeout=20)).type is aiohttp.WSMsgType.TEXT:
            self.take(json.loads(said.data))
        return self.socket.close_code

    async def until_ready(self) -> None:
        """The turn is stored; and, where that was told first, its text and its ends are here too."""
        while self.status != "ready" or not all(pane.end for pane in self.panes.values()):
            await self.until(lambda _: True)

    async def read_for(self, seconds: float) -> None:
        """Read what comes meanwhile."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.until(lambda _: False)

    def take(self, frame: ServerFrame) -> None:
        if frame["type"] == "state":
            self.battle, self.status = str(frame["battle"]), str(frame["status"])
        for pane in self.panes.values():
            pane.take(frame)

    def html(self) -> dict[Side, str]:
        return {side: "".join(pane.sealed) + pane.open for side, pane in self.panes.items()}


async def stored(read: Callable[[], object]) -> object:
    return await database_sync_to_async(read)()


def volunteers(servers: tuple[FakeModelServer, FakeModelServer], count: int) -> list[str]:
    """Cookies of people of whom every other one sees the answers at one pace."""
    for each in servers:
        make_candidate(base_url=each.base_url)
    ModelEndpoint.objects.update(max_in_flight=2 * BATTLES)
    campaign = ensure_default_campaign()
    people: list[Participant] = []
    for number in range(count):
        people.append(make_participant(campaign))
        prefer_display(participant_id=people[-1].pk, display=list(Display)[1 - number % 2])
    return [cookie_of(each) for each in people]


def told(battle: str, servers: tuple[FakeModelServer, FakeModelServer]) -> dict[Side, str]:
    """What was sent for each side of the battle, as HTML; and that it was stored as it was sent."""
    texts = {each.base_url: "".join(each.words) for each in servers}
    found = {}
    for answer in Answer.objects.select_related("endpoint").filter(turn__battle=UUID(battle)):
        assert answer.endpoint is not None
        assert answer.text == texts[answer.endpoint.base_url]
        found[Side(answer.side)] = transcript.render(answer.text)
    return found


async def with_tabs(
    count: int, go: Callable[[list[Tab], tuple[FakeModelServer, FakeModelServer]], Awaitable[None]]
) -> None:
    a, b = server(1), server(2)
    async with fake_model_server(a), fake_model_server(b), aiohttp.ClientSession() as http:
        cookies = await database_sync_to_async(volunteers)((a, b), count)
        await go([Tab(http, cookie) for cookie in cookies], (a, b))


async def test_two_hundred_lost_lines_in_twenty_battles_lose_and_double_nothing(sites: list[Site]) -> None:
    async def go(tabs: list[Tab], servers: tuple[FakeModelServer, FakeModelServer]) -> None:
        async def sit(tab: Tab) -> None:
            await tab.ask(CHANCE.choice(sites))
            for _ in range(RECONNECTS):
                for each in servers:
                    assert isinstance(each.gate, Turnstile)
                    each.gate.let_through(WORDS // (RECONNECTS + 2))
                await tab.read_for(CHANCE.uniform(0, 0.1))
                await tab.lose()
                await tab.resume(CHANCE.choice(sites))
            reached.release()
            await tab.until_ready()
            await tab.lose()

        reached = asyncio.Semaphore(0)
        async with asyncio.TaskGroup() as group:
            for tab in tabs:
                group.create_task(sit(tab))
            for _ in tabs:
                await reached.acquire()
            for each in servers:
                assert isinstance(each.gate, Turnstile)
                each.gate.open()
        for tab in tabs:
            assert tab.html() == await database_sync_to_async(told)(tab.battle, servers)
            assert {pane.end for pane in tab.panes.values()} == {"done"}

    await with_tabs(BATTLES, go)


async def test_a_process_that_is_told_to_end_answers_on_for_pages_that_follow_through_another(
    sites: list[Site], repository: Path, valkey: Valkey
) -> None:
    async def go(tabs: list[Tab], servers: tuple[FakeModelServer, FakeModelServer]) -> None:
        async def move(tab: Tab) -> None:
            assert await tab.until_closed() == SERVICE_RESTART
            await tab.resume(sites[1])

        with serving(repository, valkey, count=1) as (leaving,):
            await half_read(tabs, servers, leaving)
            leaving.process.terminate()
            await asyncio.gather(*map(move, tabs))
            for each in servers:
                assert isinstance(each.gate, Turnstile)
                each.gate.open()
            await asyncio.gather(*(tab.until_ready() for tab in tabs))
            for tab in tabs:
                assert tab.html() == await database_sync_to_async(told)(tab.battle, servers)
                assert {(pane.end, pane.attempt) for pane in tab.panes.values()} == {("done", 1)}
                await tab.lose()
            assert await asyncio.to_thread(leaving.process.wait, 20) == -signal.SIGTERM

    await with_tabs(4, go)


async def test_what_does_not_end_in_time_is_stored_as_interrupted_before_its_process_goes(
    sites: list[Site], repository: Path, valkey: Valkey
) -> None:
    async def go(tabs: list[Tab], servers: tuple[FakeModelServer, FakeModelServer]) -> None:
        with serving(repository, valkey, count=1, drain_s=0) as (leaving,):
            await half_read(tabs, servers, leaving)
            leaving.process.terminate()
            await asyncio.to_thread(leaving.process.wait, 20)
        ends = await stored(
            lambda: set(Answer.objects.values_list("status", "error_code", "turn__runner_id"))
        )
        assert ends == {("interrupted", "interrupted", None)}
        (tab,) = tabs
        await tab.until_closed()
        await tab.resume(sites[1])
        for each in servers:
            assert isinstance(each.gate, Turnstile)
            each.gate.open()
        await tab.say("retry", side="A")
        await tab.until_ready()
        assert tab.html() == await database_sync_to_async(told)(tab.battle, servers)
        await tab.lose()

    await with_tabs(1, go)


async def half_read(tabs: list[Tab], servers: tuple[FakeModelServer, FakeModelServer], site: Site) -> None:
    await asyncio.gather(*(tab.ask(site) for tab in tabs))
    for each in servers:
        assert isinstance(each.gate, Turnstile)
        await each.gate.until_all_wait(len(tabs))
        each.gate.let_through(len(tabs) * WORDS // 2)
    shown = [tab.until(lambda frame: frame["type"] == "render" and bool(frame["sealed"])) for tab in tabs]
    await asyncio.gather(*shown)


async def test_when_a_process_is_killed_its_sides_are_interrupted_and_retried_through_the_other(
    sites: list[Site], repository: Path, valkey: Valkey
) -> None:
    async def go(tabs: list[Tab], servers: tuple[FakeModelServer, FakeModelServer]) -> None:
        (tab,) = tabs
        gates = [each.gate for each in servers]
        with serving(repository, valkey, count=1) as (killed,):
            await tab.ask(killed)
            for gate in gates:
                assert isinstance(gate, Turnstile)
                gate.let_through(WORDS // 2)
            await tab.until(lambda frame: frame["type"] == "render" and bool(frame["sealed"]))
            await tab.lose()
            await tab.resume(sites[1])
            killed.process.kill()
            killed.process.wait()
        await stored(expire)
        for _ in Side:
            assert (await tab.until(lambda frame: frame["type"] == "failed"))["code"] == "interrupted"
        for gate in gates:
            assert isinstance(gate, Turnstile)
            gate.open()
        await tab.say("retry", side="A")
        await tab.until_ready()
        assert tab.html() == await database_sync_to_async(told)(tab.battle, servers)
        assert {pane.attempt for pane in tab.panes.values()} == {2}
        await tab.lose()

    await with_tabs(1, go)


def expire() -> None:
    """As if the lease's twenty seconds had passed."""
    Turn.objects.exclude(runner_id=None).update(lease_until=timezone.now() - timedelta(seconds=1))
