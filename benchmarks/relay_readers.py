"""How a volunteer of the relay's benchmark plays a battle on each kind of server, and what is noted of it."""

from __future__ import annotations

import asyncio
import re
import time
from array import array
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol
from uuid import uuid4

import aiohttp
import msgspec

from benchmarks.relay_clock import SendTimes
from benchmarks.relay_text import MARK

QUESTION = "Zer da hori? Azal ezazu."
"""Without the mark, since Gradio sends it back."""
SUBPROTOCOL = "lehia.v1"
# what a browser offers, which the site may take up: 15 bits is the widest window
DEFLATE_BITS = 15
_NUMBER = re.compile(rf"(\d+){MARK}")


class Refusal(Exception):
    """The server did not play the battle to its end."""


@dataclass(slots=True)
class Pane:
    """One side of a battle as its volunteer sees it."""

    asked: float
    stream: int = -1
    shown: int = 0
    sealed: int = 0


@dataclass(slots=True)
class Meter:
    """Milliseconds of what came while it counts."""

    times: SendTimes
    counts: bool = False
    frames: int = 0
    added_ms: array[float] = field(default_factory=lambda: array("d"))
    first_ms: array[float] = field(default_factory=lambda: array("d"))

    def show(self, pane: Pane, tokens: int, text: str) -> None:
        """The side shows so many tokens now; *text* holds the first of them, as long as none were shown."""
        now = time.monotonic()
        self.frames += self.counts
        if pane.stream < 0:
            if (found := _NUMBER.search(text)) is None:
                return
            pane.stream = int(found[1])
            if self.counts:
                self.first_ms.append(1000 * (now - pane.asked))
        if self.counts:
            for token in range(pane.shown, tokens):
                self.added_ms.append(1000 * (now - self.times.of(pane.stream, token)))
        pane.shown = max(pane.shown, tokens)


class Visitor(Protocol):
    """A volunteer: comes in once, then plays battles of one message. ``battle`` raises :class:`Refusal`."""

    def __init__(
        self, http: aiohttp.ClientSession, url: str, meter: Meter, leaving: asyncio.Event
    ) -> None: ...

    async def enter(self) -> None: ...

    async def battle(self) -> None: ...


class Frame(msgspec.Struct):
    """Those of the site, and ``delta`` of the bare relays."""

    type: str
    battle: str = ""
    code: str = ""
    side: str = ""
    sealed: list[str] = []
    open: str = ""
    text: str = ""
    status: str = ""


_frame = msgspec.json.Decoder(Frame).decode


class SocketVisitor:
    """On a server that speaks the site's frames, without a door."""

    compress = 0

    def __init__(self, http: aiohttp.ClientSession, url: str, meter: Meter, leaving: asyncio.Event) -> None:
        self._http, self._url, self._meter, self._leaving = http, url, meter, leaving
        self._headers: dict[str, str] = {}
        self.played = ""
        """The battle that was played last, where they have names."""

    async def enter(self) -> None:
        """Nobody asks who comes."""

    def line(self) -> AbstractAsyncContextManager[aiohttp.ClientWebSocketResponse]:
        """The socket that a page opens."""
        return self._http.ws_connect(
            f"{self._url}/ws/battle/",
            protocols=[SUBPROTOCOL],
            headers=self._headers | {"Origin": self._url},
            compress=self.compress,
        )

    async def battle(self) -> None:
        async with self.line() as socket:
            leave = asyncio.create_task(self._leave(socket))
            try:
                await self._read(socket)
            finally:
                leave.cancel()

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        await socket.send_json({"type": "turn", "text": QUESTION, "key": str(uuid4())})
        asked = time.monotonic()
        panes = {"A": Pane(asked), "B": Pane(asked)}
        async for message in socket:
            frame = _frame(message.data)
            if frame.type == "render":
                pane = panes[frame.side]
                pane.sealed += sum(block.count(MARK) for block in frame.sealed)
                text = frame.open if not frame.sealed else frame.sealed[0]
                self._meter.show(pane, pane.sealed + frame.open.count(MARK), text)
            elif frame.type == "delta":
                pane = panes[frame.side]
                self._meter.show(pane, pane.shown + frame.text.count(MARK), frame.text)
            elif frame.type in {"failed", "refused"}:
                raise Refusal(f"{frame.type} {frame.code}")
            elif frame.type == "state" and frame.status == "ready":
                self.played = frame.battle
                return
        raise Refusal("closed")

    async def _leave(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """When the crowd leaves, battles are not played to their ends."""
        await self._leaving.wait()
        await socket.close()


class SiteVisitor(SocketVisitor):
    """On the site, as a browser: the page, the consent and its session, a socket that offers compression, a stop when leaving."""

    compress = DEFLATE_BITS

    async def enter(self) -> None:
        async with self._http.get(f"{self._url}/", headers=self._headers) as page:
            page.raise_for_status()
            cookies = {name: each.value for name, each in page.cookies.items()}
        self._form = {
            "X-CSRFToken": cookies["csrftoken"],
            "Referer": f"{self._url}/",
            "Accept": "application/json",
        }
        self._headers |= {"Cookie": _cookie(cookies)}
        async with self._http.post(
            f"{self._url}/consent/", data={"adult": "on"}, headers=self.posting()
        ) as consent:
            consent.raise_for_status()
            cookies |= {name: each.value for name, each in consent.cookies.items()}
        self.session = cookies["sessionid"]
        self._headers |= {"Cookie": _cookie(cookies)}

    def posting(self) -> dict[str, str]:
        """Headers of a form."""
        return self._headers | self._form

    async def _leave(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        await self._leaving.wait()
        await socket.send_json({"type": "stop"})


def _cookie(cookies: dict[str, str]) -> str:
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


class _Output(msgspec.Struct):
    data: list[msgspec.Raw] = []


class _Update(msgspec.Struct):
    msg: str
    output: _Output | None = None
    success: bool = True


_update = msgspec.json.Decoder(_Update).decode
_edits = msgspec.json.Decoder(list[tuple[str, list[int | str], msgspec.Raw]]).decode


class GradioVisitor(SocketVisitor):
    """On Gradio's queue as its own client uses it: the first update is whole, the others are edits of it."""

    async def battle(self) -> None:
        session = uuid4().hex
        asked = time.monotonic()
        body = {"data": [QUESTION], "fn_index": 0, "session_hash": session}
        async with self._http.post(f"{self._url}/gradio_api/queue/join", json=body) as joined:
            joined.raise_for_status()
        panes = (Pane(asked), Pane(asked))
        async with self._http.get(
            f"{self._url}/gradio_api/queue/data", params={"session_hash": session}
        ) as updates:
            whole = True
            async for line in updates.content:
                if not line.startswith(b"data:"):
                    continue
                update = _update(line[5:])
                if not update.success:
                    raise Refusal(update.msg)
                if update.msg == "process_completed":
                    return
                if update.msg == "process_generating" and update.output:
                    for pane, data in zip(panes, update.output.data, strict=True):
                        self.update(pane, data, whole=whole)
                    whole = False
        raise Refusal("closed")

    def update(self, pane: Pane, data: msgspec.Raw, *, whole: bool) -> None:
        raw = bytes(data).decode()
        if whole:
            self._meter.show(pane, raw.count(MARK), raw)
            return
        tokens = pane.shown
        for action, _path, value in _edits(data):
            told = bytes(value).decode().count(MARK)
            tokens = told if action == "replace" else tokens + told
        if tokens != pane.shown:
            self._meter.show(pane, tokens, raw)


READERS: dict[str, type[Visitor]] = {
    "lehia": SiteVisitor,
    "bare": SocketVisitor,
    "openai": SocketVisitor,
    "gradio": GradioVisitor,
    "gradio-tuned": GradioVisitor,
}
