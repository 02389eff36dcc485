"""A model server that follows a script: for tests, at the network's edge."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from aiohttp import web


class Fault(StrEnum):
    """How the server behaves; ``NONE`` answers as it should."""

    NONE = "none"
    UNAUTHORIZED = "401"
    NOT_FOUND = "404"
    RATE_LIMITED = "429"
    BROKEN = "500"
    UNAVAILABLE = "503"
    BAD_REQUEST = "422"
    REDIRECT = "302"
    IN_BAND = "in_band"
    EMPTY_BODY = "empty_body"
    EMPTY_ANSWER = "empty_answer"
    GARBAGE = "garbage"
    DIES = "dies"
    NO_END = "no_end"
    BAD_UTF8 = "bad_utf8"
    NOT_A_STREAM = "not_a_stream"
    REFUSES_IN_BAND = "refuses_in_band"
    HANGS_FIRST = "hangs_first"
    HANGS_AFTER_ROLE = "hangs_after_role"
    HANGS_BETWEEN = "hangs_between"


def _event(payload: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(payload).encode() + b"\n\n"


# What is sent in place of a stream.
_BODIES = {
    Fault.EMPTY_BODY: b"",
    Fault.GARBAGE: b"data: {not json\n\n",
    Fault.BAD_UTF8: b'data: {"choices": [{"delta": {"content": "\xc3"}}]}\n\n',
    Fault.NOT_A_STREAM: b'{"choices": [{"message": {"content": "Kaixo"}, "finish_reason": "stop"}]}',
    Fault.REFUSES_IN_BAND: _event({"error": "scripted"}),
}


@dataclass
class FakeModelServer:
    """An OpenAI-compatible server on loopback.

    ``words`` are streamed one a chunk; ``reasons`` sends hidden reasoning before them; ``gate``, when set to an event, is awaited before each
    word after the first. Counters tell what happened.
    """

    words: tuple[str, ...] = ("Kaixo", " mundua")
    fault: Fault = Fault.NONE
    finish_reason: str = "stop"
    reasons: bool = False
    gate: asyncio.Event | None = None
    base_url: str = ""
    requests: int = 0
    live: int = 0
    cancelled: int = 0
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    peers: set[object] = field(default_factory=set)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def wait_until(self, **counts: int) -> None:
        """Wait until the counters have these values."""
        async with self.changed, asyncio.timeout(10):
            await self.changed.wait_for(lambda: all(getattr(self, n) == v for n, v in counts.items()))

    async def _count(self, **steps: int) -> None:
        async with self.changed:
            for name, step in steps.items():
                setattr(self, name, getattr(self, name) + step)
            self.changed.notify_all()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self.bodies.append(await request.json())
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        if request.transport is not None:
            self.peers.add(request.transport.get_extra_info("peername"))
        await self._count(requests=1)
        if self.fault.isdigit():
            return self._status(int(self.fault))
        await self._count(live=1)
        finished = False
        try:
            response = await self._stream(request)
            finished = True
            return response
        finally:
            await asyncio.shield(self._count(live=-1, cancelled=0 if finished else 1))

    def _status(self, status: int) -> web.Response:
        headers = {"Retry-After": "7"} if status == 429 else {}
        if status == 302:
            headers["Location"] = f"{self.base_url}/elsewhere"
        return web.json_response({"error": {"message": "scripted"}}, status=status, headers=headers)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        if self.fault is Fault.HANGS_FIRST:
            await asyncio.Event().wait()
        if (body := _BODIES.get(self.fault)) is not None:
            await response.write(body)
            return response
        await response.write(b": a comment\n\n" + _event({"choices": [{"delta": {"role": "assistant"}}]}))
        if self.fault is Fault.HANGS_AFTER_ROLE:
            await asyncio.Event().wait()
        await self._words(request, response)
        return response

    async def _words(self, request: web.Request, response: web.StreamResponse) -> None:
        for hidden in ("reasoning", "reasoning_content") if self.reasons else ():
            await response.write(_event({"choices": [{"delta": {hidden: "isilpekoa"}}]}))
        for index, word in enumerate(() if self.fault is Fault.EMPTY_ANSWER else self.words):
            if index and self.gate is not None:
                await self.gate.wait()
            await response.write(_event({"choices": [{"delta": {"content": word}}]}))
            if self.fault is Fault.HANGS_BETWEEN:
                await asyncio.Event().wait()
            if self.fault is Fault.DIES and request.transport is not None:
                request.transport.abort()
                raise ConnectionResetError
            if self.fault is Fault.IN_BAND:
                await response.write(_event({"error": {"message": "scripted"}}))
                return
        if self.fault is not Fault.NO_END:
            await response.write(_event({"choices": [{"delta": {}, "finish_reason": self.finish_reason}]}))
            await response.write(
                _event({"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2}})
            )
        await response.write(b"data: [DONE]\n\n")


@asynccontextmanager
async def fake_model_server(server: FakeModelServer) -> AsyncIterator[FakeModelServer]:
    """The server on a free port, for the length of a block."""
    app = web.Application()
    app.router.add_post("/v1/chat/completions", server._handle)  # its own runner
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    server.base_url = f"http://{host}:{port}/v1"
    try:
        yield server
    finally:
        await runner.cleanup()
