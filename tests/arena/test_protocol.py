from __future__ import annotations

import json
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena import protocol
from arena.errors import Refused
from arena.protocol import Offsets, ResumeFrame, RetryFrame, SideState, StopFrame, TurnFrame
from arena.types import AnswerStatus, BattleStatus, FailCode, RefusalCode, Side

BATTLE = uuid4()


def refusal(text: str) -> RefusalCode:
    with pytest.raises(Refused) as caught:
        protocol.parse(text)
    return caught.value.code


def test_a_turn_is_read() -> None:
    key = uuid4()
    frame = protocol.parse(json.dumps({"type": "turn", "text": "Kaixo", "key": str(key)}))
    assert frame == TurnFrame(text="Kaixo", key=key, still=False)


def test_a_turn_of_a_device_that_asks_for_less_motion_says_so() -> None:
    key = uuid4()
    frame = protocol.parse(json.dumps({"type": "turn", "text": "Kaixo", "key": str(key), "still": True}))
    assert frame == TurnFrame(text="Kaixo", key=key, still=True)


def test_stop_retry_and_resume_are_read() -> None:
    assert protocol.parse('{"type": "stop"}') == StopFrame()
    assert protocol.parse('{"type": "retry", "side": "B"}') == RetryFrame(side=Side.B)
    resume = {"type": "resume", "battle": str(BATTLE), "offsets": {"A": 2, "B": 5}}
    assert protocol.parse(json.dumps(resume)) == ResumeFrame(battle=BATTLE, offsets=Offsets(a=2, b=5))


def test_a_resume_without_offsets_starts_at_the_beginning() -> None:
    frame = protocol.parse(json.dumps({"type": "resume", "battle": str(BATTLE)}))
    assert frame == ResumeFrame(battle=BATTLE, offsets=Offsets(a=0, b=0))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{",
        '{"type": "vote"}',
        '{"type": "turn", "text": "x"}',
        '{"type": "turn", "text": 1, "key": "00000000-0000-0000-0000-000000000000"}',
        '{"type": "turn", "text": "x", "key": "not-a-uuid"}',
        '{"type": "turn", "text": "\\ud800", "key": "00000000-0000-0000-0000-000000000000"}',
        '{"type": "retry", "side": "C"}',
        '{"type": "stop", "also": 1}',
        '{"type": "resume", "battle": "x", "offsets": {}}',
        '{"type": "turn", "text": "x", "key": "00000000-0000-0000-0000-000000000000", "transcript": []}',
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    assert refusal(text) is RefusalCode.BAD_FRAME


def test_negative_offsets_are_refused() -> None:
    resume = {"type": "resume", "battle": str(BATTLE), "offsets": {"A": -1, "B": 0}}
    assert refusal(json.dumps(resume)) is RefusalCode.BAD_FRAME


def test_a_frame_past_64_kib_is_refused() -> None:
    frame = {"type": "turn", "text": "x" * protocol.MAX_FRAME_BYTES, "key": str(uuid4())}
    assert refusal(json.dumps(frame)) is RefusalCode.BAD_FRAME


@given(st.text(max_size=200))
def test_no_text_makes_the_parser_fail_otherwise(text: str) -> None:
    with pytest.raises(Refused):
        protocol.parse(text)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200))
def test_a_message_arrives_as_it_was_written(text: str) -> None:
    frame = protocol.parse(json.dumps({"type": "turn", "text": text, "key": str(BATTLE)}))
    assert isinstance(frame, TurnFrame)
    assert frame.text == text


def test_server_frames_hold_these_fields_and_no_other() -> None:
    sides = {side: SideState(AnswerStatus.COMPLETE, "stop") for side in Side}
    frames = [
        protocol.state(battle=BATTLE, turn=1, status=BattleStatus.READY, sides=sides),
        protocol.render(side=Side.A, seq=1, sealed=["<p>a</p>"], open_block=""),
        protocol.done(side=Side.A, reason="stop"),
        protocol.failed(side=Side.B, code=FailCode.TIMEOUT),
        protocol.queue(3),
        protocol.refused(RefusalCode.CLOSED),
    ]
    assert [set(frame) for frame in frames] == [
        {"type", "battle", "turn", "status", "sides"},
        {"type", "side", "seq", "sealed", "open"},
        {"type", "side", "reason"},
        {"type", "side", "code"},
        {"type", "position"},
        {"type", "code"},
    ]
    assert json.loads(protocol.encode(frames[0]))["sides"]["B"] == {
        "status": "complete",
        "reason": "stop",
        "code": "",
        "attempt": 0,
    }
