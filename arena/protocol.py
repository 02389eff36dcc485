"""The frames of ``/ws/battle/``, sub-protocol ``lehia.v1``: parsed strictly, and built in one place.

No frame has a field that could name a model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

import msgspec

from arena.errors import Refused
from arena.types import AnswerStatus, BattleStatus, FailCode, RefusalCode, Side

SUBPROTOCOL = "lehia.v1"
MAX_FRAME_BYTES = 64 * 1024

_Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]


class TurnFrame(msgspec.Struct, tag="turn", frozen=True, forbid_unknown_fields=True):
    """*still*: the device asks for less motion, so that answers of a new battle do not stream unless that was chosen."""

    text: str
    key: UUID
    still: bool = False


class StopFrame(msgspec.Struct, tag="stop", frozen=True, forbid_unknown_fields=True):
    pass


class RetryFrame(msgspec.Struct, tag="retry", frozen=True, forbid_unknown_fields=True):
    side: Side


class Offsets(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    a: _Count = msgspec.field(default=0, name="A")
    b: _Count = msgspec.field(default=0, name="B")


class ResumeFrame(msgspec.Struct, tag="resume", frozen=True, forbid_unknown_fields=True):
    """*offsets* count the sealed blocks that the page holds; *turn* and *attempts* tell of which turn and attempts they are, 0 where it does not know.

    A page that lost its line between a message and its answers holds an earlier turn's.
    """

    battle: UUID
    offsets: Offsets = Offsets()
    attempts: Offsets = Offsets()
    turn: _Count = 0


ClientFrame = TurnFrame | StopFrame | RetryFrame | ResumeFrame
ServerFrame = dict[str, object]

_decoder = msgspec.json.Decoder(ClientFrame)


@dataclass(frozen=True, slots=True)
class SideState:
    """What a page may know of one side. *attempt* grows when the side begins anew, and what was shown of it goes."""

    status: AnswerStatus
    reason: str = ""
    code: str = ""
    attempt: int = 0


@dataclass(slots=True)
class Held:
    """What a page holds of one side: so many sealed blocks of this attempt, which is 0 where it does not know."""

    sealed: int = 0
    attempt: int = 0

    def turn_to(self, attempt: int) -> bool:
        """Follow the side to its attempt; whether what is held is of another one and has to go."""
        stale = 0 < self.attempt != attempt
        self.attempt = attempt
        if stale:
            self.sealed = 0
        return stale


def parse(text: str) -> ClientFrame:
    """The client's frame; anything else is refused as ``bad_frame``."""
    if len(text.encode()) > MAX_FRAME_BYTES:
        raise Refused(RefusalCode.BAD_FRAME)
    try:
        frame: ClientFrame = _decoder.decode(text)
    except (msgspec.DecodeError, RecursionError):  # the latter for thousands of brackets
        raise Refused(RefusalCode.BAD_FRAME) from None
    return frame


def encode(frame: ServerFrame) -> str:
    return msgspec.json.encode(frame).decode()


def state(*, battle: UUID, turn: int, status: BattleStatus, sides: Mapping[Side, SideState]) -> ServerFrame:
    shown = {
        side.value: {
            "status": each.status.value,
            "reason": each.reason,
            "code": each.code,
            "attempt": each.attempt,
        }
        for side, each in sides.items()
    }
    return {"type": "state", "battle": str(battle), "turn": turn, "status": status.value, "sides": shown}


def render(*, side: Side, seq: int, sealed: Sequence[str], open_block: str) -> ServerFrame:
    return {"type": "render", "side": side.value, "seq": seq, "sealed": list(sealed), "open": open_block}


def done(*, side: Side, reason: str) -> ServerFrame:
    return {"type": "done", "side": side.value, "reason": reason}


def failed(*, side: Side, code: FailCode) -> ServerFrame:
    return {"type": "failed", "side": side.value, "code": code.value}


def queue(position: int) -> ServerFrame:
    """The battle's place in the queue, whichever side waits; 0 once it is over."""
    return {"type": "queue", "position": position}


def refused(code: RefusalCode, retry_s: int | None = None) -> ServerFrame:
    """*retry_s* says when to try again, where that is known."""
    frame: ServerFrame = {"type": "refused", "code": code.value}
    return frame if retry_s is None else frame | {"retry_s": retry_s}
