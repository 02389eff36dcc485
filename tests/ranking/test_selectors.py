from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inference.models import Candidate, ModelEndpoint
from inference.types import EndpointHealth, EndpointStatus
from ranking.selectors import board_tally, criteria_of, live_board, load_tally, missing_votes
from ranking.services import TallyEntry, record, replace_tally
from ranking.tally import Tally
from ranking.types import BoardKind, Criterion, Outcome, Status
from tests.ranking.builders import make_board, make_tally, ring

pytestmark = pytest.mark.django_db
OVERALL = Criterion.OVERALL


def make_candidate(code: str, status: EndpointStatus = EndpointStatus.ACTIVE) -> Candidate:
    candidate = Candidate.objects.create(code=code, name=code)
    ModelEndpoint.objects.create(
        candidate=candidate,
        base_url="http://127.0.0.1:9/v1",
        model=code,
        status=status.value,
        health=EndpointHealth.UNKNOWN.value,
    )
    return candidate


def vote(model_a: str, model_b: str, outcome: Outcome) -> TallyEntry:
    return TallyEntry(criterion=OVERALL, model_a=model_a, model_b=model_b, outcome=outcome)


def test_a_tally_is_read_in_one_query_with_models_by_name() -> None:
    board = make_board()
    record(board_id=board.pk, entries=[vote("z", "a", Outcome.TIE), vote("a", "m", Outcome.B_BETTER)])
    with CaptureQueriesContext(
        connection,
    ) as queries:
        tally = load_tally(board_id=board.pk, criterion=OVERALL)
    assert len(queries) == 1
    assert tally.models == ("a", "m", "z")
    assert tally.equals(make_tally("z=a", "a<m"))


def test_a_live_board_lists_servable_candidates_that_wait_for_a_vote() -> None:
    board = make_board()
    for code in ("a", "b", "new"):
        make_candidate(code)
    make_candidate("gone", EndpointStatus.DISABLED)
    record(board_id=board.pk, entries=[vote("a", "b", Outcome.A_BETTER)])
    result = live_board(board=board, criterion=OVERALL)
    assert {row.model: row.status for row in result.ratings} == {
        "a": Status.UNBOUNDED,
        "b": Status.UNBOUNDED,
        "new": Status.EMPTY,
    }
    assert result.n_votes == 1


def test_an_imported_board_lists_its_own_models_alone() -> None:
    make_candidate("a")
    board = make_board(kind=BoardKind.IMPORTED)
    replace_tally(board=board, tallies={OVERALL: ring(3)})
    assert board_tally(board=board, criterion=OVERALL).models == ("m0", "m1", "m2")


def test_criteria_are_all_three_on_a_live_board_and_the_held_ones_on_an_imported() -> None:
    assert criteria_of(make_board()) == list(Criterion)
    board = make_board("e", BoardKind.IMPORTED)
    assert criteria_of(board) == [OVERALL]
    replace_tally(board=board, tallies={Criterion.LANGUAGE: ring(3), Criterion.CONTENT: ring(3)})
    assert criteria_of(board) == [Criterion.CONTENT, Criterion.LANGUAGE]


def test_missing_votes_fall_by_one_with_each_vote() -> None:
    board = make_board()
    for code in ("a", "b", "c", "d"):
        make_candidate(code)
    before = missing_votes(board_tally(board=board, criterion=OVERALL))
    for count, outcome in enumerate(Outcome, start=1):
        record(board_id=board.pk, entries=[vote("a", "b", outcome)])
        assert missing_votes(board_tally(board=board, criterion=OVERALL)) == before - count


def test_nothing_is_missing_where_nobody_waits() -> None:
    assert missing_votes(Tally.empty([])) == 0
