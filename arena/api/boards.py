"""Boards: their ratings, pairs, published snapshots, and for researchers why votes do not count."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from arena.api import cursors, schemas
from arena.api.problems import Fault, invalid, not_found
from arena.api.routes import route
from arena.api.schemas import Slug
from arena.reports.base import Source
from arena.reports.pairs import in_order, pair_table
from arena.selectors.exclusions import exclusion_counts
from arena.selectors.snapshots import as_json, snapshots_before, snapshots_of
from arena.types import ApiScope
from ranking.board import build_board
from ranking.models import Board, Snapshot
from ranking.selectors import board_tally, criteria_by_board, criteria_of
from ranking.types import BoardKind, Criterion, TieRule

router = Router(tags=["boards"])
FOREVER = "public, max-age=31536000, immutable"


@route(router, "/boards", name="boards", response=schemas.BoardsOut)
def boards(request: HttpRequest) -> dict[str, Any]:
    """All boards, live and imported."""
    found = list(Board.objects.order_by("pk"))
    criteria = criteria_by_board(found)
    return {
        "items": [
            {"slug": each.slug, "name": each.name, "kind": each.kind, "criteria": criteria[each.pk]}
            for each in found
        ]
    }


@route(router, "/boards/{slug:slug}/ratings", name="ratings", response=schemas.RatingsOut)
def ratings(request: HttpRequest, slug: Slug, query: Query[schemas.RatingsQuery]) -> dict[str, Any]:
    """The exact current fit, as the board's page shows it."""
    return _source(slug, query.criterion, query.ties).result.as_json()


@route(router, "/boards/{slug:slug}/pairs", name="pairs", response=schemas.PairsOut)
def pairs(request: HttpRequest, slug: Slug, query: Query[schemas.CriterionQuery]) -> dict[str, Any]:
    """Who met whom, how often, and who won."""
    source = _source(slug, query.criterion, TieRule.HALF)
    return {
        "board": slug,
        "criterion": query.criterion,
        "n_votes": source.tally.n_votes,
        "pairs": pair_table(in_order(source)).as_json(),
    }


@route(router, "/boards/{slug:slug}/snapshots", name="snapshots", response=schemas.SnapshotsOut)
def snapshots(request: HttpRequest, slug: Slug, query: Query[schemas.SnapshotsQuery]) -> dict[str, Any]:
    """The boards that were published, newest first, by one tie rule."""
    found = snapshots_of(board=_board(slug), criterion=query.criterion, ties=query.ties)
    listed = snapshots_before(found, _place(query.cursor), most=query.limit + 1)
    items, more = listed[: query.limit], len(listed) > query.limit
    last = items[-1] if more else None
    return {
        "items": items,
        "next": cursors.write("snapshots", last.created_at.isoformat(), str(last.pk)) if last else None,
    }


@route(
    router,
    "/boards/{slug:slug}/snapshots/{uuid:snapshot_id}",
    name="snapshot",
    response=schemas.WholeSnapshotOut,
)
def snapshot(request: HttpRequest, response: HttpResponse, slug: Slug, snapshot_id: UUID) -> dict[str, Any]:
    """A published board as a whole, with the covariance of its ratings."""
    found = Snapshot.objects.select_related("board").filter(pk=snapshot_id, board__slug=slug).first()
    if found is None:
        raise not_found(f"This board has no such snapshot: /api/v1/boards/{slug}/snapshots lists them.")
    response.headers["Cache-Control"] = FOREVER
    return as_json(found)


@route(
    router,
    "/boards/{slug:slug}/exclusions",
    name="exclusions",
    response=schemas.ExclusionsOut,
    scope=ApiScope.VOTES,
)
def exclusions(request: HttpRequest, slug: Slug) -> dict[str, Any]:
    """How many votes of a live board do not count, by reason."""
    board = _board(slug)
    if board.kind != BoardKind.LIVE.value:
        raise not_found("The votes of an imported board are not here.")
    counts = exclusion_counts(board)
    return {
        "board": slug,
        "votes": counts.votes,
        "counted": counts.counted,
        "reasons": counts.reasons,
    }


def _board(slug: str) -> Board:
    found = Board.objects.filter(slug=slug).first()
    if found is None:
        raise not_found("No board has this code: /api/v1/boards lists them.")
    return found


def _source(slug: str, criterion: Criterion, ties: TieRule) -> Source:
    """The board's tally and its fit. Raises ``ApiProblem``: 404 without such a board, 422 for a criterion that it does not hold."""
    board = _board(slug)
    offered = criteria_of(board)
    if criterion not in offered:
        says = f"This board holds {', '.join(offered)}."
        raise invalid(Fault(where="query.criterion", says=says))
    tally = board_tally(board=board, criterion=criterion)
    return Source(board, criterion, tally, build_board(tally, criterion=criterion, ties=ties))


def _place(cursor: str | None) -> tuple[datetime, UUID] | None:
    if cursor is None:
        return None
    moment, key = cursors.read("snapshots", cursor)
    return datetime.fromisoformat(moment), UUID(key)
