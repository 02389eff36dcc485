"""A turn while it is written: what any number of sockets may follow and resume, without queues.

It is fed with beats, by the process that answers or from Valkey, and renders the same either way. Followers keep only how many sealed blocks of
each side they hold; each wake-up sends what they lack. A slow socket therefore skips intermediate open blocks and never makes the writer wait.
Single event loop, no locks.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from uuid import UUID

from arena import protocol, transcript
from arena.beats import Beat, Change
from arena.protocol import Held, ServerFrame, SideState
from arena.types import AnswerStatus, BattleStatus, FailCode, Side

LONG_BLOCK_CHARS = 2000
"""An open block is rendered anew at each flush; of so much text only at every second one, of twice as much at every third, and so on."""


class _Pane:
    __slots__ = ("fed", "fresh", "open_block", "sealed", "state", "stream")

    def __init__(self, attempt: int = 0) -> None:
        self.stream = transcript.MarkdownStream()
        self.sealed: list[str] = []
        self.open_block = ""
        self.state = SideState(AnswerStatus.PENDING, attempt=attempt)
        self.fed = 0
        self.fresh = False

    def take(self, change: Change) -> None:
        """Add what is new in a change of this attempt. After a gap nothing is: a beat that holds everything will follow."""
        if change.at > self.fed:
            return
        if text := change.text[self.fed - change.at :]:
            self.stream.feed(text)
            self.fed += len(text)
            self.fresh = True
            if self.state.status is AnswerStatus.PENDING:
                self.state = SideState(AnswerStatus.STREAMING, attempt=change.attempt)
        if change.end is not None and change.end != self.state:
            self.state = change.end
            self.fresh = True

    def render(self) -> None:
        if self.state.status.ended:
            self.sealed += self.stream.finish()
            self.open_block = ""
        else:
            self.sealed += self.stream.take_sealed()
            self.open_block = self.stream.open_block()
        self.fresh = False


class LiveTurn:
    """One turn's panes, its status, and the followers' wake-up."""

    def __init__(
        self, *, battle_id: UUID, turn_index: int, attempts: Mapping[Side, int] | None = None
    ) -> None:
        self.battle_id = battle_id
        self.turn_index = turn_index
        self.status = BattleStatus.ANSWERING
        self.queue = 0
        self.followers = 0
        self.ended = False
        self.lost = False
        self._rest = 0
        self._panes = {side: _Pane((attempts or {}).get(side, 0)) for side in Side}
        self._version = 0
        self._changed = asyncio.Event()
        self._opened = asyncio.Event()

    def take(self, beat: Beat) -> None:
        """Add a beat's news; :meth:`flush` shows them. What is told of attempts that are over changes nothing."""
        is_old = False
        for side, change in beat.changes():
            attempt = self._panes[side].state.attempt
            if change.attempt < attempt:
                is_old = True
                continue
            if change.attempt > attempt:
                self._panes[side] = _Pane(change.attempt)
            self._panes[side].take(change)
        if beat.queue is not None:
            self.queue = beat.queue
        if beat.status is not None and not is_old:
            self.status, self.ended = beat.status, True
        self._opened.set()

    @property
    def is_behind(self) -> bool:
        """Whether followers lack what was taken: another :meth:`flush` is due."""
        return self.followers > 0 and any(pane.fresh for pane in self._panes.values())

    def flush(self) -> None:
        """Render both sides' news and wake the followers; where there are none, the next one to come has it rendered.

        Both sides rest alike after a long block, so that it does not tell whose it is.
        """
        has_end = any(pane.fresh and pane.state.status.ended for pane in self._panes.values())
        if self._rest and not has_end:
            self._rest -= 1
        elif self.followers or self.ended:
            self._render()
            longest = max(pane.stream.open_chars for pane in self._panes.values())
            self._rest = longest // LONG_BLOCK_CHARS
        self._version += 1
        self._changed.set()
        self._changed = asyncio.Event()

    def open(self) -> None:
        """Let followers begin even though no beat has come."""
        self._opened.set()

    def lose(self) -> None:
        """No beats will come any more: followers leave, and find the turn in the database. Nothing where it has ended."""
        if not self.ended:
            self.lost = True
            self.open()
            self.flush()

    def state_frame(self) -> ServerFrame:
        return protocol.state(
            battle=self.battle_id,
            turn=self.turn_index,
            status=self.status,
            sides={side: pane.state for side, pane in self._panes.items()},
        )

    async def follow(self, held: dict[Side, Held]) -> AsyncGenerator[ServerFrame, None]:
        """Frames from what is *held* on, which is kept up to date, until the turn is stored or lost; starts and ends with ``state``."""
        follower = _Follower(held)
        self.followers += 1
        try:
            await self._opened.wait()
            self._render()
            follower.begin(self._panes)
            yield self.state_frame()
            while True:
                version, ended = self._version, self.ended
                if follower.begin(self._panes):
                    yield self.state_frame()
                for frame in follower.news(self._panes, self.queue):
                    yield frame
                if self.lost:
                    return
                if ended:
                    break
                while self._version == version:
                    await self._changed.wait()
            yield self.state_frame()
        finally:
            self.followers -= 1

    def _render(self) -> None:
        for pane in self._panes.values():
            if pane.fresh:
                pane.render()


class _Follower:
    """What one socket was told."""

    def __init__(self, held: dict[Side, Held]) -> None:
        self._held = held
        self._told: dict[Side, SideState] = {}
        self._open: dict[Side, str] = {}
        self._queue = 0
        for side in Side:
            held.setdefault(side, Held())

    def begin(self, panes: Mapping[Side, _Pane]) -> bool:
        """Turn to the sides' present attempts; whether one began anew, so that the socket has to be told."""
        anew = False
        for side, pane in panes.items():
            if pane.state.attempt and self._held[side].turn_to(pane.state.attempt):
                anew = True
                self._told.pop(side, None)
                self._open.pop(side, None)
        return anew

    def news(self, panes: Mapping[Side, _Pane], queue: int) -> list[ServerFrame]:
        frames = [frame for side, pane in panes.items() for frame in self._side(side, pane)]
        if queue != self._queue:
            self._queue = queue
            frames.append(protocol.queue(queue))
        return frames

    def _side(self, side: Side, pane: _Pane) -> list[ServerFrame]:
        frames: list[ServerFrame] = []
        held, seq = self._held[side], len(pane.sealed)
        news = seq > held.sealed or pane.open_block != self._open.get(side, "")
        if news and seq >= held.sealed:  # a page may be ahead of what came through Valkey so far
            sealed = pane.sealed[held.sealed :]
            frames.append(protocol.render(side=side, seq=seq, sealed=sealed, open_block=pane.open_block))
            held.sealed, self._open[side] = seq, pane.open_block
        if pane.state.status.ended and self._told.get(side) != pane.state:
            self._told[side] = pane.state
            frames.append(_end_frame(side, pane.state))
        return frames


def _end_frame(side: Side, state: SideState) -> ServerFrame:
    if state.status is AnswerStatus.COMPLETE:
        return protocol.done(side=side, reason=state.reason)
    return protocol.failed(side=side, code=FailCode(state.code))
