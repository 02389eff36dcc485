from __future__ import annotations

import random
import threading
from collections.abc import Callable

import numpy as np
import pytest
from django.db import IntegrityError, close_old_connections, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from ranking.board import build_board
from ranking.errors import TallyMisuse
from ranking.models import Board, TallyCell
from ranking.selectors import live_board, load_tally
from ranking.services import TallyEntry, record, replace_tally
from ranking.services.tallies import overwrite_tally
from ranking.tally import Tally
from ranking.types import BoardKind, Criterion, Outcome
from tests.ranking.builders import NAMES, Vote, make_board, make_tally, ring, votes_strategy

OVERALL, CONTENT = Criterion.OVERALL, Criterion.CONTENT


def entry(model_a: str, model_b: str, outcome: Outcome, criterion: Criterion = OVERALL) -> TallyEntry:
    return TallyEntry(criterion=criterion, model_a=model_a, model_b=model_b, outcome=outcome)


def stored(board: Board, criterion: Criterion = OVERALL) -> Tally:
    return load_tally(board_id=board.pk, criterion=criterion)


@pytest.mark.django_db
def test_a_vote_moves_one_cell_of_each_criterion() -> None:
    board = make_board()
    entries = [entry("x", "y", Outcome.TIE), entry("x", "y", Outcome.BOTH_BAD, CONTENT)]
    record(board_id=board.pk, entries=entries)
    assert stored(board).equals(make_tally("x=y"))
    assert stored(board, CONTENT).equals(make_tally("x!y"))
    assert stored(board, Criterion.LANGUAGE).n_votes == 0


@pytest.mark.django_db
def test_the_side_is_kept() -> None:
    board = make_board()
    record(board_id=board.pk, entries=[entry("x", "y", Outcome.A_BETTER), entry("y", "x", Outcome.A_BETTER)])
    assert stored(board).counts[0, 1].tolist() == stored(board).counts[1, 0].tolist() == [1, 0, 0, 0]


@pytest.mark.django_db
def test_boards_do_not_mix() -> None:
    board, other = make_board(), make_board("beste")
    record(board_id=board.pk, entries=[entry("x", "y", Outcome.TIE)])
    assert stored(other).n_votes == 0


@pytest.mark.django_db(transaction=True)
def test_a_tally_does_not_move_outside_a_transaction() -> None:
    board = make_board()
    with pytest.raises(TallyMisuse, match="inside the transaction"):
        record(board_id=board.pk, entries=[entry("x", "y", Outcome.TIE)])
    assert stored(board).n_votes == 0


@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_fails_takes_its_increments_with_it() -> None:
    board = make_board()
    with pytest.raises(LookupError), transaction.atomic():
        record(board_id=board.pk, entries=[entry("x", "y", Outcome.TIE)])
        raise LookupError
    assert stored(board).n_votes == 0


@pytest.mark.django_db
@pytest.mark.parametrize("kind", [BoardKind.IMPORTED, None])
def test_only_a_live_board_counts_votes(kind: BoardKind | None) -> None:
    board_id = make_board(kind=kind).pk if kind else 0
    with pytest.raises(TallyMisuse, match="only a live board"):
        record(board_id=board_id, entries=[entry("x", "y", Outcome.TIE)])


@pytest.mark.django_db
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(votes_strategy, st.data())
def test_votes_recorded_and_withdrawn_one_by_one_equal_the_count_of_those_that_stay(
    votes: list[Vote], data: st.DataObject
) -> None:
    withdrawn = data.draw(st.sets(st.integers(0, len(votes) - 1))) if votes else set()
    with transaction.atomic():
        board = make_board(f"board-{random.Random(len(votes)).getrandbits(64)}-{Board.objects.count()}")
        for vote in votes:
            record(board_id=board.pk, entries=[entry(*vote)])
        for place in withdrawn:
            record(board_id=board.pk, entries=[entry(*votes[place])], step=-1)
        kept = [vote for place, vote in enumerate(votes) if place not in withdrawn]
        assert stored(board).equals(Tally.from_votes(kept))
        overwrite_tally(board=board, tallies={OVERALL: Tally.from_votes(kept)})
        assert stored(board).equals(Tally.from_votes(kept))


@pytest.mark.django_db
def test_a_count_never_falls_below_zero() -> None:
    board = make_board()
    record(board_id=board.pk, entries=[entry("x", "y", Outcome.TIE)])
    for wrong in (entry("x", "y", Outcome.A_BETTER), entry("y", "x", Outcome.TIE)):
        with pytest.raises(TallyMisuse, match="below zero"), transaction.atomic():
            record(board_id=board.pk, entries=[wrong], step=-1)
    assert stored(board).equals(make_tally("x=y"))


@pytest.mark.django_db
def test_equal_entries_of_one_call_add_up() -> None:
    board = make_board()
    record(board_id=board.pk, entries=[entry("x", "y", Outcome.TIE)] * 3)
    with pytest.raises(TallyMisuse), transaction.atomic():
        record(board_id=board.pk, entries=[entry("x", "y", Outcome.TIE)] * 4, step=-1)
    assert stored(board).equals(make_tally("x=y*3"))


@pytest.mark.django_db
def test_different_outcomes_of_one_cell_are_added_in_one_call_and_taken_back() -> None:
    board = make_board()
    said = [entry("x", "y", outcome) for outcome in (Outcome.TIE, Outcome.A_BETTER, Outcome.TIE)]
    for _ in range(2):
        record(board_id=board.pk, entries=said)
    record(board_id=board.pk, entries=said, step=-1)
    record(board_id=board.pk, entries=[])
    assert stored(board).equals(make_tally("x=y*2", "x>y"))


def in_threads(jobs: list[Callable[[], None]]) -> list[BaseException]:
    """Run each job in a thread with a connection of its own; returns what they raised."""
    raised: list[BaseException] = []

    def run(job: Callable[[], None]) -> None:
        try:
            job()
        except BaseException as error:  # noqa: BLE001  # handed to the test, which fails on it
            raised.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    close_old_connections()
    return raised


@pytest.mark.django_db(transaction=True)
def test_votes_at_once_are_all_counted_and_none_waits_in_a_circle() -> None:
    board = make_board()
    pairs = [("x", "y"), ("y", "z"), ("z", "x")]

    def votes(seed: int) -> Callable[[], None]:
        def run() -> None:
            chance = random.Random(seed)
            for _ in range(15):
                entries = [entry(*pair, chance.choice(list(Outcome)), c) for pair in pairs for c in Criterion]
                chance.shuffle(entries)
                with transaction.atomic():
                    record(board_id=board.pk, entries=entries)

        return run

    assert in_threads([votes(seed) for seed in range(4)]) == []
    for criterion in Criterion:
        assert stored(board, criterion).n_votes == 4 * 15 * 3


@pytest.mark.django_db(transaction=True)
def test_a_rebuild_waits_for_a_vote_that_moves_cells_and_does_not_lose_it() -> None:
    board = make_board()
    moved, may_commit = threading.Event(), threading.Event()

    def vote() -> None:
        with transaction.atomic():
            record(board_id=board.pk, entries=[entry("x", "y", Outcome.TIE)])
            moved.set()
            assert may_commit.wait(30)

    def rebuild() -> None:
        assert moved.wait(30)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '200ms'")
            with pytest.raises(Exception, match="lock timeout"):
                overwrite_tally(board=board, tallies={})
            transaction.set_rollback(True)
        may_commit.set()

    assert in_threads([vote, rebuild]) == []
    assert stored(board).equals(make_tally("x=y"))


@pytest.mark.django_db
def test_an_import_is_replaced_as_a_whole_and_repeating_it_changes_nothing() -> None:
    board = make_board(kind=BoardKind.IMPORTED)
    replace_tally(board=board, tallies={OVERALL: make_tally("x>y", "y=z"), CONTENT: make_tally("x>y")})
    for _ in range(2):
        replace_tally(board=board, tallies={OVERALL: ring(3)})
        assert stored(board).equals(ring(3))
        assert stored(board, CONTENT).n_votes == 0
    assert TallyCell.objects.filter(board=board).count() == 3


@pytest.mark.django_db
def test_an_import_does_not_touch_a_live_board() -> None:
    board = make_board()
    record(board_id=board.pk, entries=[entry("x", "y", Outcome.TIE)])
    with pytest.raises(TallyMisuse, match="counted from its votes"):
        replace_tally(board=board, tallies={OVERALL: ring(3)})
    assert stored(board).equals(make_tally("x=y"))


@pytest.mark.django_db
def test_every_outcome_survives_the_way_into_the_database_and_back() -> None:
    board = make_board(kind=BoardKind.IMPORTED)
    counts = np.random.default_rng(3).integers(0, 2**40, size=(5, 5, 4))
    counts[np.arange(5), np.arange(5)] = 0
    tally = Tally(tuple("abcde"), counts)
    replace_tally(board=board, tallies={OVERALL: tally})
    assert stored(board).equals(tally)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "wrong",
    [
        {"model_a": "x", "model_b": "x"},
        {"model_a": "x", "model_b": "y", "tie": -1},
        {"model_a": "x", "model_b": "y", "criterion": "style"},
    ],
)
def test_the_database_refuses_a_cell_that_cannot_be(wrong: dict[str, object]) -> None:
    board = make_board()
    with pytest.raises(IntegrityError), transaction.atomic():
        TallyCell.objects.create(**{"board": board, "criterion": "overall", **wrong})


@pytest.mark.django_db
def test_the_database_refuses_a_second_cell_of_a_pair_and_a_board_of_no_kind() -> None:
    board = make_board()
    TallyCell.objects.create(board=board, criterion="overall", model_a="x", model_b="y")
    with pytest.raises(IntegrityError), transaction.atomic():
        TallyCell.objects.create(board=board, criterion="overall", model_a="x", model_b="y")
    with pytest.raises(IntegrityError), transaction.atomic():
        Board.objects.create(slug="b", name="B", kind="odd")


@pytest.mark.django_db
def test_what_is_stored_names_itself() -> None:
    board = make_board()
    record(board_id=board.pk, entries=[entry("x", "y", Outcome.TIE)])
    assert str(board) == "Lehia"
    assert str(TallyCell.objects.get()) == f"{board.pk} overall x y"


@pytest.mark.django_db
def test_a_vote_takes_two_queries_however_many_its_criteria(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    board = make_board()
    entries = [entry("x", "y", Outcome.TIE, criterion) for criterion in Criterion]
    with transaction.atomic(), django_assert_num_queries(2):
        record(board_id=board.pk, entries=entries)


@pytest.mark.django_db
def test_the_live_board_is_the_board_of_the_votes_that_were_recorded() -> None:
    board = make_board()
    chance = random.Random(12)
    votes: list[Vote] = []
    for _ in range(120):
        model_a, model_b = chance.sample(NAMES, 2)
        votes.append((model_a, model_b, chance.choice(list(Outcome))))
    for model_a, model_b, outcome in votes:
        record(board_id=board.pk, entries=[entry(model_a, model_b, outcome)])
    assert live_board(board=board, criterion=OVERALL) == build_board(Tally.from_votes(votes))
