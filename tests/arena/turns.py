"""Turns without a database, for tests of what pages see."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from uuid import UUID

from arena.clock import Clock
from arena.duel import Duel, Revive, SideResult, Source
from arena.live import LiveTurn
from arena.pacing import Pacing, Unpaced
from arena.protocol import Held, ServerFrame
from arena.screen import Screen
from arena.types import BattleStatus, Side
from inference.errors import ServerFailed
from inference.types import Delta, Done, FinishReason, StreamEvent

Events = AsyncGenerator[StreamEvent, None]
BATTLE = UUID(int=1)


def words(*texts: str, gate: asyncio.Event | None = None, fail: bool = False) -> Callable[[], Events]:
    """A source of these texts; the gate is waited for before each but the first."""

    async def stream() -> Events:
        for index, text in enumerate(texts):
            if index and gate is not None:
                await gate.wait()
            yield Delta(text)
        if fail:
            raise ServerFailed("scripted")
        yield Done(FinishReason.STOP, 3, len(texts))

    return stream


def events(*given: StreamEvent, then: asyncio.Event | None = None) -> Callable[[], Events]:
    """A source of these events, which goes on to its end once *then* is set."""

    async def stream() -> Events:
        for event in given:
            yield event
        if then is not None:
            await then.wait()
        yield Delta("amaiera")
        yield Done(FinishReason.STOP)

    return stream


def nothing_yet() -> Events:
    async def stream() -> Events:
        await asyncio.Event().wait()
        yield Delta("never")

    return stream()


class Table:
    """A turn whose sides are read, shown and followed in this loop."""

    def __init__(
        self, a: Source, b: Source, *, pacing: Pacing | None = None, revive: Revive | None = None
    ) -> None:
        sources = {Side.A: a, Side.B: b}
        self.live = new_turn()
        self.screen = Screen(self.live, attempts=dict.fromkeys(Side, 1), pacing=pacing or Unpaced(Side))
        self.duel = Duel(sources, self.screen, Clock(), revive=revive)
        self.screen.open(set(Side), {})

    async def run(self) -> dict[Side, SideResult]:
        return {result.side: result for result in await self.duel.run()}

    def start(self) -> asyncio.Task[dict[Side, SideResult]]:
        return asyncio.create_task(self.run())

    async def seen(self, held: dict[Side, int] | None = None) -> list[ServerFrame]:
        """What a page that comes after the end gets."""
        self.screen.close(BattleStatus.READY, {})
        return await followed(self.live, held)


def new_turn() -> LiveTurn:
    return LiveTurn(battle_id=BATTLE, turn_index=1)


async def followed(live: LiveTurn, held: dict[Side, int] | None = None) -> list[ServerFrame]:
    offsets = {side: Held(sealed) for side, sealed in (held or {}).items()}
    return [frame async for frame in live.follow(offsets)]


async def until(
    frames: AsyncGenerator[ServerFrame, None], wanted: Callable[[ServerFrame], bool]
) -> list[ServerFrame]:
    """The frames up to the wanted one."""
    found = []
    async for frame in frames:
        found.append(frame)
        if wanted(frame):
            break
    return found


def of_kind(kind: str, side: Side | None = None) -> Callable[[ServerFrame], bool]:
    return lambda frame: frame["type"] == kind and (side is None or frame["side"] == side.value)


def html_of(frames: Iterable[ServerFrame], side: Side) -> str:
    """What a page shows after these frames."""
    return PageSide(side).after(frames)


class PageSide:
    """One pane of a page, as the browser's reducer keeps it. A frame that does not fit fails the test."""

    def __init__(self, side: Side) -> None:
        self.side = side
        self.attempt = 0
        self.sealed: list[str] = []
        self.open = ""
        self.end = ""

    def after(self, frames: Iterable[ServerFrame]) -> str:
        for frame in frames:
            self.take(frame)
        return "".join(self.sealed) + self.open

    def take(self, frame: ServerFrame) -> None:
        if frame["type"] == "state":
            self._begin(frame)
        if frame.get("side") != self.side.value:
            return
        if frame["type"] == "render":
            sealed, seq = frame["sealed"], frame["seq"]
            assert isinstance(sealed, list)
            assert seq == len(self.sealed) + len(sealed), "text was lost or doubled"
            self.sealed += sealed
            self.open = str(frame["open"])
        else:
            self.end = str(frame["type"])

    def _begin(self, frame: ServerFrame) -> None:
        sides = frame["sides"]
        assert isinstance(sides, dict)
        told = int(sides[self.side.value]["attempt"])
        if told and self.attempt and told != self.attempt:
            self.sealed, self.open, self.end = [], "", ""
        self.attempt = told or self.attempt
