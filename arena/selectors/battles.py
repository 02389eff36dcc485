"""A battle as its page and its socket may show it. Nothing here names a candidate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Max, QuerySet
from django.utils.safestring import SafeString

from arena import protocol, states, transcript
from arena.models import Answer, Battle, Participant, Turn
from arena.plan import Lease
from arena.protocol import Held, ServerFrame, SideState
from arena.types import AnswerStatus, BattleSource, BattleStatus, FailCode, Side


@dataclass(frozen=True, slots=True)
class SideView:
    letter: str
    status: str
    reason: str
    code: str
    html: SafeString
    sealed: int
    attempt: int


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
    is_own: bool
    is_prompt: bool

    @property
    def turns_left(self) -> int:
        return max(0, self.max_turns - len(self.turns))


def battle_of(battle_id: UUID, participant: Participant | None) -> Battle | None:
    """The battle if it exists and is this participant's; strangers learn nothing of it."""
    if participant is None:
        return None
    return (
        Battle.objects.select_related("campaign__board", "participant", "candidate_a", "candidate_b")
        .filter(pk=battle_id, participant=participant)
        .first()
    )


def unfinished_battles(participant: Participant | None) -> list[Battle]:
    """The participant's battles that wait for a turn or a vote, newest first."""
    if participant is None:
        return []
    return list(unfinished_of(participant).order_by("-created_at")[:10])


def unfinished_of(participant: Participant) -> QuerySet[Battle]:
    """All of them but the pairs that they were given to judge."""
    statuses = [status.value for status in states.UNFINISHED]
    return Battle.objects.filter(participant=participant, source=BattleSource.LIVE.value, status__in=statuses)


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
        is_own=battle.source == BattleSource.LIVE.value,
        is_prompt=battle.source == BattleSource.PROMPT_SET.value,
    )


def lease_of(battle_id: UUID) -> Lease | None:
    """Who answers the battle's last turn, if anybody does. Two queries."""
    turn = Turn.objects.filter(battle=battle_id).prefetch_related("answers").order_by("-index").first()
    if turn is None or turn.runner_id is None:
        return None
    attempts = {Side(answer.side): answer.attempt for answer in turn.answers.all()}
    return Lease(battle_id, turn.pk, turn.index, turn.runner_id, attempts)


def last_turn(battle_id: UUID) -> int:
    """Its number; 0 before the first. One query."""
    last: int | None = Turn.objects.filter(battle=battle_id).aggregate(last=Max("index"))["last"]
    return last or 0


def stored_frames(battle: Battle, held: Mapping[Side, Held]) -> list[ServerFrame]:
    """What a socket that resumes gets when nothing is being written: what it lacks of the stored last turn, as frames; *held* is kept up to date."""
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
        frames += _answer_frames(side, answer, held.get(side, Held()))
    return frames


def _answer_frames(side: Side, answer: Answer, held: Held) -> list[ServerFrame]:
    state = _side_state(answer)
    held.turn_to(answer.attempt)
    blocks = transcript.blocks(answer.text)
    frames: list[ServerFrame] = []
    if held.sealed <= len(blocks):  # a page keeps what it saw of a side whose process died with it
        sealed = blocks[held.sealed :]
        frames.append(protocol.render(side=side, seq=len(blocks), sealed=sealed, open_block=""))
        held.sealed = len(blocks)
    if state.status is AnswerStatus.COMPLETE:
        frames.append(protocol.done(side=side, reason=state.reason))
    elif state.status.ended:
        frames.append(protocol.failed(side=side, code=FailCode(state.code)))
    return frames


def _side_state(answer: Answer | None) -> SideState:
    if answer is None:
        return SideState(AnswerStatus.PENDING)
    return SideState(AnswerStatus(answer.status), answer.finish_reason, answer.error_code, answer.attempt)


def _turn_view(index: int, text: str, answers: list[Answer]) -> TurnView:
    by_side = {Side(answer.side): answer for answer in answers}
    return TurnView(index, text, *(_side_view(side, by_side.get(side)) for side in Side))


def _side_view(side: Side, answer: Answer | None) -> SideView:
    state = _side_state(answer)
    blocks = transcript.blocks(answer.text) if answer is not None else []
    # nh3 cleaned every block: see arena.transcript
    html = SafeString("".join(blocks))
    return SideView(
        side.value, state.status.value, state.reason, state.code, html, len(blocks), state.attempt
    )
