"""A small real server of OpenAI's completions and chat completions, over a real socket, that can misbehave on request."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from aiohttp import web

Body = dict[str, Any]
# text and finish reason of a request; None refuses it
Writes = Callable[[Body], tuple[str, str] | None]
BOS = "<|begin_of_text|>"


class Fault(StrEnum):
    """What happens to one request instead of an answer."""

    RATE_LIMITED = "429 and Retry-After"
    BROKEN = "500"
    DROPPED = "the connection is dropped"
    SLOW = "no answer, ever"
    GARBAGE = "200 and no JSON"
    EMPTY = "200 and JSON without choices"
    REFUSED = "400"
    UNKNOWN = "404"
    UNAUTHORIZED = "401"


_STATUS = {
    Fault.RATE_LIMITED: 429,
    Fault.BROKEN: 500,
    Fault.REFUSED: 400,
    Fault.UNKNOWN: 404,
    Fault.UNAUTHORIZED: 401,
    Fault.EMPTY: 200,
}


def silence(_: Body) -> tuple[str, str]:
    return "", "stop"


@dataclass
class SmallServer:
    """Answers by a function of the request's body.

    Parameters
    ----------
    faults
        By the request's number, from 1; the fault under 0 is that of every request.
    adds_bos
        Whether it puts a start token before each prompt, as vLLM and transformers do with Llama's tokenizer.
    counts_tokens
        Whether replies have ``usage``.
    on_request
        Told the request's number before it is answered.
    """

    completes: Writes = silence
    chats: Writes = silence
    faults: dict[int, Fault] = field(default_factory=dict)
    retry_after: str = "0.05"
    adds_bos: bool = False
    counts_tokens: bool = True
    on_request: Callable[[int], None] = lambda _: None
    url: str = ""
    bodies: list[Body] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    live: int = 0
    most_live: int = 0

    @property
    def asked(self) -> int:
        return len(self.bodies)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body: Body = await request.json()
        self.bodies.append(body)
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        number = self.asked
        self.live += 1
        self.most_live = max(self.live, self.most_live)
        try:
            self.on_request(number)
            await asyncio.sleep(0)  # others come in
            return await self._answer(request, body, self.faults.get(number, self.faults.get(0)))
        finally:
            self.live -= 1

    async def _answer(self, request: web.Request, body: Body, fault: Fault | None) -> web.StreamResponse:
        if fault is Fault.SLOW:
            await asyncio.Event().wait()
        if fault is Fault.DROPPED:
            assert request.transport is not None
            request.transport.abort()
        if fault is Fault.GARBAGE:
            return web.Response(text="<html>a proxy's page</html>", content_type="application/json")
        if fault in _STATUS:
            headers = {"Retry-After": self.retry_after} if fault is Fault.RATE_LIMITED else {}
            return web.json_response(
                {"error": {"message": "scripted"}}, status=_STATUS[fault], headers=headers
            )
        return self._reply(body)

    def _reply(self, body: Body) -> web.Response:
        chat = "messages" in body
        written = (self.chats if chat else self.completes)(body)
        if written is None:
            return web.json_response({"error": {"message": "too long"}}, status=400)
        text, reason = written
        said = {"message": {"role": "assistant", "content": text}} if chat else {"text": text}
        reply = {
            "id": "1",
            "object": "chat.completion" if chat else "text_completion",
            "created": 1,
            "model": body["model"],
            "choices": [{"index": 0, "finish_reason": reason, "logprobs": None, **said}],
        }
        if self.counts_tokens and not chat:
            reply["usage"] = self._usage(body["prompt"])
        return web.json_response(reply)

    def _usage(self, prompt: str) -> dict[str, int]:
        tokens = len(prompt.replace(BOS, "x")) + self.adds_bos
        return {"prompt_tokens": tokens, "completion_tokens": 1, "total_tokens": tokens + 1}


@contextmanager
def serving(server: SmallServer) -> Iterator[SmallServer]:
    """The server on a free port of loopback, in a thread and an event loop of its own."""
    ready, stop = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def run() -> None:
        app = web.Application()
        for path in ("/v1/completions", "/v1/chat/completions"):
            app.router.add_post(path, server.handle)
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        server.url = f"http://{host}:{port}/v1"
        ready.set()
        await stop.wait()
        await runner.cleanup()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()))
    thread.start()
    try:
        assert ready.wait(30)
        yield server
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(30)
        loop.close()
