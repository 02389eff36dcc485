"""The scripted server itself."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import Any

from aiohttp import web

from inference.fakes import pages
from inference.fakes.faults import FLOOD_WORDS, Fault
from inference.fakes.wires import AnthropicWire, OpenAIWire, Wire

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_BATCH = 100


@dataclass
class FakeModelServer:
    """A model server on loopback, for OpenAI's wire format and Anthropic's.

    Parameters
    ----------
    words
        Streamed one an event; iterated anew, and lazily, for each answer.
    fault
        How it fails; see :class:`Fault`.
    script
        Faults of the next requests, one each; when they are used up, ``fault`` holds again.
    reasons, thoughts
        Whether hidden reasoning goes before the words, and which.
    gate
        Awaited before each word after the first.
    rate
        Thoughts and words a second, by an absolute schedule that no slow reader shifts; all at once where it is ``None``.
    pause_s
        Between two words of a trickle.
    retry_after
        What 429, 503 and 529 tell to wait: seconds or an HTTP date; the empty text tells nothing.
    api_key
        Asked for, where there is one, as a bearer token or ``x-api-key``.
    models, waiting
        What ``/v1/models`` lists, and what ``/metrics`` tells of its queue.
    raw
        Sent in place of a stream, where it is set.
    repeats_key
        Whether its errors quote the request's key, as some servers do.
    remembers
        Whether bodies and headers of requests are kept.

    Attributes
    ----------
    requests, live, cancelled
        How many generations were asked for, are under way, were left by their reader.
    """

    words: Iterable[str] = ("Kaixo", " mundua")
    fault: Fault = Fault.NONE
    finish_reason: str = "stop"
    reasons: bool = False
    gate: asyncio.Event | None = None
    base_url: str = ""
    script: list[Fault] = field(default_factory=list)
    thoughts: tuple[str, ...] = ("isilpekoa", "isilpekoa")
    rate: float | None = None
    pause_s: float = 0.05
    retry_after: str = "7"
    api_key: str = field(default="", repr=False)
    models: tuple[str, ...] = ("eredua",)
    waiting: int = 0
    raw: bytes | None = None
    repeats_key: bool = False
    remembers: bool = True
    requests: int = 0
    live: int = 0
    cancelled: int = 0
    finished: int = 0
    tokens: int = 0
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)
    peers: set[object] = field(default_factory=set)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _runner: web.AppRunner | None = field(default=None, repr=False)

    async def start(self, *, port: int = 0) -> None:
        """Listen. A server that was stopped comes back on the port that it had, unless another is named."""
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._chat_completions)
        app.router.add_post("/v1/messages", self._messages)
        app.router.add_get("/health", self._page)
        app.router.add_get("/metrics", self._page)
        app.router.add_get("/v1/models", self._page)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port or self.port, reuse_address=True).start()
        host, bound = self._runner.addresses[0][:2]
        self.base_url = f"http://{host}:{bound}/v1"

    async def stop(self) -> None:
        """Listen no more and drop what is under way: from now on connections are refused."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @property
    def port(self) -> int:
        """The port it has or had; 0 before the first start."""
        return int(self.base_url.rpartition(":")[2].partition("/")[0] or 0)

    async def wait_until(self, **counts: int) -> None:
        """Wait until the counters have these values."""
        async with self.changed, asyncio.timeout(10):
            await self.changed.wait_for(lambda: all(getattr(self, n) == v for n, v in counts.items()))

    async def _count(self, **steps: int) -> None:
        async with self.changed:
            for name, step in steps.items():
                setattr(self, name, getattr(self, name) + step)
            self.changed.notify_all()

    async def _page(self, request: web.Request) -> web.StreamResponse:
        self.pages.append(request.path)
        if request.path == "/health":
            return web.Response(status=503 if self.fault in {Fault.BROKEN, Fault.UNAVAILABLE} else 200)
        if request.path == "/metrics":
            counts = {"running": self.live, "waiting": self.waiting, "finished": self.finished}
            return web.Response(text=pages.vllm_metrics(model=self.models[0], tokens=self.tokens, **counts))
        status = 401 if self._is_stranger(request) else self.fault.status
        return self._status(request, status) if status else web.json_response(pages.model_list(self.models))

    def _is_stranger(self, request: web.Request) -> bool:
        told = {
            request.headers.get("x-api-key"),
            request.headers.get("Authorization", "").removeprefix("Bearer "),
        }
        return bool(self.api_key) and self.api_key not in told

    async def _chat_completions(self, request: web.Request) -> web.StreamResponse:
        return await self._handle(request, OpenAIWire(self._message(request)))

    async def _messages(self, request: web.Request) -> web.StreamResponse:
        return await self._handle(request, AnthropicWire(self._message(request)))

    async def _handle(self, request: web.Request, wire: Wire) -> web.StreamResponse:
        body = await request.json()
        if self.remembers:
            self.bodies.append(body)
            self.headers.append({name.lower(): value for name, value in request.headers.items()})
        if request.transport is not None:
            self.peers.add(request.transport.get_extra_info("peername"))
        await self._count(requests=1)
        fault = self.script.pop(0) if self.script else self.fault
        if status := 401 if self._is_stranger(request) else fault.status:
            return self._status(request, status)
        await self._count(live=1)
        finished = False
        try:
            response = await _Answer(self, request, wire, fault).send(str(body.get("model", "")))
            finished = True
            return response
        finally:
            counts = {"finished": 1} if finished else {"cancelled": 1}
            await asyncio.shield(self._count(live=-1, **counts))

    def _message(self, request: web.Request) -> str:
        return f"scripted {request.headers.get('Authorization')}" if self.repeats_key else "scripted"

    def _status(self, request: web.Request, status: int) -> web.Response:
        headers = {"Retry-After": self.retry_after} if status in {429, 503, 529} and self.retry_after else {}
        if status == 302:
            headers["Location"] = f"{self.base_url}/elsewhere"
        error = {"type": "scripted", "message": self._message(request)}
        return web.json_response({"type": "error", "error": error}, status=status, headers=headers)


@dataclass
class _Answer:
    """One generation."""

    server: FakeModelServer
    request: web.Request
    wire: Wire
    fault: Fault
    response: web.StreamResponse = field(init=False)
    write: Callable[[bytes], Any] = field(init=False)
    started: float = field(default_factory=lambda: asyncio.get_running_loop().time())
    pieces: int = 0

    async def send(self, model: str) -> web.StreamResponse:
        if self.fault is Fault.RESET:
            self._break(reset=True)
        if self.fault is Fault.HANGS_SILENT:
            await asyncio.Event().wait()
        as_json = self.fault in {Fault.ERROR_BODY, Fault.NOT_A_STREAM}
        self.response = web.StreamResponse(
            headers={"Content-Type": "application/json" if as_json else "text/event-stream"}
        )
        await self.response.prepare(self.request)
        if self.fault is Fault.HANGS_FIRST:
            await asyncio.Event().wait()
        if (body := self.server.raw or self.wire.bodies.get(self.fault)) is not None:
            await self.response.write(body)
            return self.response
        pieces = _Pieces(self.response, self.fault)
        self.write = pieces.write
        await self._stream(model)
        await pieces.flush()
        return self.response

    async def _stream(self, model: str) -> None:
        await self.write(self.wire.begin(model))
        if self.fault is Fault.HANGS_AFTER_ROLE:
            await asyncio.Event().wait()
        for index, thought in enumerate(self.server.thoughts if self.server.reasons else ()):
            await self._when_due()
            await self.write(self.wire.thought(thought, index))
        sent = await self._words()
        if sent is None:
            return
        if self.fault is not Fault.NO_END:
            await self.write(self.wire.finish(self.server.finish_reason, 5, sent))
        await self.write(self.wire.end())

    async def _words(self) -> int | None:
        """How many were sent; ``None`` where the stream ended with an error."""
        index = -1
        for index, word in enumerate(self._script()):
            if index and self.server.gate is not None:
                await self.server.gate.wait()
            await self._when_due()
            await self.write(self.wire.word(word))
            self.server.tokens += 1
            match self.fault:
                case Fault.HANGS_BETWEEN:
                    await asyncio.Event().wait()
                case Fault.DIES:
                    self._break()
                case Fault.TRICKLE:
                    await asyncio.sleep(self.server.pause_s)
                case Fault.IN_BAND:
                    await self.write(self.wire.error())
                    return None
        return index + 1

    async def _when_due(self) -> None:
        if self.server.rate:
            due, now = self.started + self.pieces / self.server.rate, asyncio.get_running_loop().time()
            self.pieces += 1
            if due > now:
                await asyncio.sleep(due - now)

    def _script(self) -> Iterator[str]:
        match self.fault:
            case Fault.EMPTY_ANSWER:
                return iter(())
            case Fault.TRICKLE:
                return chain(self.server.words, repeat(" eta"))
            case Fault.FLOOD:
                return (f" {number}" for number in range(FLOOD_WORDS))
            case Fault.LOOPS:
                return chain(self.server.words, repeat(" eta gero berriz hasi zen,", 5_000))
            case Fault.WHITE_SPACE:
                return repeat("\n \t", 20_000)
        return iter(self.server.words)

    def _break(self, *, reset: bool = False) -> None:
        if self.request.transport is not None:
            if reset:
                own = self.request.transport.get_extra_info("socket")
                own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            self.request.transport.abort()
        raise ConnectionResetError


class _Pieces:
    """How events are cut into writes: as they come, a byte each, or many at once."""

    def __init__(self, response: web.StreamResponse, fault: Fault) -> None:
        self._response = response
        self._cut = fault is Fault.SPLIT_UTF8
        many = {Fault.FLOOD: _BATCH, Fault.LOOPS: _BATCH, Fault.WHITE_SPACE: _BATCH, Fault.PACKED: 1 << 30}
        self._events = many.get(fault, 1)
        self._held: list[bytes] = []

    async def write(self, event: bytes) -> None:
        self._held.append(event)
        if len(self._held) >= self._events:
            await self.flush()

    async def flush(self) -> None:
        data, self._held = b"".join(self._held), []
        for piece in (data[i : i + 1] for i in range(len(data))) if self._cut else (data,):
            await self._response.write(piece)
            if self._cut:
                await asyncio.sleep(0)


@asynccontextmanager
async def fake_model_server(server: FakeModelServer) -> AsyncIterator[FakeModelServer]:
    """The server on a free port, for the length of a block."""
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
