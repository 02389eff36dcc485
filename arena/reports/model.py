"""A model's own page: where it stands under each criterion, and how it fares against each of the others."""

from __future__ import annotations

from dataclasses import replace

from django.utils.translation import gettext_lazy as _
from scipy.special import expit

from arena.reports import basque, labels
from arena.reports.base import Figure, Report, Section, Source
from ranking.board import SCALE, BoardResult, Rating, build_board
from ranking.plot import interval_plot
from ranking.selectors import board_tally, criteria_of
from ranking.tables import Table, Value
from ranking.types import Criterion

RECORD = ("battles", "wins", "ties", "losses")


def row_of(result: BoardResult, model: str) -> Rating | None:
    """The model's row, if it had a battle that counts: one without is on no board yet."""
    return next((row for row in result.ratings if row.model == model and row.n), None)


def build(source: Source, model: str) -> Report:
    """The report of a model that :func:`row_of` finds."""
    adherence, snapshot = basque.of_model(source, model)
    sections = (_by_criterion(source, model), _by_opponent(source, model), adherence)
    return Report(tuple(each for each in sections if each), published=snapshot)


def _by_criterion(source: Source, model: str) -> Section:
    found = {criterion: row_of(result, model) for criterion, result in _results(source).items()}
    held = {criterion: row for criterion, row in found.items() if row}
    rows: list[tuple[Value, ...]] = [
        (
            *(
                criterion.value,
                row.rating,
                row.low,
                row.high,
                row.rank,
                row.rank_low,
                row.rank_high,
                row.tier,
            ),
            *(row.n, row.wins, row.ties, row.losses),
        )
        for criterion, row in held.items()
    ]
    columns = ("criterion", "rating", "low", "high", "rank", "rank_low", "rank_high", "tier", *RECORD)
    # one band for all: tiers belong to the boards of the criteria, not to this chart
    named = tuple(
        replace(row, model=str(labels.value_label("criterion", criterion.value)), tier=row.tier and 1)
        for criterion, row in held.items()
    )
    plot = interval_plot(replace(source.result, ratings=named)) if len(named) > 1 else None
    title = _("By criterion")
    return Section(
        title=title,
        table=Table("criteria", columns, tuple(rows)),
        figure=Figure("figures/intervals.html", plot, title),
    )


def _results(source: Source) -> dict[Criterion, BoardResult]:
    return {
        each: source.result
        if each is source.criterion
        else build_board(board_tally(board=source.board, criterion=each), criterion=each)
        for each in criteria_of(source.board)
    }


def _by_opponent(source: Source, model: str) -> Section:
    ratings = {row.model: row.rating for row in source.result.ratings}
    tally = source.tally.subset(list(ratings))  # in the board's order
    at = tally.models.index(model)
    wins, ties = tally.wins(), tally.ties()
    records = [
        (other, int(wins[at, place]), int(ties[at, place]), int(wins[place, at]))
        for place, other in enumerate(tally.models)
    ]
    rows = tuple(
        (
            *(other, won + tied + lost, won, tied, lost, (won + tied / 2) / (won + tied + lost)),
            _predicted(ratings[model], ratings[other]),
        )
        for other, won, tied, lost in records
        if won + tied + lost
    )
    return Section(
        title=_("Against each model"),
        text=_("A tie is half a win. The prediction is what both ratings say of the pair."),
        table=Table("opponents", ("opponent", *RECORD, "win_rate", "predicted"), rows),
    )


def _predicted(rating: float | None, other: float | None) -> float | None:
    return None if rating is None or other is None else float(expit((rating - other) / SCALE))
