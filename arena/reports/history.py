"""How the ratings moved: the board as it was published, time after time."""

from __future__ import annotations

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from arena.reports.base import Figure, Page, Report, Section, Source
from arena.reports.published import UNPUBLISHED
from arena.selectors.snapshots import evenly, snapshots_of
from ranking.lines import Series, lines
from ranking.models import Board, Snapshot
from ranking.tables import Table, Value
from ranking.types import BoardKind

DRAWN = 40
"""At most so many snapshots are drawn."""
LISTED = 50
_RATINGS = ("model", "published_at", "rating", "low", "high")
_SNAPSHOTS = ("published_at", "votes", "excluded", "code_version", "snapshot", "checksum")


def build(source: Source) -> Report:
    found = snapshots_of(board=source.board, criterion=source.criterion)
    listed = list(found.defer("payload", "covariance")[:LISTED])
    if not listed:
        return Report(reason=UNPUBLISHED)
    drawn = _ratings(evenly(found, DRAWN))
    return Report((*drawn, _list(source.board, listed)))


def _ratings(drawn: list[Snapshot]) -> tuple[Section, ...]:
    """The lines and their numbers; nothing where no published board had a rating."""
    times = [timezone.localtime(each.created_at) for each in drawn]
    boards = [{row["model"]: row for row in each.payload["ratings"]} for each in drawn]
    models = [row["model"] for row in drawn[-1].payload["ratings"]]
    models += sorted({model for board in boards for model in board} - {*models})
    rows: list[tuple[Value, ...]] = [
        (model, _iso(each), board[model]["rating"], board[model]["low"], board[model]["high"])
        for model in models
        for each, board in zip(drawn, boards, strict=True)
        if model in board and board[model]["rating"] is not None
    ]
    if not rows:
        return ()
    last = boards[-1]
    series = [
        Series(
            model,
            [board.get(model, {}).get("rating") for board in boards],
            low=last.get(model, {}).get("low"),
            high=last.get(model, {}).get("high"),
        )
        for model in models
    ]
    return (
        Section(
            title=_("Ratings over time"),
            text=_(
                "Each line is a model; the bar at its end is its interval, clustered by volunteer, on the last published board."
            ),
            table=Table("ratings", _RATINGS, tuple(rows)),
            figure=Figure(
                "figures/lines.html",
                lines(times, series),
                _("Ratings on the published boards; the table below holds the same numbers."),
            ),
        ),
    )


def _list(board: Board, listed: list[Snapshot]) -> Section:
    rows = tuple(
        (
            *(_iso(each), each.n_votes, each.n_excluded, each.code_version),
            *(reverse("snapshot", args=[board.slug, each.pk]), each.checksum),
        )
        for each in listed
    )
    return Section(
        title=_("Published boards"),
        text=_(
            "The newest ones; nobody can change them. Each holds the whole board, how it was computed, and the covariance of its ratings."
        ),
        table=Table("snapshots", _SNAPSHOTS, rows),
    )


def _iso(snapshot: Snapshot) -> str:
    return snapshot.created_at.isoformat(timespec="seconds")


PAGE = Page(
    slug="history",
    title=_("Over time"),
    lead=_("How the ratings moved, and every board that was published."),
    build=build,
    offered=lambda board: board.kind == BoardKind.LIVE.value,
)
