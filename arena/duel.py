"""Two answers at once: one task a side, and the process's clock for what is shown of them.

A duel reads each side's stream onto a :class:`~arena.screen.Screen` and tells how each side ended. It knows no database and no socket. What a side is
said to have answered is what was shown of it: a stop keeps nothing that the volunteer never saw.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field

from arena.clock import Clock
from arena.protocol import SideState
from arena.screen import Screen
from arena.types import AnswerStatus, FailCode, Side
from inference.errors import StreamError, StreamErrorCode
from inference.types import Done, FinishReason, Queued, Reasoning, StreamEvent

MOST_REVIVALS = 2
"""Of a side; then it stays dead."""

Source = Callable[[], AsyncGenerator[StreamEvent, None]]
Revive = Callable[[Side, StreamErrorCode], Awaitable[Source | None]]
"""Who goes on in place of a side that died, if anybody."""


@dataclass(slots=True)
class SideResult:
    """How one side ended, with its whole text. Tokens of an answer that a stop cut are not known."""

    side: Side
    status: AnswerStatus = AnswerStatus.PENDING
    text: str = ""
    reasoning: str = ""
    reason: str = ""
    code: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    queued_ms: int | None = None
    first_token_ms: int | None = None
    duration_ms: int = 0


@dataclass(slots=True)
class _Try:
    """One source, read from its first event to its last."""

    started: float = field(default_factory=time.perf_counter)
    thoughts: list[str] = field(default_factory=list)
    is_queued: bool = False

    def elapsed_ms(self) -> int:
        return round((time.perf_counter() - self.started) * 1000)


class Duel:
    """The generation of one turn's sides. :meth:`run` once; :meth:`stop` or :meth:`interrupt` from the same loop."""

    def __init__(
        self, sources: Mapping[Side, Source], screen: Screen, clock: Clock, *, revive: Revive | None = None
    ) -> None:
        self._sources = sources
        self._screen = screen
        self._clock = clock
        self._revive = revive
        self._revived: Counter[Side] = Counter()
        self._tasks: dict[Side, asyncio.Task[None]] = {}
        self._results = {side: SideResult(side=side) for side in sources}
        self._cut_reason: FinishReason | None = None
        self._was_cut = False

    async def run(self) -> list[SideResult]:
        """Read all sides to their ends, and show them. Errors of a side stay on that side."""
        self._clock.join(self._screen.tick)
        try:
            async with asyncio.TaskGroup() as group:
                for side, source in self._sources.items():
                    self._tasks[side] = group.create_task(self._guard(side, source))
                if self._was_cut:  # before this line was reached
                    self._cancel()
            for result in self._results.values():
                if result.status is AnswerStatus.PENDING:  # cut before its task took its first step
                    self._end_cut(result)
                    self._tell(result)
            if self._was_cut:
                self._screen.hurry(time.monotonic())
            await self._screen.shown.wait()
        finally:
            self._clock.leave(self._screen.tick)
        for result in self._results.values():
            result.text = self._screen.text(result.side)
        return list(self._results.values())

    def stop(self) -> None:
        """The volunteer's stop: both sides end together; what shows at least one token counts as complete."""
        if not self._was_cut:
            for side in self._screen.cut():
                self._shorten(self._results[side])
            self._cut(FinishReason.STOPPED)

    def interrupt(self) -> None:
        """Nobody waits any more: cancel upstream; unfinished sides are interrupted."""
        if not self._was_cut:
            self._cut(None)

    def _cut(self, reason: FinishReason | None) -> None:
        self._was_cut, self._cut_reason = True, reason
        self._screen.hurry(time.monotonic())
        self._cancel()

    def _cancel(self) -> None:
        for task in self._tasks.values():
            task.cancel()

    async def _guard(self, side: Side, source: Source) -> None:
        """One side from first byte to last, its end recorded and told."""
        result = self._results[side]
        result.status = AnswerStatus.STREAMING
        attempt = _Try()
        try:
            while not await self._succeeds(result, source, attempt):
                found = await self._successor(result)
                if found is None:
                    break
                source, attempt = found, _Try()
                result = self._results[side] = SideResult(side=side, status=AnswerStatus.STREAMING)
                self._screen.reset(side)
        except asyncio.CancelledError:
            if result.status is not AnswerStatus.FAILED:  # while somebody was looked for in its place
                self._end_cut(result)
            if not self._was_cut:
                raise
        finally:
            result.reasoning = "".join(attempt.thoughts)
            result.duration_ms = attempt.elapsed_ms()
            self._tell(result)

    async def _succeeds(self, result: SideResult, source: Source, attempt: _Try) -> bool:
        try:
            await self._read(result, source, attempt)
        except StreamError as error:
            self._fail(result, AnswerStatus.FAILED, error.code)
            return False
        finally:
            self._screen.wait_in_queue(result.side, 0)
        return True

    async def _successor(self, result: SideResult) -> Source | None:
        if self._revive is None or self._was_cut or self._revived[result.side] >= MOST_REVIVALS:
            return None
        self._revived[result.side] += 1
        return await self._revive(result.side, StreamErrorCode(result.code))

    async def _read(self, result: SideResult, source: Source, attempt: _Try) -> None:
        """Until the source ends. Nothing is shown between ticks, so all that came since the last one is read at once when the next begins."""
        async with aclosing(source()) as events:  # closing the generator closes its connection upstream
            async for event in events:
                if isinstance(event, Queued):
                    self._wait(result, event, attempt)
                    continue
                if attempt.is_queued:
                    self._wait(result, Queued(0), attempt)
                if isinstance(event, Done):
                    result.status, result.reason = AnswerStatus.COMPLETE, event.finish_reason.value
                    result.prompt_tokens = event.prompt_tokens
                    result.completion_tokens = event.completion_tokens
                    return
                if result.first_token_ms is None:
                    result.first_token_ms = attempt.elapsed_ms()
                if isinstance(event, Reasoning):
                    attempt.thoughts.append(event.text)
                else:
                    self._screen.feed(result.side, event.text)
                await self._clock.tick()
        self._fail(result, AnswerStatus.FAILED, StreamErrorCode.MALFORMED)

    def _wait(self, result: SideResult, event: Queued, attempt: _Try) -> None:
        """The side's place in the queue, or with 0 the end of its wait."""
        attempt.is_queued = event.position > 0
        result.queued_ms = attempt.elapsed_ms()
        self._screen.wait_in_queue(result.side, event.position)

    def _end_cut(self, result: SideResult) -> None:
        if self._cut_reason is None:
            self._fail(result, AnswerStatus.INTERRUPTED, FailCode.INTERRUPTED)
        elif self._screen.text(result.side).strip():
            result.status, result.reason = AnswerStatus.COMPLETE, self._cut_reason.value
        else:
            self._fail(result, AnswerStatus.FAILED, FailCode.EMPTY)

    def _shorten(self, result: SideResult) -> None:
        """A side that had ended already, before all of it was shown."""
        if result.status is AnswerStatus.COMPLETE:
            result.reason, result.completion_tokens = FinishReason.STOPPED.value, None
            self._tell(result)

    @staticmethod
    def _fail(result: SideResult, status: AnswerStatus, code: FailCode | StreamErrorCode) -> None:
        result.status, result.code = status, code.value

    def _tell(self, result: SideResult) -> None:
        if result.code:
            result.code = _told(result.code).value
        self._screen.end(result.side, SideState(result.status, result.reason, result.code))


def _told(code: str) -> FailCode:
    try:
        return FailCode(code)
    except ValueError:
        return FailCode.OTHER
