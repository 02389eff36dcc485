from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena import states
from arena.errors import IllegalMove
from arena.states import Move
from arena.types import AnswerStatus, BattleStatus

S = BattleStatus
LEGAL = {
    (S.OPEN, Move.TURN): S.ANSWERING,
    (S.READY, Move.TURN): S.ANSWERING,
    (S.ANSWERING, Move.RETRY): S.ANSWERING,
    (S.ANSWERING, Move.FINISH): S.READY,
    (S.READY, Move.VOTE): S.VOTED,
    (S.OPEN, Move.ABANDON): S.ABANDONED,
    (S.ANSWERING, Move.ABANDON): S.ABANDONED,
    (S.READY, Move.ABANDON): S.ABANDONED,
}


@pytest.mark.parametrize("status", list(S))
@pytest.mark.parametrize("move", list(Move))
def test_every_step_is_either_legal_or_refused(status: S, move: Move) -> None:
    if (status, move) in LEGAL:
        assert states.after(status, move) is LEGAL[status, move]
    else:
        with pytest.raises(IllegalMove):
            states.after(status, move)


@given(st.lists(st.sampled_from(list(Move)), max_size=40))
def test_a_vote_follows_only_a_finished_turn_and_ends_the_battle(moves: list[Move]) -> None:
    status: S = S.OPEN
    last: Move | None = None
    for move in moves:
        try:
            status, before = states.after(status, move), status
        except IllegalMove:
            continue
        assert before not in {S.VOTED, S.ABANDONED}
        if move is Move.VOTE:
            assert last is Move.FINISH
        last = move


@given(st.lists(st.sampled_from(list(AnswerStatus)), max_size=3))
def test_only_two_complete_sides_are_complete(sides: list[AnswerStatus]) -> None:
    assert states.both_complete(sides) == (sides == [AnswerStatus.COMPLETE] * 2)


@pytest.mark.parametrize("status", list(AnswerStatus))
def test_only_what_went_wrong_is_retried(status: AnswerStatus) -> None:
    assert states.may_retry(status) == (status in {AnswerStatus.FAILED, AnswerStatus.INTERRUPTED})


def test_unfinished_statuses_are_those_that_can_be_left() -> None:
    leavable = {status for status, move in LEGAL if move is Move.ABANDON}
    assert set(states.UNFINISHED) == leavable
