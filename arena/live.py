"""A turn while it is written: what any number of sockets may follow and resume, without queues.

Followers keep only how many sealed blocks of each side they hold; each wake-up sends what they lack. A slow socket therefore skips
intermediate open blocks and never makes the writer wait. Single event loop, no locks.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from arena import protocol, transcript
from arena.protocol import ServerFrame, SideState
from arena.types import AnswerStatus, BattleStatus, FailCode, Side


@dataclass(slots=True)
class _Pane:
    stream: transcript.MarkdownStream = field(default_factory=transcript.MarkdownStream)
    sealed: list[str] = field(default_factory=list)
    open_block: str = ""
    state: SideState = field(default_factory=lambda: SideState(AnswerStatus.PENDING))
    fresh: bool = False

    def flush(self) -> bool:
        if not self.fresh:
            return False
        self.sealed += self.stream.take_sealed()
        self.open_block = self.stream.open_block()
        self.fresh = False
        return True

    def seal(self) -> None:
        self.sealed += self.stream.finish()
        self.open_block = ""
        self.fresh = False


class LiveTurn:
    """One turn's panes, its status, and the followers' wake-up."""

    def __init__(self, *, battle_id: UUID, turn_index: int) -> None:
        self.battle_id = battle_id
        self.turn_index = turn_index
        self.status = BattleStatus.ANSWERING
        self.followers = 0
        self.ended = False
        self._panes = {side: _Pane() for side in Side}
        self._version = 0
        self._changed = asyncio.Event()

    def place(self, side: Side, text: str, reason: str) -> None:
        """Put a side that is already complete (kept while the other is retried)."""
        self._panes[side].stream.feed(text)
        self.complete(side, reason)

    def begin(self, side: Side) -> None:
        self._panes[side].state = SideState(AnswerStatus.STREAMING)
        self._wake()

    def feed(self, side: Side, text: str) -> None:
        pane = self._panes[side]
        pane.stream.feed(text)
        pane.fresh = True

    def flush(self) -> None:
        """Render both sides' news on the same tick."""
        flushed = [pane.flush() for pane in self._panes.values()]
        if True in flushed:
            self._wake()

    def complete(self, side: Side, reason: str) -> None:
        pane = self._panes[side]
        pane.seal()
        pane.state = SideState(AnswerStatus.COMPLETE, reason=reason)
        self._wake()

    def fail(self, side: Side, status: AnswerStatus, code: str) -> None:
        pane = self._panes[side]
        pane.seal()
        pane.state = SideState(status, code=code)
        self._wake()

    def end(self, status: BattleStatus) -> None:
        """The turn is stored: followers get the battle's status and leave."""
        self.status = status
        self.ended = True
        self._wake()

    def state_frame(self) -> ServerFrame:
        return protocol.state(
            battle=self.battle_id,
            turn=self.turn_index,
            status=self.status,
            sides={side: pane.state for side, pane in self._panes.items()},
        )

    async def follow(self, offsets: Mapping[Side, int]) -> AsyncGenerator[ServerFrame, None]:
        """Frames from these sealed-block counts on, until the turn is stored; starts and ends with ``state``."""
        held = {side: min(offsets.get(side, 0), len(pane.sealed)) for side, pane in self._panes.items()}
        told: dict[Side, SideState] = {}
        shown: dict[Side, str] = {}
        self.followers += 1
        try:
            yield self.state_frame()
            while True:
                version, ended = self._version, self.ended
                for side in Side:
                    for frame in self._news(side, held, shown, told):
                        yield frame
                if ended:
                    break
                await self._wait(version)
            yield self.state_frame()
        finally:
            self.followers -= 1

    def _news(
        self, side: Side, held: dict[Side, int], shown: dict[Side, str], told: dict[Side, SideState]
    ) -> list[ServerFrame]:
        pane = self._panes[side]
        frames: list[ServerFrame] = []
        if len(pane.sealed) > held[side] or pane.open_block != shown.get(side, ""):
            sealed = pane.sealed[held[side] :]
            frames.append(
                protocol.render(side=side, seq=len(pane.sealed), sealed=sealed, open_block=pane.open_block)
            )
            held[side], shown[side] = len(pane.sealed), pane.open_block
        if pane.state.status.ended and told.get(side) != pane.state:
            told[side] = pane.state
            frames.append(_end_frame(side, pane.state))
        return frames

    async def _wait(self, version: int) -> None:
        while self._version == version:
            await self._changed.wait()

    def _wake(self) -> None:
        self._version += 1
        self._changed.set()
        self._changed = asyncio.Event()


def _end_frame(side: Side, state: SideState) -> ServerFrame:
    if state.status is AnswerStatus.COMPLETE:
        return protocol.done(side=side, reason=state.reason)
    return protocol.failed(side=side, code=FailCode(state.code))
