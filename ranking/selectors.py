"""Reads of boards."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from inference.selectors import servable_candidates
from ranking.board import BoardResult, build_board
from ranking.missing import missing
from ranking.models import Board, TallyCell
from ranking.tally import Tally
from ranking.types import BoardKind, Criterion, Outcome, TieRule

_COLUMNS = [outcome.value for outcome in Outcome]


def load_tally(*, board_id: int, criterion: Criterion) -> Tally:
    """The board's tally, models by name. One query."""
    cells = list(
        TallyCell.objects.filter(board_id=board_id, criterion=criterion.value).values_list(
            "model_a", "model_b", *_COLUMNS
        )
    )
    models = sorted({name for cell in cells for name in cell[:2]})
    place = {name: index for index, name in enumerate(models)}
    counts = np.zeros((len(models), len(models), len(_COLUMNS)), dtype=np.int64)
    for model_a, model_b, *numbers in cells:
        counts[place[model_a], place[model_b]] = numbers
    return Tally(tuple(models), counts)


def board_tally(*, board: Board, criterion: Criterion) -> Tally:
    """As :func:`load_tally`; a live board also lists the candidates that wait for their first vote. Two queries."""
    return with_waiting(board, load_tally(board_id=board.pk, criterion=criterion))


def with_waiting(board: Board, tally: Tally) -> Tally:
    """The tally with the candidates that wait for their first vote, if the board is live. One query."""
    if board.kind != BoardKind.LIVE.value:
        return tally
    waiting = [candidate.code for candidate in servable_candidates() if candidate.code not in tally.models]
    return tally.merged(Tally.empty(waiting))


def live_board(
    *, board: Board, criterion: Criterion, ties: TieRule = TieRule.HALF, interval: float = 0.95
) -> BoardResult:
    """The exact current fit, computed at the call. Two queries."""
    tally = board_tally(board=board, criterion=criterion)
    return build_board(tally, criterion=criterion, ties=ties, interval=interval)


def missing_votes(tally: Tally, board: BoardResult | None = None) -> int:
    """About how many votes until no model is provisional, 0 where none is; :class:`ranking.missing.Missing` says how it is reckoned.

    *board*, if it is at hand, saves a fit. While a board has no ratings at all this is never 0, and each vote that goes where votes lack lowers it by one.
    """
    return missing(tally, board).until_firm


def criteria_of(board: Board) -> list[Criterion]:
    """What the board can show: all three where votes are live, what was imported otherwise."""
    if board.kind == BoardKind.LIVE.value:
        return list(Criterion)
    held = set(TallyCell.objects.filter(board=board).values_list("criterion", flat=True).distinct())
    return _held_criteria(held)


def criteria_by_board(boards: Collection[Board]) -> dict[int, list[Criterion]]:
    """As :func:`criteria_of`, of several boards by their key. One query."""
    held: dict[int, set[str]] = {board.pk: set() for board in boards}
    cells = TallyCell.objects.filter(board_id__in=held).values_list("board_id", "criterion").distinct()
    for board_id, criterion in cells:
        held[board_id].add(criterion)
    is_live = {board.pk: board.kind == BoardKind.LIVE.value for board in boards}
    return {key: list(Criterion) if is_live[key] else _held_criteria(found) for key, found in held.items()}


def _held_criteria(held: Collection[str]) -> list[Criterion]:
    return [criterion for criterion in Criterion if criterion.value in held] or [Criterion.OVERALL]
