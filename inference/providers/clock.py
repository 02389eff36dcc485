"""When the next sign of life is due."""

from __future__ import annotations

import asyncio
from types import TracebackType

from inference.types import Deadlines


class Clock:
    """The deadlines of one stream.

    The first text, be it answer or hidden reasoning, is due ``first_token_s`` after the start, each further one ``between_tokens_s`` after the last, and
    all of it ends at ``total_s``. So a model that thinks aloud stays alive for as long as it goes on thinking, up to the total; comments, pings
    and the role are no text and move nothing.

    No deadline ends anything while the reader has the turn: it would cancel the reader. Nor does the reader's time count.
    """

    def __init__(self, deadlines: Deadlines) -> None:
        self._time = asyncio.get_running_loop().time
        self._between_s = deadlines.between_tokens_s
        self._end = self._time() + deadlines.total_s
        self._due = self._time() + deadlines.first_token_s
        self._wait = _Wait()

    def heard(self) -> None:
        """A text has come, and has been dealt with."""
        self._due = self._time() + self._between_s

    def waiting(self) -> _Wait:
        """Around each wait for the server; ends it with :class:`TimeoutError`."""
        self._wait.until = min(self._end, self._due)
        return self._wait

    def stop(self) -> None:
        """The stream is over."""
        self._wait.forget()


class _Wait:
    """One after another, what ``asyncio.timeout_at`` does, with one timer for all.

    Setting a timer for each token and taking it back costs more than reading the token. The timer that stands is left until it fires; there it ends a wait
    that is due, or moves on to when that one will be.
    """

    def __init__(self) -> None:
        self.until = 0.0
        self._task: asyncio.Task[object] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._cancelling = 0
        self._expired = False

    async def __aenter__(self) -> None:
        self._task = asyncio.current_task()
        assert self._task is not None  # noqa: S101  # inside a coroutine there is one
        self._cancelling, self._expired = self._task.cancelling(), False
        if self._timer is None or self._timer.when() > self.until:
            self._set()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        task, self._task = self._task, None
        if not self._expired or task is None:
            return
        if (
            task.uncancel() <= self._cancelling
            and kind is not None
            and issubclass(kind, asyncio.CancelledError)
        ):
            raise TimeoutError from error

    def forget(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set(self) -> None:
        self.forget()
        self._timer = asyncio.get_running_loop().call_at(self.until, self._fire)

    def _fire(self) -> None:
        self._timer = None
        if self._task is None:
            return  # the reader has the turn; its next wait sets a timer
        if asyncio.get_running_loop().time() < self.until:
            self._set()
            return
        self._expired = True
        self._task.cancel()
