"""The battle as a state machine: which step leads where, and which is not allowed."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from arena.errors import IllegalMove
from arena.types import AnswerStatus, BattleStatus


class Move(StrEnum):
    TURN = "turn"
    RETRY = "retry"
    FINISH = "finish"
    VOTE = "vote"
    ABANDON = "abandon"


_NEXT: dict[tuple[BattleStatus, Move], BattleStatus] = {
    (BattleStatus.OPEN, Move.TURN): BattleStatus.ANSWERING,
    (BattleStatus.READY, Move.TURN): BattleStatus.ANSWERING,
    (BattleStatus.ANSWERING, Move.RETRY): BattleStatus.ANSWERING,
    (BattleStatus.ANSWERING, Move.FINISH): BattleStatus.READY,
    (BattleStatus.READY, Move.VOTE): BattleStatus.VOTED,
    (BattleStatus.OPEN, Move.ABANDON): BattleStatus.ABANDONED,
    (BattleStatus.ANSWERING, Move.ABANDON): BattleStatus.ABANDONED,
    (BattleStatus.READY, Move.ABANDON): BattleStatus.ABANDONED,
}

UNFINISHED = (BattleStatus.OPEN, BattleStatus.ANSWERING, BattleStatus.READY)


def after(status: BattleStatus, move: Move) -> BattleStatus:
    """The status that *move* leads to; :class:`IllegalMove` where it is not allowed."""
    try:
        return _NEXT[status, move]
    except KeyError:
        raise IllegalMove(f"no {move} while a battle is {status}") from None


def both_complete(sides: Iterable[AnswerStatus]) -> bool:
    statuses = list(sides)
    return len(statuses) == 2 and all(status is AnswerStatus.COMPLETE for status in statuses)


def may_retry(status: AnswerStatus) -> bool:
    return status in {AnswerStatus.FAILED, AnswerStatus.INTERRUPTED}
