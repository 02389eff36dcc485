"""A battle as its page and its socket may show it. Nothing here names a candidate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from django.utils.safestring import SafeString

from arena import protocol, states, transcript
from arena.models import Answer, Battle, Participant
from arena.protocol import ServerFrame, SideState
from arena.types import AnswerStatus, BattleStatus, FailCode, Side


@dataclass(frozen=True, slots=True)
class SideView:
    letter: str
    status: str
    reason: str
    code: str
    html: SafeString
    sealed: int


@dataclass(frozen=True, slots=True)
class TurnView:
    index: int
    text: str
    a: SideView
    b: SideView

    @property
    def sides(self) -> tuple[SideView, SideView]:
        return self.a, self.b


@dataclass(frozen=True, slots=True)
class BattleView:
    id: UUID
    status: str
    turns: list[TurnView]
    max_turns: int
    max_chars: int
    votable: bool

    @property
    def turns_left(self) -> int:
        return max(0, self.max_turns - len(self.turns))


def battle_of(battle_id: UUID, participant: Participant | None) -> Battle | None:
    """The battle if it exists and is this participant's; strangers learn nothing of it."""
    if participant is None:
        return None
    return (
        Battle.objects.select_related("campaign__board", "candidate_a", "candidate_b")
        .filter(pk=battle_id, participant=participant)
        .first()
    )


def unfinished_battles(participant: Participant | None) -> list[Battle]:
    """The participant's battles that wait for a turn or a vote, newest first."""
    if participant is None:
        return []
    statuses = [status.value for status in states.UNFINISHED]
    return list(
        Battle.objects.filter(participant=participant, status__in=statuses).order_by("-created_at")[:10]
    )


def unfinished_ids(participant: Participant) -> list[UUID]:
    """All of them, in the order of their keys."""
    statuses = [status.value for status in states.UNFINISHED]
    return list(
        Battle.objects.filter(participant=participant, status__in=statuses)
        .order_by("pk")
        .values_list("pk", flat=True)
    )


def battle_view(battle: Battle) -> BattleView:
    """Three queries, whatever the number of turns."""
    turns = [
        _turn_view(turn.index, turn.text, list(turn.answers.all()))
        for turn in battle.turns.prefetch_related("answers")
    ]
    votable = (
        BattleStatus(battle.status) is BattleStatus.READY
        and bool(turns)
        and states.both_complete(AnswerStatus(side.status) for side in turns[-1].sides)
    )
    return BattleView(
        id=battle.pk,
        status=battle.status,
        turns=turns,
        max_turns=battle.campaign.max_turns,
        max_chars=battle.campaign.max_prompt_chars,
        votable=votable,
    )


def stored_frames(battle: Battle, offsets: Mapping[Side, int]) -> list[ServerFrame]:
    """What a socket that resumes gets when nothing is being written: the stored last turn as frames."""
    turn = battle.turns.prefetch_related("answers").order_by("-index").first()
    answers = {} if turn is None else {Side(answer.side): answer for answer in turn.answers.all()}
    sides = {side: _side_state(answers.get(side)) for side in Side}
    frames = [
        protocol.state(
            battle=battle.pk,
            turn=0 if turn is None else turn.index,
            status=BattleStatus(battle.status),
            sides=sides,
        )
    ]
    for side, answer in answers.items():
        frames += _answer_frames(side, answer, offsets.get(side, 0))
    return frames


def _answer_frames(side: Side, answer: Answer, offset: int) -> list[ServerFrame]:
    state = _side_state(answer)
    blocks = transcript.blocks(answer.text)
    held = min(offset, len(blocks))
    frames = [protocol.render(side=side, seq=len(blocks), sealed=blocks[held:], open_block="")]
    if state.status is AnswerStatus.COMPLETE:
        frames.append(protocol.done(side=side, reason=state.reason))
    elif state.status.ended:
        frames.append(protocol.failed(side=side, code=FailCode(state.code)))
    return frames


def _side_state(answer: Answer | None) -> SideState:
    if answer is None:
        return SideState(AnswerStatus.PENDING)
    return SideState(AnswerStatus(answer.status), answer.finish_reason, answer.error_code)


def _turn_view(index: int, text: str, answers: list[Answer]) -> TurnView:
    by_side = {Side(answer.side): answer for answer in answers}
    return TurnView(index, text, *(_side_view(side, by_side.get(side)) for side in Side))


def _side_view(side: Side, answer: Answer | None) -> SideView:
    state = _side_state(answer)
    blocks = transcript.blocks(answer.text) if answer is not None else []
    # nh3 cleaned every block: see arena.transcript
    html = SafeString("".join(blocks))
    return SideView(side.value, state.status.value, state.reason, state.code, html, len(blocks))
