"""The site as strangers reach it: over TLS, through the proxy. What must hold there, wherever it was started."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from arena.protocol import SUBPROTOCOL
from inference.processes import wait_until

HASHED = re.compile(r'href="(/static/css/[\w/]+\.[0-9a-f]{12}\.css)"')
PATIENCE_S = 300.0


def asked(address: str, **headers: str) -> tuple[int, str]:
    """What one process says, without the proxy."""
    try:
        with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=60) as answer:
            assert "Server" not in answer.headers
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


class ToLoopback(AbstractResolver):
    """Every name is this machine's."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host="127.0.0.1", port=port, family=socket.AF_INET, proto=0, flags=0)
        ]

    async def close(self) -> None:
        pass


@dataclass(frozen=True)
class Edge:
    """Where the proxy listens, the site's name, and the certificate to trust."""

    domain: str
    http_port: int
    https_port: int
    certificate: Path

    @property
    def address(self) -> str:
        return f"https://{self.domain}:{self.https_port}"

    @property
    def origin(self) -> str:
        return f"https://{self.domain}"

    @asynccontextmanager
    async def visitor(self) -> AsyncIterator[Visitor]:
        context = ssl.create_default_context(cafile=str(self.certificate))
        made: list[socket.socket] = []

        def make(found: tuple[Any, ...]) -> socket.socket:
            made.append(socket.socket(*found[:3]))
            return made[-1]

        connector = aiohttp.TCPConnector(resolver=ToLoopback(), ssl=context, socket_factory=make)
        timeout = aiohttp.ClientTimeout(total=None, sock_read=PATIENCE_S)
        # the name that the outside knows, without the test's port
        headers = {"Host": self.domain}
        async with aiohttp.ClientSession(connector=connector, timeout=timeout, headers=headers) as http:
            yield Visitor(self, http)
        # Connections that were given up before say farewell on their own, and the session waits for none of them.
        assert await asyncio.to_thread(
            wait_until, lambda: all(each.fileno() == -1 for each in made), within_s=PATIENCE_S
        )


@dataclass
class Visitor:
    """A browser of its own."""

    edge: Edge
    http: aiohttp.ClientSession

    async def get(self, path: str, **headers: str) -> Answer:
        async with self.http.get(
            f"{self.edge.address}{path}", headers=headers, allow_redirects=False
        ) as found:
            return Answer(found.status, dict(found.headers), await found.read(), found.headers)

    async def post(self, path: str, **fields: str) -> Answer:
        form = BytesIO(urlencode(fields).encode())
        headers = self.signed() | {"Content-Type": "application/x-www-form-urlencoded"}
        async with self.http.post(
            f"{self.edge.address}{path}", data=form, headers=headers, allow_redirects=False
        ) as found:
            return Answer(found.status, dict(found.headers), await found.read(), found.headers)

    def signed(self) -> dict[str, str]:
        """What a page of ours sends along with a POST."""
        cookies = {each.key: each.value for each in self.http.cookie_jar}
        return {
            "X-CSRFToken": cookies["__Host-csrftoken"],
            "Origin": self.edge.origin,
            "Referer": f"{self.edge.origin}/",
        }

    async def consent(self) -> None:
        page = await self.get("/")
        assert page.status == 200, page.body.decode()
        assert (await self.post("/consent/", adult="on")).status in {200, 302}

    def socket(self, origin: str) -> Any:
        return self.http.ws_connect(
            f"{self.edge.address.replace('https', 'wss')}/ws/battle/",
            protocols=[SUBPROTOCOL],
            headers={"Origin": origin},
        )


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes
    all_headers: Any

    @property
    def cookies(self) -> list[str]:
        return list(self.all_headers.getall("Set-Cookie", []))


async def plain_requests_are_led_to_tls(edge: Edge) -> None:
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(resolver=ToLoopback())) as http,
        http.get(
            f"http://{edge.domain}:{edge.http_port}/about/?a=1",
            headers={"Host": edge.domain},
            allow_redirects=False,
        ) as found,
    ):
        assert (found.status, found.headers["Location"]) == (308, f"https://{edge.domain}/about/?a=1")


async def pages_have_their_headers_and_cookies(edge: Edge) -> None:
    async with edge.visitor() as visitor:
        page = await visitor.get("/", **{"Accept-Encoding": "gzip"})
    assert page.status == 200
    assert page.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["Content-Encoding"] == "gzip"
    assert "Server" not in page.headers
    assert page.cookies
    for cookie in page.cookies:
        assert cookie.startswith("__Host-")
        assert "Secure" in cookie


async def static_files_come_from_the_proxy(edge: Edge) -> None:
    async with edge.visitor() as visitor:
        page = (await visitor.get("/")).body.decode()
        for path in HASHED.findall(page):
            file = await visitor.get(path, **{"Accept-Encoding": "gzip"})
            assert (file.status, file.headers["Content-Encoding"]) == (200, "gzip")
            assert file.headers["Cache-Control"] == "public, max-age=31536000, immutable"
            assert file.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert HASHED.findall(page)
        assert (await visitor.get("/static/css/nowhere.0123456789ab.css")).status == 404


async def what_is_asked_inside_is_closed(edge: Edge) -> None:
    async with edge.visitor() as visitor:
        for path in ("/metrics", "/healthz", "/readyz"):
            assert (await visitor.get(path)).status == 404, path


async def large_requests_are_refused(edge: Edge) -> None:
    async with edge.visitor() as visitor:
        assert (await visitor.get("/", **{"X-Long": "a" * 40_000})).status == 431
        await visitor.get("/")
        assert (await visitor.post("/consent/", adult="a" * 4_000_000)).status == 413


async def only_pages_of_the_site_open_sockets(edge: Edge) -> None:
    async with edge.visitor() as visitor:
        await visitor.consent()
        async with visitor.socket(edge.origin) as line:
            assert line.protocol == SUBPROTOCOL
        for origin in ("https://lehia.example.evil.example", "null", f"https://evil.{edge.domain}"):
            try:
                async with visitor.socket(origin):
                    raise AssertionError(f"{origin} got a socket")
            except aiohttp.WSServerHandshakeError as refused:
                assert refused.status == 403


async def a_told_address_counts_for_nothing(edge: Edge, *, most: int) -> None:
    """More requests than one address may make in the two minutes that they can fall into, each as if from another one."""
    statuses = []
    async with edge.visitor() as visitor:
        for number in range(2 * most + 1):
            told = f"198.51.100.{number}"
            answer = await visitor.get(
                "/api/v1/boards", **{"X-Forwarded-For": told, "Forwarded": f"for={told}", "X-Real-IP": told}
            )
            statuses.append(answer.status)
    assert set(statuses) == {200, 429}


async def frames_are_not_held_back(edge: Edge, gate: asyncio.Event) -> None:
    """The models stop after their first word until *gate* opens; it is opened once that word was here, by a socket."""
    gate.clear()
    async with edge.visitor() as visitor:
        await visitor.consent()
        async with visitor.socket(edge.origin) as line:
            await line.send_json({"type": "turn", "text": "Kaixo", "key": str(uuid4())})
            await _until(line, lambda frame: frame["type"] == "render")
            gate.set()
            await _until(line, lambda frame: frame["type"] == "state" and frame["status"] == "ready")


async def events_are_not_held_back(edge: Edge, gate: asyncio.Event) -> None:
    """The same by requests, for browsers whose sockets are blocked."""
    gate.clear()
    async with edge.visitor() as visitor:
        await visitor.consent()
        frame = {"type": "turn", "text": "Kaixo", "key": str(uuid4())}
        async with visitor.http.post(
            f"{edge.address}/line/",
            data=json.dumps(frame),
            headers=visitor.signed() | {"Content-Type": "application/json", "Accept-Encoding": "gzip"},
        ) as found:
            assert (found.status, found.headers["Content-Type"]) == (200, "text/event-stream")
            assert "Content-Encoding" not in found.headers
            told = b""
            async for chunk in found.content.iter_any():
                told += chunk
                if b'"render"' in told:
                    gate.set()
            assert told.endswith(b"event: end\ndata:\n\n")
    assert gate.is_set()


async def _until(line: aiohttp.ClientWebSocketResponse, wanted: Any) -> None:
    while not wanted(json.loads((await line.receive(timeout=PATIENCE_S)).data)):
        pass


@dataclass
class Crowd:
    """Requests that go on until they are told to stop: pages and POSTs, a few dozen a second, which leaves a small machine time to start a process."""

    edge: Edge
    answered: int = 0
    failed: tuple[str, ...] = ()
    news: asyncio.Condition = field(default_factory=asyncio.Condition)

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[Crowd]:
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for path in ("/", "post"):
                group.create_task(self._ask(path, stop))
            try:
                yield self
            finally:
                stop.set()

    async def until_more(self, count: int) -> None:
        wanted = self.answered + count
        async with self.news:
            await self.news.wait_for(lambda: self.answered >= wanted)

    async def _ask(self, path: str, stop: asyncio.Event) -> None:
        async with self.edge.visitor() as visitor:
            await visitor.get("/")
            while not stop.is_set():
                await asyncio.sleep(0.03)
                try:
                    asking = (
                        visitor.post("/i18n/setlang/", language="es") if path == "post" else visitor.get(path)
                    )
                    status = (await asking).status
                except (aiohttp.ClientError, TimeoutError) as error:
                    self.failed += (repr(error),)
                    continue
                async with self.news:
                    if status in {200, 204, 302}:
                        self.answered += 1
                    else:
                        self.failed += (f"{path}: {status}",)
                    self.news.notify_all()
