"""A volunteer's whole way: consent, a message or two, two answers that are followed over lines that break, the vote."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from itertools import count
from typing import Any
from uuid import uuid4

import aiohttp

from arena.protocol import SUBPROTOCOL
from arena.types import Side
from tests.arena.turns import PageSide
from tests.faults.browser import BROKEN, Browser, GaveUp, judged, pause_s
from tests.faults.ledger import Acknowledged, Shown

_SILENCE_S = 20.0
_LOST_LINE = 0.02
"""Of frames with text: after how many the line is lost on purpose."""
_MORE = 0.25
_BAD = {"failed", "interrupted"}
_AGAIN = {"not_ready", "no_models"}


class _Lost(Exception):
    """The line is to be opened again."""


class Player:
    def __init__(self, browser: Browser) -> None:
        self._browser, self._ledger, self._chance = browser, browser.ledger, browser.chance
        self._battle = self._key = self._status = ""
        self._turn, self._wanted = 0, 0
        self._panes: dict[Side, PageSide] = {}

    async def play(self) -> None:
        """Raises :class:`GaveUp` where the site never came back."""
        await self._consent()
        await self._ask()
        while self._chance.random() < _MORE and self._wanted < 3:
            await self._ask()
        content, language = judged(self._chance)
        vote = Acknowledged(self._battle, content, language)
        await self._browser.vote(self._battle, content, language, lambda: self._ledger.votes.append(vote))

    async def _consent(self) -> None:
        await self._browser.ask("GET", "/")
        status, body = await self._browser.ask("POST", "/consent/", {"adult": "on"})
        if status != 302 or "sessionid" not in self._browser.cookies:
            self._ledger.wrong.append(f"consent: {status} {body[:100]}")

    async def _ask(self) -> None:
        """One message, and both of its answers read to their end, whatever it takes."""
        self._wanted, self._key, self._status = self._wanted + 1, str(uuid4()), ""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._browser.patience_s
        for tried in count():
            try:
                await self._line()
            except (_Lost, *BROKEN) as lost:
                self._ledger.answers[f"line {type(lost).__name__} {lost}"[:60]] += 1
            else:
                return
            if loop.time() > until:
                raise GaveUp(
                    f"turn {self._wanted} of battle {self._battle or 'none'} is {self._status or 'unheard'}"
                )
            await asyncio.sleep(pause_s(self._chance, tried))

    async def _line(self) -> None:
        """Open a line and read it until the turn is ready."""
        browser, web = self._browser, self._browser.some_web()
        address = f"{browser.addresses[web]}/ws/battle/"
        opening = browser.http.ws_connect(
            address, protocols=[SUBPROTOCOL], headers=browser.headers(web), heartbeat=10
        )
        async with asyncio.timeout(_SILENCE_S):
            socket = await opening
        try:
            await self._begin(socket)
            while self._status != "ready" or self._turn != self._wanted or not self._has_ends():
                await self._take(socket, await self._frame(socket), web)
            self._ledger.shown.append(Shown(self._battle, self._turn, self._panes))
            self._ledger.succeed("ready", web)
        finally:
            with suppress(*BROKEN):
                await asyncio.wait_for(socket.close(), 5)

    async def _begin(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        if not self._battle:
            await self._say(socket, "turn", text=f"Kaixo, {self._key}", key=self._key)
            return
        offsets = {side.value: len(pane.sealed) for side, pane in self._panes.items()}
        attempts = {side.value: pane.attempt for side, pane in self._panes.items()}
        await self._say(
            socket, "resume", battle=self._battle, turn=self._turn, offsets=offsets, attempts=attempts
        )

    async def _say(self, socket: aiohttp.ClientWebSocketResponse, kind: str, **fields: object) -> None:
        await socket.send_json({"type": kind, **fields})

    async def _frame(self, socket: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
        async with asyncio.timeout(_SILENCE_S):  # the client's own time-out begins anew with each pong
            message = await socket.receive()
        if message.type is not aiohttp.WSMsgType.TEXT:
            raise _Lost(f"closed {socket.close_code}")
        frame: dict[str, Any] = json.loads(message.data)
        return frame

    async def _take(self, socket: aiohttp.ClientWebSocketResponse, frame: dict[str, Any], web: str) -> None:
        kind = frame["type"]
        if kind == "refused":
            self._refused(frame["code"])
        if kind == "state":
            await self._state(socket, frame, web)
        try:
            for pane in self._panes.values():
                pane.take(frame)
        except AssertionError as error:
            self._ledger.wrong.append(f"battle {self._battle}: {error}")
            raise _Lost("out of step") from None
        if kind == "failed":
            self._ledger.answers[f"side failed: {frame['code']}"] += 1
        if kind == "render":
            self._ledger.succeed("text", web)
            if self._chance.random() < _LOST_LINE:
                self._drop(socket)
                raise _Lost("on purpose")

    def _refused(self, code: str) -> None:
        self._ledger.answers[f"refused: {code}"] += 1
        if code not in _AGAIN:
            self._ledger.wrong.append(f"battle {self._battle}: refused as {code}")
        raise _Lost(f"refused {code}")

    async def _state(self, socket: aiohttp.ClientWebSocketResponse, frame: dict[str, Any], web: str) -> None:
        if self._battle not in {"", frame["battle"]}:
            self._ledger.wrong.append(f"battle {self._battle} became {frame['battle']}")
        self._battle, self._status = frame["battle"], frame["status"]
        if frame["turn"] != self._turn:
            self._turn, self._panes = frame["turn"], {side: PageSide(side) for side in Side}
        if self._turn < self._wanted:  # the message itself was lost on the way
            await self._say(socket, "turn", text=f"Eta gero, {self._key}", key=self._key)
            return
        if self._key not in self._ledger.turns:
            self._ledger.turns[self._key] = self._battle
            self._ledger.succeed("turn", web)
        ends = {side: frame["sides"][side]["status"] for side in ("A", "B")}
        if self._status == "answering" and set(ends.values()) <= {"complete", *_BAD}:
            bad = next((side for side, status in ends.items() if status in _BAD), None)
            if bad is not None:
                await asyncio.sleep(self._chance.uniform(0.2, 0.8))
                await self._say(socket, "retry", side=bad)

    def _has_ends(self) -> bool:
        return bool(self._panes) and all(pane.end == "done" for pane in self._panes.values())

    def _drop(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Half of the times without a word, as a phone does."""
        connection = socket._response.connection
        if self._chance.random() < 0.5 and connection is not None and connection.transport is not None:
            connection.transport.abort()
