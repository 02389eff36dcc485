"""Moving a tally: by a vote, or as a whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import F

from ranking.errors import TallyMisuse
from ranking.models import Board, TallyCell
from ranking.tally import Tally
from ranking.types import BoardKind, Criterion, Outcome


@dataclass(frozen=True, slots=True, order=True)
class TallyEntry:
    """One judgement as the tally sees it."""

    criterion: Criterion
    model_a: str
    model_b: str
    outcome: Outcome


def record(*, board_id: int, entries: Iterable[TallyEntry], step: int = 1) -> None:
    """Move a tally by *step* for each entry.

    Belongs into the transaction of the vote that it counts. Cells are made where they lack, then locked and moved in key order, so that two votes never
    wait for each other in a circle.

    Raises
    ------
    TallyMisuse
        Outside a transaction, or if a count would fall below zero.
    """
    if not connection.in_atomic_block:
        raise TallyMisuse("a tally moves inside the transaction of its vote")
    for entry, times in sorted(Counter(entries).items()):
        key = {
            "board_id": board_id,
            "criterion": entry.criterion.value,
            "model_a": entry.model_a,
            "model_b": entry.model_b,
        }
        TallyCell.objects.bulk_create([TallyCell(**key)], ignore_conflicts=True)
        column, change = entry.outcome.value, step * times
        cells = TallyCell.objects.filter(**key)
        if change < 0:
            cells = cells.filter(**{f"{column}__gte": -change})
        if not cells.update(**{column: F(column) + change}):
            raise TallyMisuse(f"the count of {column} would fall below zero")


def replace_tally(*, board: Board, tallies: Mapping[Criterion, Tally]) -> None:
    """Put these counts in the place of the board's, in one transaction. Repeating it changes nothing.

    Raises
    ------
    TallyMisuse
        If votes would be overwritten: for a live board use ``rebuild_tally``.
    """
    if board.kind != BoardKind.IMPORTED.value:
        raise TallyMisuse("a live board is counted from its votes")
    overwrite_tally(board=board, tallies=tallies)


def overwrite_tally(*, board: Board, tallies: Mapping[Criterion, Tally]) -> None:
    """As :func:`replace_tally`, for any board: the caller has counted the votes again. Locks the board."""
    with transaction.atomic():
        Board.objects.select_for_update().get(pk=board.pk)
        TallyCell.objects.filter(board=board).delete()
        TallyCell.objects.bulk_create(
            cell for criterion, tally in tallies.items() for cell in _cells(board, criterion, tally)
        )


def _cells(board: Board, criterion: Criterion, tally: Tally) -> list[TallyCell]:
    return [
        TallyCell(
            board=board,
            criterion=criterion.value,
            model_a=a,
            model_b=b,
            **{outcome.value: int(tally.counts[i, j, outcome.index]) for outcome in Outcome},
        )
        for i, a in enumerate(tally.models)
        for j, b in enumerate(tally.models)
        if tally.counts[i, j].any()
    ]
