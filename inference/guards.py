"""Output guards: where an answer ends although its server goes on.

Pure and incremental. Either wrap a stream of events::

    async for event in guarded(providers.stream(request), limits=Limits.of(request.sampling)):
        ...

or feed a :class:`Guard` text by text and stop once it has a ``verdict``.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from inference.errors import EmptyAnswer
from inference.types import Delta, Done, FinishReason, Reasoning, Sampling, StreamEvent

_LOOK_EVERY = 128  # characters
_KEY = 64
_MOST_CANDIDATES = 32


@dataclass(frozen=True, slots=True)
class Limits:
    """When an answer is cut; all lengths in characters.

    Parameters
    ----------
    max_chars
        Of the whole answer, and of its reasoning.
    loop_chars, loop_repeats, loop_period
        A loop is a block of at most *loop_period* that came *loop_repeats* times or more without a character between, over at least *loop_chars*.
        Much for a reader, since lists, tables of zeros and refrains repeat as well; little for a model in a loop, which never leaves it.
    blank_chars
        White space in one go.
    """

    max_chars: int = 400_000
    loop_chars: int = 1_200
    loop_repeats: int = 5
    loop_period: int = 1_000
    blank_chars: int = 1_000

    @classmethod
    def of(cls, sampling: Sampling) -> Limits:
        """For a server that may not heed ``max_tokens``: no honest answer has 16 characters a token on average."""
        return cls(max_chars=16 * sampling.max_tokens + 256)


class Guard:
    """Watches one answer. How its text is cut into pieces changes nothing: looks are taken at fixed places.

    Attributes
    ----------
    verdict
        ``None`` while the answer may go on; then ``LENGTH`` at ``max_chars``, or ``LOOP`` for a loop or a flood of white space.
    wrote
        Whether anything but white space has passed.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        loop = max(self._limits.loop_chars, self._limits.loop_repeats * self._limits.loop_period)
        self._window = max(loop, self._limits.blank_chars)
        self._tail = ""
        self._fresh: list[str] = []
        self._until_look = _LOOK_EVERY
        self._left = self._limits.max_chars
        self.verdict: FinishReason | None = None
        self.wrote = False

    def take(self, text: str) -> str:
        """What of *text* belongs to the answer: all of it, less once there is a verdict, nothing after that."""
        text = text[: self._left]
        kept = 0
        while kept < len(text) and self.verdict is None:
            piece = text[kept : kept + self._until_look]
            kept += len(piece)
            self._add(piece)
        self._left -= kept
        if self.verdict is None and not self._left:
            self.verdict = FinishReason.LENGTH
        return text[:kept]

    def _add(self, piece: str) -> None:
        self._fresh.append(piece)
        self._until_look -= len(piece)
        self.wrote = self.wrote or not piece.isspace()
        if not self._until_look:
            self._until_look = _LOOK_EVERY
            self._tail = (self._tail + "".join(self._fresh))[-self._window :]
            self._fresh.clear()
            if self._is_blank() or self._is_loop():
                self.verdict = FinishReason.LOOP

    def _is_blank(self) -> bool:
        last = self._tail[-self._limits.blank_chars :]
        return len(last) == self._limits.blank_chars and last.isspace()

    def _is_loop(self) -> bool:
        """Whether the tail repeats a block: its last characters, found again before, tell how long the block may be."""
        tail, key = self._tail, self._tail[-_KEY:]
        end = len(tail) - 1
        for _ in range(_MOST_CANDIDATES):
            place = tail.rfind(key, 0, end)
            period = len(tail) - _KEY - place
            if place < 0 or period > self._limits.loop_period:
                return False
            span = max(self._limits.loop_chars, self._limits.loop_repeats * period)
            if span <= len(tail) and tail[-span:-period] == tail[period - span :]:
                return True
            end = place + _KEY - 1
        return False


async def guarded(
    events: AsyncGenerator[StreamEvent, None], *, limits: Limits | None = None
) -> AsyncGenerator[StreamEvent, None]:
    """The same events, ended where a guard says so.

    An answer that is cut ends with ``Done(LENGTH)`` or ``Done(LOOP)``, without token counts, and *events* is closed, which frees the server. Reasoning is
    watched by a guard of its own: thinking that never ends ends the answer.

    Raises
    ------
    EmptyAnswer
        Not a word came, be it at a good end or at a cut.
    """
    said, thought = Guard(limits), Guard(limits)
    async with aclosing(events):
        async for event in events:
            if isinstance(event, Done):
                _check_not_empty(said)
                yield event
                return
            if not isinstance(event, Delta | Reasoning):
                yield event
                continue
            guard = said if isinstance(event, Delta) else thought
            if kept := guard.take(event.text):
                yield event if kept is event.text else type(event)(kept)
            if guard.verdict is not None:
                _check_not_empty(said)
                yield Done(guard.verdict)
                return


def _check_not_empty(said: Guard) -> None:
    if not said.wrote:
        raise EmptyAnswer("the answer held no text")
