"""Two answers at once: one task a side, one clock for both.

A duel reads each side's stream into a :class:`~arena.live.LiveTurn` and tells how each side ended. It knows no database and no socket. Both sides
are shown on the same tick (30 ms, stretching to 100 ms when the loop falls behind), so that cadence tells nothing about who writes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field

from arena.live import LiveTurn
from arena.types import AnswerStatus, FailCode, Side
from inference.errors import StreamError
from inference.types import Delta, Done, FinishReason

TICK_S = 0.03
SLOWEST_TICK_S = 0.1

Source = Callable[[], AsyncGenerator[Delta | Done, None]]


@dataclass(slots=True)
class SideResult:
    """How one side ended, with its whole text."""

    side: Side
    status: AnswerStatus = AnswerStatus.PENDING
    text: str = ""
    reason: str = ""
    code: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    first_token_ms: int | None = None
    duration_ms: int = 0
    _parts: list[str] = field(default_factory=list, repr=False)


class Duel:
    """The generation of one turn's sides. :meth:`run` once; :meth:`stop` or :meth:`interrupt` from the same loop."""

    def __init__(self, sources: Mapping[Side, Source], live: LiveTurn) -> None:
        self._sources = sources
        self._live = live
        self._tasks: dict[Side, asyncio.Task[None]] = {}
        self._results = {side: SideResult(side=side) for side in sources}
        self._cut_reason: FinishReason | None = None
        self._was_cut = False

    async def run(self) -> list[SideResult]:
        """Read all sides to their ends. Errors of a side stay on that side."""
        ticker = asyncio.create_task(self._tick())
        try:
            async with asyncio.TaskGroup() as group:
                for side, source in self._sources.items():
                    self._tasks[side] = group.create_task(self._guard(side, source))
                if self._was_cut:  # before this line was reached
                    self._cancel()
        finally:
            ticker.cancel()
        for result in self._results.values():
            if result.status is AnswerStatus.PENDING:  # cut before its task took its first step
                self._end_cut(result)
                self._live.fail(result.side, result.status, result.code)
        return list(self._results.values())

    def stop(self) -> None:
        """The volunteer's stop: both sides end together; what has at least one token counts as complete."""
        self._cut(FinishReason.STOPPED)

    def interrupt(self) -> None:
        """Nobody waits any more: cancel upstream; unfinished sides are interrupted."""
        self._cut(None)

    def _cut(self, reason: FinishReason | None) -> None:
        if self._was_cut:
            return
        self._was_cut, self._cut_reason = True, reason
        self._cancel()

    def _cancel(self) -> None:
        for task in self._tasks.values():
            task.cancel()

    async def _guard(self, side: Side, source: Source) -> None:
        """One side from first byte to last, its end recorded and shown."""
        result = self._results[side]
        result.status = AnswerStatus.STREAMING
        started = time.perf_counter()
        self._live.begin(side)
        try:
            await self._read(result, source, started)
        except StreamError as error:
            self._fail(result, AnswerStatus.FAILED, _told(error))
        except asyncio.CancelledError:
            self._end_cut(result)
            if not self._was_cut:
                raise
        finally:
            result.text = "".join(result._parts)
            result.duration_ms = round((time.perf_counter() - started) * 1000)
            if result.status is AnswerStatus.COMPLETE:
                self._live.complete(side, result.reason)
            else:
                self._live.fail(side, result.status, result.code)

    async def _read(self, result: SideResult, source: Source, started: float) -> None:
        async with aclosing(source()) as events:  # closing the generator closes its connection upstream
            async for event in events:
                if isinstance(event, Done):
                    result.status, result.reason = AnswerStatus.COMPLETE, event.finish_reason.value
                    result.prompt_tokens = event.prompt_tokens
                    result.completion_tokens = event.completion_tokens
                    return
                if result.first_token_ms is None:
                    result.first_token_ms = round((time.perf_counter() - started) * 1000)
                result._parts.append(event.text)
                self._live.feed(result.side, event.text)
        self._fail(result, AnswerStatus.FAILED, FailCode.MALFORMED)

    def _end_cut(self, result: SideResult) -> None:
        if self._cut_reason is None:
            self._fail(result, AnswerStatus.INTERRUPTED, FailCode.INTERRUPTED)
        elif "".join(result._parts).strip():
            result.status, result.reason = AnswerStatus.COMPLETE, self._cut_reason.value
        else:
            self._fail(result, AnswerStatus.FAILED, FailCode.EMPTY)

    @staticmethod
    def _fail(result: SideResult, status: AnswerStatus, code: FailCode) -> None:
        result.status, result.code = status, code.value

    async def _tick(self) -> None:
        interval = TICK_S
        while True:
            due = time.perf_counter() + interval
            await asyncio.sleep(interval)
            self._live.flush()
            behind = time.perf_counter() - due
            interval = min(SLOWEST_TICK_S, max(TICK_S, TICK_S + 2 * behind))


def _told(error: StreamError) -> FailCode:
    try:
        return FailCode(error.code.value)
    except ValueError:
        return FailCode.OTHER
