"""What one tick shows of a turn: the one form in which text reaches a page, in this process and, through Valkey, in the others.

A beat says where its text belongs: after *at* characters of an *attempt*. Whoever takes beats can therefore be given any of them twice, or a
beat that holds everything so far, without losing or doubling a character.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from arena.protocol import SideState
from arena.types import BattleStatus, Side


class Change(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """News of a side. A higher *attempt* empties the side first; *end* comes once all of its text was shown."""

    attempt: int
    at: int
    text: str = ""
    end: SideState | None = None


class Beat(msgspec.Struct, array_like=True, frozen=True):
    """News of a turn. *queue* is the place in the queue, 0 for none; *status* comes once, when the turn is stored, with both sides."""

    a: Change | None = None
    b: Change | None = None
    queue: int | None = None
    status: BattleStatus | None = None

    def changes(self) -> Iterator[tuple[Side, Change]]:
        if self.a is not None:
            yield Side.A, self.a
        if self.b is not None:
            yield Side.B, self.b


encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Beat).decode
