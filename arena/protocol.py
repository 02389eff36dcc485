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

_Count = Annotated[int, msgspec.Meta(ge=0)]


class TurnFrame(msgspec.Struct, tag="turn", frozen=True, forbid_unknown_fields=True):
    text: str
    key: UUID


class StopFrame(msgspec.Struct, tag="stop", frozen=True, forbid_unknown_fields=True):
    pass


class RetryFrame(msgspec.Struct, tag="retry", frozen=True, forbid_unknown_fields=True):
    side: Side


class Offsets(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    a: _Count = msgspec.field(default=0, name="A")
    b: _Count = msgspec.field(default=0, name="B")


class ResumeFrame(msgspec.Struct, tag="resume", frozen=True, forbid_unknown_fields=True):
    battle: UUID
    offsets: Offsets = Offsets()


ClientFrame = TurnFrame | StopFrame | RetryFrame | ResumeFrame
ServerFrame = dict[str, object]

_decoder = msgspec.json.Decoder(ClientFrame)


@dataclass(frozen=True, slots=True)
class SideState:
    """What a page may know of one side."""

    status: AnswerStatus
    reason: str = ""
    code: str = ""


def parse(text: str) -> ClientFrame:
    """The client's frame; anything else is refused as ``bad_frame``."""
    if len(text.encode()) > MAX_FRAME_BYTES:
        raise Refused(RefusalCode.BAD_FRAME)
    try:
        frame: ClientFrame = _decoder.decode(text)
    except msgspec.DecodeError:
        raise Refused(RefusalCode.BAD_FRAME) from None
    return frame


def encode(frame: ServerFrame) -> str:
    return msgspec.json.encode(frame).decode()


def state(*, battle: UUID, turn: int, status: BattleStatus, sides: Mapping[Side, SideState]) -> ServerFrame:
    shown = {
        side.value: {"status": each.status.value, "reason": each.reason, "code": each.code}
        for side, each in sides.items()
    }
    return {"type": "state", "battle": str(battle), "turn": turn, "status": status.value, "sides": shown}


def render(*, side: Side, seq: int, sealed: Sequence[str], open_block: str) -> ServerFrame:
    return {"type": "render", "side": side.value, "seq": seq, "sealed": list(sealed), "open": open_block}


def done(*, side: Side, reason: str) -> ServerFrame:
    return {"type": "done", "side": side.value, "reason": reason}


def failed(*, side: Side, code: FailCode) -> ServerFrame:
    return {"type": "failed", "side": side.value, "code": code.value}


def refused(code: RefusalCode) -> ServerFrame:
    return {"type": "refused", "code": code.value}
