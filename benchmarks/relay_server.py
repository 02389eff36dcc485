"""``python -m benchmarks.relay_server``: a model server that costs next to nothing: 50 tokens a second a stream unless told otherwise, one timer for all of them.

It speaks as much HTTP as the relays need. Chunks are made beforehand; what it sends is what vLLM sends. ``GET /stats`` tells how late its timer was.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import time
from pathlib import Path
from typing import cast

import uvloop

from benchmarks.relay_clock import SendTimes
from benchmarks.relay_text import MARK, answer

TOKENS_A_SECOND = 50
SLOTS = 10
"""Streams are spread over so many moments of a token's time."""
SCRIPTS = 16
_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"
)


def chunk(data: str) -> bytes:
    """An event as a chunk of HTTP."""
    event = f"data: {data}\n\n".encode()
    return b"%x\r\n%s\r\n" % (len(event), event)


def _payload(**fields: object) -> str:
    common = {"id": "chatcmpl-0f6d1b", "object": "chat.completion.chunk", "created": 1763000000, "model": "m"}
    return json.dumps(common | fields, separators=(",", ":"), ensure_ascii=False)


def _choice(**fields: object) -> str:
    return _payload(choices=[{"index": 0, "logprobs": None, "finish_reason": None} | fields])


def text_chunk(text: str) -> bytes:
    return chunk(_choice(delta={"content": text}))


def last_chunks(tokens: int) -> bytes:
    usage = {"prompt_tokens": 20, "total_tokens": 20 + tokens, "completion_tokens": tokens}
    end = _choice(delta={}, finish_reason="stop", stop_reason=None)
    return chunk(end) + chunk(_payload(choices=[], usage=usage)) + chunk("[DONE]") + b"0\r\n\r\n"


class Wheel:
    """The one timer: each step serves one slot's streams."""

    def __init__(self, times: SendTimes, tokens: int, rate: float) -> None:
        self.tokens = tokens
        self._step_s = 1 / rate / SLOTS
        self._times = times
        self._scripts = [[text_chunk(word) for word in answer(seed, tokens)] for seed in range(SCRIPTS)]
        self._end = last_chunks(tokens)
        self._slots: list[dict[int, Stream]] = [{} for _ in range(SLOTS)]
        self._started = 0
        self._step = 0
        self.late_ms: list[float] = []

    def add(self, transport: asyncio.Transport) -> tuple[int, int]:
        """Begin a stream, whose first token comes at the next step. Returns its slot and number."""
        number, slot = self._started, self._step % SLOTS
        self._started += 1
        self._slots[slot][number] = Stream(transport)
        return slot, number

    def remove(self, slot: int, number: int) -> None:
        self._slots[slot].pop(number, None)

    async def turn(self) -> None:
        """Serve slot after slot, for ever; steps that were missed are made up for."""
        began = time.monotonic()
        while True:
            self._step += 1
            due = began + self._step * self._step_s
            if (wait := due - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            self.late_ms.append(1000 * (time.monotonic() - due))
            self._serve(self._slots[self._step % SLOTS])

    def _serve(self, streams: dict[int, Stream]) -> None:
        for number, stream in list(streams.items()):
            token = stream.sent
            chunks = self._scripts[number % SCRIPTS]
            data = chunks[token] if token else text_chunk(f"{number}{MARK}")
            stream.sent += 1
            self._times.note(number, token, time.monotonic())
            if stream.sent < self.tokens:
                stream.transport.write(data)
            else:
                stream.transport.write(data + self._end)
                del streams[number]


class Stream:
    """A response under way."""

    __slots__ = ("sent", "transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self.sent = 0


class Connection(asyncio.Protocol):
    """One client's connection, one request at a time."""

    def __init__(self, wheel: Wheel) -> None:
        self._wheel = wheel
        self._received = b""
        self._place: tuple[int, int] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own class

    def connection_lost(self, exc: Exception | None) -> None:
        if self._place is not None:
            self._wheel.remove(*self._place)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, complete, body = self._received.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        if not complete or len(body) < int(length or 0):
            return
        self._received = body[int(length or 0) :]
        if head.startswith(b"POST"):
            self._transport.write(_HEAD + chunk(_choice(delta={"role": "assistant", "content": ""})))
            self._place = self._wheel.add(self._transport)
        else:
            self._tell(self._stats() if head.startswith(b"GET /stats") else {"data": []})

    def _stats(self) -> dict[str, float]:
        late, self._wheel.late_ms = sorted(self._wheel.late_ms), []
        return {
            "late_p99_ms": round(late[len(late) * 99 // 100], 1) if late else 0.0,
            "cpu_s": time.process_time(),
        }

    def _tell(self, found: object) -> None:
        body = json.dumps(found).encode()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        self._transport.write(head + body)


async def serve(port: int, times: Path, tokens: int, rate: float) -> None:
    wheel = Wheel(SendTimes(times, tokens), tokens, rate)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(wheel), "127.0.0.1", port, backlog=4096)
    turning = asyncio.create_task(wheel.turn())
    loop.add_signal_handler(signal.SIGTERM, turning.cancel)
    async with server:
        await asyncio.wait([turning])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.relay_server", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--times", type=Path, required=True, help="the file for the times of sending")
    parser.add_argument("--tokens", type=int, required=True, help="tokens of an answer")
    parser.add_argument("--rate", type=float, default=TOKENS_A_SECOND, help="tokens a second of a stream")
    options = parser.parse_args()
    uvloop.run(serve(options.port, options.times, options.tokens, options.rate))


if __name__ == "__main__":
    main()
