"""What a board says of a model beside its rating: how often it would win, and where content and language rate it otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ranking.board import CENTRE, SCALE, BoardResult, Rating
from ranking.fit import Vector
from ranking.predict import expected_points, mean_win_probability
from ranking.rao_kupper import fit_rao_kupper
from ranking.tables import Table, Value
from ranking.tally import Tally
from ranking.types import Criterion, TieRule

COLUMNS = (*Rating.__slots__, "win_probability", "content_difference", "language_difference")


@dataclass(frozen=True, slots=True)
class Standing:
    """A board's row, and more about its model.

    Parameters
    ----------
    row
        The board's row.
    win_probability
        The probability to win a vote, on average over the other rated models; a tie counts as half a win, under ``DROP`` only decisive votes count.
        ``None`` without a rating.
    content, language
        By how many rating points content, or language, rates the model above the overall board; both scales centred on the models that both rate.
        ``None`` where either has no rating.
    """

    row: Rating
    win_probability: float | None
    content: float | None
    language: float | None


def standings(
    tally: Tally, board: BoardResult, by_criterion: Mapping[Criterion, BoardResult]
) -> list[Standing]:
    """A standing for each row of *board*, in its order.

    Parameters
    ----------
    tally
        What *board* was fitted to.
    board
        The board.
    by_criterion
        Boards by the same tie rule; differences are left out where overall or the other one is not there.
    """
    wins = win_probabilities(tally, board)
    content, language = (
        _differences(by_criterion, criterion) for criterion in (Criterion.CONTENT, Criterion.LANGUAGE)
    )
    return [
        Standing(row, wins.get(row.model), content.get(row.model), language.get(row.model))
        for row in board.ratings
    ]


def win_probabilities(tally: Tally, board: BoardResult) -> dict[str, float]:
    """By rated model, what :class:`Standing` calls its win probability."""
    rated = _ratings(board)
    if not rated:
        return {}
    strengths: Vector = (np.array([*rated.values()]) - CENTRE) / SCALE
    if board.ties is TieRule.RAO_KUPPER:
        points = expected_points(fit_rao_kupper(tally.subset([*rated]), start=strengths))
        means = (points.sum(axis=1) - 0.5) / (len(rated) - 1)  # a match of two equals gives half a point
    else:
        means = mean_win_probability(strengths)
    return dict(zip(rated, means.tolist(), strict=True))


def standing_table(found: list[Standing]) -> Table:
    """All there is of each row, under the board's own names: ``ratings``."""
    rows: list[tuple[Value, ...]] = [
        (
            *(getattr(each.row, name) for name in Rating.__slots__[:-1]),
            str(each.row.status),
            *(each.win_probability, each.content, each.language),
        )
        for each in found
    ]
    return Table("ratings", COLUMNS, tuple(rows))


def _differences(boards: Mapping[Criterion, BoardResult], criterion: Criterion) -> dict[str, float]:
    if criterion not in boards or Criterion.OVERALL not in boards:
        return {}
    overall, other = _ratings(boards[Criterion.OVERALL]), _ratings(boards[criterion])
    both = [model for model in overall if model in other]
    gaps = np.array([other[model] - overall[model] for model in both])
    return dict(zip(both, (gaps - gaps.mean()).tolist(), strict=True)) if both else {}


def _ratings(board: BoardResult) -> dict[str, float]:
    return {row.model: row.rating for row in board.ratings if row.rating is not None}
