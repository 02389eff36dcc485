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

_NOTHING = {outcome.value: 0 for outcome in Outcome}


@dataclass(frozen=True, slots=True, order=True)
class TallyEntry:
    """One judgement as the tally sees it."""

    criterion: Criterion
    model_a: str
    model_b: str
    outcome: Outcome


def record(*, board_id: int, entries: Iterable[TallyEntry], step: int = 1) -> None:
    """Move a live board's tally by *step* for each entry.

    Belongs into the transaction of the vote that it counts. The board is held against a rebuild, not against other votes; cells are made where they lack,
    then locked and moved in key order, so that two votes never wait for each other in a circle. Two queries,
    or, where *step* takes away, one and one a different entry.

    Raises
    ------
    TallyMisuse
        Outside a transaction; for a board that is imported or not there; or if a count would fall below zero, and then the transaction must not stand.
    """
    if not connection.in_atomic_block:
        raise TallyMisuse("a tally moves inside the transaction of its vote")
    if _held_kind(board_id) != BoardKind.LIVE.value:
        raise TallyMisuse("only a live board counts votes")
    counted = Counter(entries)
    if step > 0 and counted:
        _put(board_id, {entry: step * times for entry, times in counted.items()})
    if step < 0:
        for entry, times in sorted(counted.items()):
            _take(board_id, entry, -step * times)


def _held_kind(board_id: int) -> str | None:
    """The board's kind, its row locked FOR KEY SHARE, which Django's ORM cannot say: it waits for ``overwrite_tally`` alone."""
    table = connection.ops.quote_name(Board._meta.db_table)
    with connection.cursor() as cursor:
        # no value is put into the text but the table's own name
        cursor.execute(f"SELECT kind FROM {table} WHERE id = %s FOR KEY SHARE", [board_id])  # noqa: S608  # see above
        row = cursor.fetchone()
    return row[0] if row else None


def _put(board_id: int, entries: Mapping[TallyEntry, int]) -> None:
    """Add to each cell, in one query that makes, locks and moves cells in the order of their keys: an addition on conflict, which Django's ORM cannot say."""
    cells: dict[tuple[str, str, str], dict[str, int]] = {}
    for entry, times in sorted(entries.items()):
        cell = cells.setdefault((entry.criterion.value, entry.model_a, entry.model_b), dict(_NOTHING))
        cell[entry.outcome.value] += times
    values: list[int | str] = []
    for key, counts in cells.items():
        values += [board_id, *key, *counts.values()]
    with connection.cursor() as cursor:
        cursor.execute(_upsert(len(cells)), values)


def _upsert(n: int) -> str:
    """Adding to *n* cells; of texts it holds nothing but the table's and the outcomes' names."""
    table = connection.ops.quote_name(TallyCell._meta.db_table)
    key = "board_id, criterion, model_a, model_b"
    counts = ", ".join(_NOTHING)
    added = ", ".join(f"{each} = cell.{each} + excluded.{each}" for each in _NOTHING)
    rows = ", ".join(["(%s, %s, %s, %s, %s, %s, %s, %s)"] * n)
    return f"INSERT INTO {table} AS cell ({key}, {counts}) VALUES {rows} ON CONFLICT ({key}) DO UPDATE SET {added}"  # noqa: S608  # see above


def _take(board_id: int, entry: TallyEntry, times: int) -> None:
    column = entry.outcome.value
    cell = TallyCell.objects.filter(
        board_id=board_id,
        criterion=entry.criterion.value,
        model_a=entry.model_a,
        model_b=entry.model_b,
        **{f"{column}__gte": times},
    )
    if not cell.update(**{column: F(column) - times}):
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
            **{outcome.value: int(tally.counts[i, j, outcome.place]) for outcome in Outcome},
        )
        for i, a in enumerate(tally.models)
        for j, b in enumerate(tally.models)
        if tally.counts[i, j].any()
    ]
