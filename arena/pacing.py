"""What is shown of two answers at each tick. Pure: fed with text, asked with the time.

Paced, the first piece waits for both sides, and from then on a tick shows equally many characters of each while both have any: as many as the
slower side can keep up with. Neither cadence nor sizes then tell who writes. What a side cannot show yet waits in memory, bounded by the length that
the answer itself may have: reading on costs a few kilobytes, whereas back-pressure would hold a slot of the model server and run into its
deadline between tokens.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Protocol

from arena.types import Side

PIECE = 8
"""Text is shown in so many characters, about two tokens, or in a multiple. It makes fewer ticks, and what a page shows of a side then never ends where
that side's tokens do, unlike the other's."""
STALL_S = 0.6
"""So long a piece waits until it is whole; then what there is of it is shown."""
HORIZON_S = 0.3
"""Within this time the slower side's text is shown: long enough to even out chunks of a few tokens."""
DRAIN_S = 5.0
"""Within this time the rest is shown where nobody has to be waited for any more."""
_FIRST_PACE = 120.0
_MEMORY_S = 1.0


class Pacing(Protocol):
    def feed(self, side: Side, text: str) -> None: ...
    def end(self, side: Side) -> None:
        """No more text of this side."""

    def reset(self, side: Side) -> None:
        """Forget the side's text: it begins anew."""

    def hurry(self, side: Side) -> None:
        """Show all that the side has on the next tick."""

    def drop(self, side: Side) -> bool:
        """Show nothing more of the side; whether there was more."""

    def release(self, now: float) -> dict[Side, str]:
        """What to show, at this time in seconds; sides without news are left out."""

    def is_over(self, side: Side) -> bool:
        """Whether the side has ended and all of it was released."""


class _Buffer:
    __slots__ = ("begun", "ended", "hurried", "parts", "size")

    def __init__(self) -> None:
        self.parts: deque[str] = deque()
        self.size = 0
        self.begun = self.ended = self.hurried = False

    def put(self, text: str) -> None:
        self.parts.append(text)
        self.size += len(text)
        self.begun = True

    def take(self, size: int) -> str:
        """The next *size* characters, or all there are."""
        taken: list[str] = []
        size = min(size, self.size)
        self.size -= size
        while size:
            part = self.parts.popleft()
            if len(part) > size:
                self.parts.appendleft(part[size:])
                part = part[:size]
            taken.append(part)
            size -= len(part)
        return "".join(taken)

    @property
    def over(self) -> bool:
        return self.ended and not self.size


class Unpaced:
    """Each side as it comes."""

    def __init__(self, sides: Iterable[Side]) -> None:
        self._buffers = {side: _Buffer() for side in sides}

    def feed(self, side: Side, text: str) -> None:
        self._buffers[side].put(text)

    def end(self, side: Side) -> None:
        self._buffers[side].ended = True

    def reset(self, side: Side) -> None:
        self._buffers[side] = _Buffer()

    def hurry(self, side: Side) -> None:
        self._buffers[side].hurried = True

    def drop(self, side: Side) -> bool:
        return bool(self._buffers[side].take(self._buffers[side].size))

    def release(self, now: float) -> dict[Side, str]:
        return {side: each.take(each.size) for side, each in self._buffers.items() if each.size}

    def is_over(self, side: Side) -> bool:
        return self._buffers[side].over

    def _hurried(self) -> dict[Side, str]:
        return {
            side: each.take(each.size) for side, each in self._buffers.items() if each.hurried and each.size
        }


class Whole(Unpaced):
    """Nothing of any side until all have ended; then everything at once. A stop ends the wait."""

    def release(self, now: float) -> dict[Side, str]:
        if all(each.ended for each in self._buffers.values()):
            return super().release(now)
        return self._hurried()


class Paced(Unpaced):
    """Both sides at the slower one's rate.

    Parameters
    ----------
    sides
        Whose text is waited for.
    patience_s
        How long, from the first tick, one side may hold the other's first piece: its own deadline for a first token. A side without text holds
        nobody afterwards.
    """

    def __init__(self, sides: Iterable[Side], *, patience_s: float) -> None:
        super().__init__(sides)
        self._patience_s = patience_s
        self._opened: float | None = None
        self._before = 0.0
        self._started = False
        self._credit = float(PIECE)  # the first piece waits for nothing
        self._shown = 0.0
        self._pace = _FIRST_PACE
        self._alone_until: float | None = None

    def release(self, now: float) -> dict[Side, str]:
        if self._opened is None:
            self._opened = self._before = now
        passed_s, self._before = now - self._before, now
        freed = self._hurried()
        if self._started or self._may_start(now):
            freed |= self._pieces(passed_s, now)
        return freed

    def _may_start(self, now: float) -> bool:
        buffers = self._buffers.values()
        patient = self._opened is not None and now - self._opened < self._patience_s
        if patient and not all(each.begun or each.ended for each in buffers):
            return False
        self._started, self._shown = any(each.begun for each in buffers), now
        return self._started

    def _pieces(self, passed_s: float, now: float) -> dict[Side, str]:
        showing = {side: each for side, each in self._buffers.items() if each.size}
        size = self._size(showing, passed_s, now)
        if passed_s > 0 and showing:
            self._pace += (size / passed_s - self._pace) * min(1.0, passed_s / _MEMORY_S)
        return {side: each.take(size) for side, each in showing.items()} if size else {}

    def _size(self, showing: dict[Side, _Buffer], passed_s: float, now: float) -> int:
        """How many characters this tick shows of every side that has any."""
        writing = [each for each in self._buffers.values() if each.begun and not each.ended]
        shown = (*showing.values(), *writing)
        least = min((each.size for each in shown), default=0)
        if not least:
            return 0
        self._credit += self._rate(showing, writing, now) * passed_s
        most = min(each.size if each.ended else each.size - each.size % PIECE for each in shown)
        size = most if self._credit >= most else int(self._credit) // PIECE * PIECE
        if not most and now - self._shown >= STALL_S:
            size = least
        if size:
            self._credit = min(max(self._credit - size, 0.0), 1.0)  # what could not be shown is no debt
            self._shown = now
        return size

    def _rate(self, showing: dict[Side, _Buffer], writing: list[_Buffer], now: float) -> float:
        """Characters a second: the slower side's while one of two writes; alone, no slower than before and never far behind."""
        longest = max(each.size for each in showing.values())
        if not writing:
            self._alone_until = self._alone_until or now + DRAIN_S
            return max(self._pace, longest / max(self._alone_until - now, 1e-3))
        self._alone_until = None
        if sum(each.begun and not each.over for each in self._buffers.values()) > 1:
            return min(each.size for each in writing) / HORIZON_S
        return max(self._pace, longest / DRAIN_S)
