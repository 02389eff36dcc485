"""Frames as attackers send them, to a real process of the site.

What holds: nothing but a frame of ``lehia.v1`` has an effect; what is none is answered in kind, and its socket closed after a few; no flood reaches the
database; a foreign page opens nothing.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID, uuid4

import aiohttp
import pytest
from channels.db import database_sync_to_async
from django.db import connection

from arena.conduct import FRAMES_AT_ONCE, MOST_STRIKES
from arena.models import Battle
from arena.protocol import MAX_FRAME_BYTES, SUBPROTOCOL
from arena.services.campaigns import ensure_default_campaign
from tests.arena.attacked import attacked
from tests.arena.builders import make_participant
from tests.arena.test_processes import Site, valkey
from tests.arena.test_socket import cookie_of
from tests.valkey import Valkey

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["valkey"]

MISBEHAVED, TOO_BIG, NOT_UTF8, TOO_MANY = 1008, 1009, 1007, 4429
BAD = {"type": "refused", "code": "bad_frame"}
STOP = json.dumps({"type": "stop"})
PER_PERSON, PER_ADDRESS = 3, 5


@pytest.fixture(scope="module")
def site(django_db_setup: None, repository: Path, valkey: Valkey) -> Iterator[Site]:
    caps = {"LEHIA_LINES_PER_PERSON": str(PER_PERSON), "LEHIA_LINES_PER_ADDRESS": str(PER_ADDRESS)}
    with attacked(repository, valkey, **caps) as made:
        yield made


def volunteer() -> str:
    return cookie_of(make_participant(ensure_default_campaign()))


def browser(cookie: str) -> aiohttp.ClientSession:
    """It keeps cookies of an address too."""
    return aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True), cookies={"sessionid": cookie})


@asynccontextmanager
async def opened(
    site: Site, cookie: str = "", *, origin: str | None = None, host: str | None = None
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    headers = {"Origin": site.address if origin is None else origin}
    headers |= {"Cookie": f"sessionid={cookie}"} if cookie else {}
    headers |= {"Host": host} if host else {}
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(f"{site.address}/ws/battle/", protocols=[SUBPROTOCOL], headers=headers) as socket,
    ):
        yield socket


async def told(socket: aiohttp.ClientWebSocketResponse) -> list[dict[str, str]]:
    """All that it is told until the site closes it."""
    return [json.loads(message.data) async for message in socket]


@pytest.mark.parametrize("origin", ["https://adibidea.eus", "http://127.0.0.1:1", "null", "", "file://"])
async def test_a_foreign_page_opens_no_socket(site: Site, origin: str) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        async with opened(site, origin=origin):
            pass
    assert caught.value.status == 403


async def test_another_host_opens_none_either(site: Site) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        async with opened(site, origin="http://adibidea.eus", host="adibidea.eus"):
            pass
    assert caught.value.status == 403


@pytest.mark.parametrize("origin", ["https://adibidea.eus", "null", "http://127.0.0.1:1"])
async def test_a_foreign_page_posts_nothing_on_the_line(site: Site, origin: str) -> None:
    cookie = await database_sync_to_async(volunteer)()
    async with browser(cookie) as http:
        async with http.get(f"{site.address}/") as page:
            token = page.cookies["csrftoken"].value
        for sent, status in ((origin, 403), (site.address, 200)):
            headers = {"Origin": sent, "X-CSRFToken": token}
            async with http.post(f"{site.address}/line/", data=STOP, headers=headers) as answer:
                assert answer.status == status


NOBODYS = str(UUID(int=1))
DEEP = "[" * 30_000 + "]" * 30_000


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "null",
        "{",
        DEEP,
        f'{{"a": {DEEP}, "type": "stop"}}',
        '{"type": "stop", "type": "stop", "battle": 1}',
        json.dumps({"type": "resume", "battle": NOBODYS, "offsets": {"A": 10**20}}),
        f'{{"type": "turn", "text": "\\ud800", "key": "{NOBODYS}"}}',
        b"",
        b"\x00\xff" * 1000,
        STOP.encode(),
    ],
    ids=[
        *("empty", "null", "open", "deep", "deep inside", "twice", "huge", "half a sign"),
        *("no bytes", "bytes", "stop in bytes"),
    ],
)
async def test_what_is_no_frame_is_answered_in_kind_and_its_socket_closed_after_a_few(
    site: Site, frame: str | bytes
) -> None:
    cookie = await database_sync_to_async(volunteer)()
    async with opened(site, cookie) as socket:
        for _ in range(MOST_STRIKES + 3):
            await (socket.send_str(frame) if isinstance(frame, str) else socket.send_bytes(frame))
        assert await told(socket) == [BAD] * MOST_STRIKES
        assert socket.close_code == MISBEHAVED


@pytest.mark.parametrize("kind", ["text", "bytes"])
async def test_a_frame_beyond_64_kib_ends_its_socket(site: Site, kind: str) -> None:
    async with opened(site) as socket:
        fits = json.dumps({"type": "retry", "side": "A", "x": ""})
        await socket.send_str(fits[:-2] + "x" * (MAX_FRAME_BYTES - len(fits)) + fits[-2:])
        assert json.loads((await socket.receive()).data) == BAD
        if kind == "text":
            await socket.send_str("x" * (MAX_FRAME_BYTES + 1))
        else:
            await socket.send_bytes(b"x" * (MAX_FRAME_BYTES + 1))
        assert await told(socket) == []
        assert socket.close_code == TOO_BIG


async def test_a_flood_of_good_frames_is_refused_and_ends_its_socket(site: Site) -> None:
    cookie = await database_sync_to_async(volunteer)()
    resume = json.dumps({"type": "resume", "battle": str(uuid4())})
    async with opened(site, cookie) as socket:
        sending = asyncio.gather(*(socket.send_str(resume) for _ in range(1000)), return_exceptions=True)
        codes = [frame["code"] for frame in await told(socket)]
        assert socket.close_code == MISBEHAVED
        await sending
    assert codes[:FRAMES_AT_ONCE] == ["not_found"] * FRAMES_AT_ONCE
    assert codes.count("too_fast") == MOST_STRIKES
    assert len(codes) < FRAMES_AT_ONCE + MOST_STRIKES + 100


async def test_a_flood_that_is_no_frames_never_reaches_the_database(site: Site) -> None:
    """All of the database's tables are locked meanwhile."""
    cookie = await database_sync_to_async(volunteer)()

    def locked() -> None:
        with connection.cursor() as cursor:
            cursor.execute("BEGIN; LOCK TABLE arena_session, arena_participant IN ACCESS EXCLUSIVE MODE")

    def free() -> None:
        with connection.cursor() as cursor:
            cursor.execute("ROLLBACK")

    async with opened(site, cookie) as socket:
        await socket.send_str(json.dumps({"type": "resume", "battle": str(uuid4())}))
        assert json.loads((await socket.receive()).data)["code"] == "not_found"
        await database_sync_to_async(locked)()
        try:
            for _ in range(MOST_STRIKES):
                await socket.send_str("no frame")
            assert await asyncio.wait_for(told(socket), 30) == [BAD] * MOST_STRIKES
        finally:
            await database_sync_to_async(free)()


async def test_one_volunteer_and_one_address_hold_so_many_lines(site: Site) -> None:
    one, other = await database_sync_to_async(lambda: (volunteer(), volunteer()))()

    @asynccontextmanager
    async def many(cookie: str, count: int) -> AsyncIterator[list[int | None]]:
        """Sockets that stay open, and the codes of those that the site closed at once. From an address where no earlier test has any left."""
        apart = aiohttp.TCPConnector(local_addr=("127.0.0.2", 0))
        async with aiohttp.ClientSession(connector=apart) as http:
            headers = {"Cookie": f"sessionid={cookie}", "Origin": site.address}
            sockets = [
                await http.ws_connect(f"{site.address}/ws/battle/", protocols=[SUBPROTOCOL], headers=headers)
                for _ in range(count)
            ]
            codes = []
            for each in sockets:
                await each.send_str("no frame")
                if json.loads((await each.receive()).data)["code"] == "too_many_lines":
                    await each.receive()
                    codes.append(each.close_code)
            yield codes

    async with many(one, PER_PERSON + 1) as refused, many(other, PER_ADDRESS - PER_PERSON + 1) as more:
        assert refused == more == [TOO_MANY]
        async with browser(one) as http:
            async with http.get(f"{site.address}/") as page:
                headers = {"X-CSRFToken": page.cookies["csrftoken"].value}
            async with http.post(f"{site.address}/line/", data=STOP, headers=headers) as answer:
                assert "too_many_lines" in await answer.text()


async def test_nothing_of_all_this_began_a_battle() -> None:
    assert await database_sync_to_async(Battle.objects.count)() == 0
