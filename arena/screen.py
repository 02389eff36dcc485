"""What a turn shows: between the duel, which reads model servers, and the live turn, which pages follow.

Text, ends and places in the queue come in as they happen, and go out on ticks, as beats. A side's end is shown once all of its text was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from arena.beats import Beat, Change
from arena.live import LiveTurn
from arena.pacing import Pacing
from arena.protocol import SideState
from arena.types import BattleStatus, Side

Witness = Callable[[Beat], None]


class _Sheet:
    """What was shown of a side's present attempt."""

    __slots__ = ("anew", "attempt", "end", "parts", "shown_end", "size")

    def __init__(self, attempt: int, *, anew: bool = False) -> None:
        self.attempt = attempt
        self.anew = anew
        self.parts: list[str] = []
        self.size = 0
        self.end: SideState | None = None
        self.shown_end = False

    def show(self, text: str, *, ends: bool) -> Change | None:
        ends = ends and not self.shown_end
        if not (text or ends or self.anew):
            return None
        change = Change(self.attempt, self.size, text, self.end if ends else None)
        self.parts.append(text)
        self.size += len(text)
        self.anew = False
        self.shown_end |= ends
        return change

    def whole(self) -> Change:
        return Change(self.attempt, 0, "".join(self.parts), self.end if self.shown_end else None)


class Screen:
    """One turn's. :meth:`tick` is the clock's hand.

    Parameters
    ----------
    live
        Followed in this process.
    attempts
        Of both sides, from 1.
    pacing
        Of the sides that are being asked.

    Attributes
    ----------
    witness
        Is given every beat after *live*: for the other processes.
    shown
        Set once all sides that are asked have ended and everything was shown.
    """

    def __init__(
        self,
        live: LiveTurn,
        *,
        attempts: Mapping[Side, int],
        pacing: Pacing,
    ) -> None:
        self._live = live
        self._sheets = {side: _Sheet(attempt, anew=True) for side, attempt in attempts.items()}
        self._pacing = pacing
        self.witness: Witness | None = None
        self._asked: set[Side] = set()
        self._places: dict[Side, int] = {}
        self._told_place = 0
        self._status: BattleStatus | None = None
        self.shown = asyncio.Event()

    def open(self, asked: set[Side], kept: Mapping[Side, tuple[str, SideState]]) -> None:
        """Begin: *kept* sides are shown whole at once."""
        self._asked = asked
        for side, (_, end) in kept.items():
            self._sheets[side].end = end
        texts = {side: text for side, (text, _) in kept.items()}
        self._show({side: self._sheets[side].show(texts.get(side, ""), ends=side in kept) for side in Side})

    def feed(self, side: Side, text: str) -> None:
        self._pacing.feed(side, text)

    def wait_in_queue(self, side: Side, position: int) -> None:
        """The side's place; 0 where it waits no more."""
        if position or side in self._places:
            self._places[side] = position

    def end(self, side: Side, end: SideState) -> None:
        sheet = self._sheets[side]
        sheet.end = SideState(end.status, end.reason, end.code, sheet.attempt)
        self._pacing.end(side)

    def reset(self, side: Side) -> None:
        """The side begins anew, with nothing on its pane."""
        self._sheets[side] = _Sheet(self._sheets[side].attempt + 1, anew=True)
        self._pacing.reset(side)

    def tick(self, now: float) -> None:
        freed = self._pacing.release(now)
        changes: dict[Side, Change | None] = {}
        for side in self._asked:
            sheet = self._sheets[side]
            ends = sheet.end is not None and self._pacing.is_over(side)
            changes[side] = sheet.show(freed.get(side, ""), ends=ends)
        self._show(changes)

    def hurry(self, now: float) -> None:
        """Show everything at once."""
        for side in self._asked:
            self._pacing.hurry(side)
        self.tick(now)

    def cut(self) -> set[Side]:
        """The volunteer has seen enough: drop what waits, save of a side that shows nothing yet. Returns which sides lost text."""
        return {side for side in self._asked if self._sheets[side].size and self._pacing.drop(side)}

    def text(self, side: Side) -> str:
        """What was shown of the side's present attempt."""
        return "".join(self._sheets[side].parts)

    def close(self, status: BattleStatus, ends: Mapping[Side, SideState]) -> None:
        """The turn is stored, or with *ends* could not be: followers get the battle's status and leave."""
        for side, end in ends.items():
            sheet = self._sheets[side]
            sheet.end, sheet.shown_end = SideState(end.status, end.reason, end.code, sheet.attempt), True
        self._status = status
        self._asked = set()
        self._out(self.whole())

    def whole(self) -> Beat:
        """Everything that was shown so far as one beat."""
        changes = {side: sheet.whole() for side, sheet in self._sheets.items()}
        return Beat(changes.get(Side.A), changes.get(Side.B), self._told_place, self._status)

    def _show(self, changes: Mapping[Side, Change | None]) -> None:
        place = max(self._places.values(), default=0)
        moved = place if place != self._told_place else None
        self._told_place = place
        if any(changes.values()) or moved is not None:
            self._out(Beat(changes.get(Side.A), changes.get(Side.B), moved))
        elif self._live.is_behind:
            self._live.flush()
        if all(self._sheets[side].shown_end for side in self._asked):
            self.shown.set()

    def _out(self, beat: Beat) -> None:
        self._live.take(beat)
        if self.witness is not None:
            self.witness(beat)
        self._live.flush()
