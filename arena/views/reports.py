"""The pages of a board: one view for all, as a page or as a download."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from arena.reports import registry
from arena.reports.base import Report, Source
from arena.views.boards import asked_criterion, criterion_choices, display_names
from arena.views.downloads import file_answer
from ranking.board import build_board
from ranking.models import Board
from ranking.selectors import board_tally, criteria_of
from ranking.tables import Table, Value, to_csv, to_json, to_latex

LONGEST_ANSWER = 200  # characters of one field of a report's form


@require_GET
def report(request: HttpRequest, slug: str, page: str) -> HttpResponse:
    """``?criterion=``; ``?format=csv|tex&table=NAME`` or ``?format=json`` for the numbers alone."""
    board = get_object_or_404(Board, slug=slug)
    found = registry.find(page)
    if found is None or not found.offered(board):
        raise Http404
    offered = criteria_of(board)
    criterion = asked_criterion(request, offered)
    tally = board_tally(board=board, criterion=criterion)
    query = {name: request.GET[name][:LONGEST_ANSWER] for name in found.asks if name in request.GET}
    source = Source(board, criterion, tally, build_board(tally, criterion=criterion), query)
    built = found.build(source)
    if "format" in request.GET:
        return download(request, built, name=f"{board.slug}-{found.slug}-{criterion}", source=source)
    context = {
        "board": board,
        "page": found,
        "pages": registry.offered(board),
        "criterion": criterion.value,
        "criteria": criterion_choices(offered, criterion),
        "report": built,
        "query": query,
        "names": display_names(),
        "linked": {row.model for row in source.result.ratings if row.n},
        "now": timezone.now(),
    }
    return render(request, "report.html", context)


def download(request: HttpRequest, built: Report, *, name: str, source: Source) -> HttpResponse:
    """The report's tables as a file; 202 while they are being computed, 404 for a format or table that is not there."""
    if built.waiting:
        return JsonResponse({"status": "waiting"}, status=HTTPStatus.ACCEPTED)
    tables = [section.table for section in built.sections]
    form = request.GET["format"]
    if form == "json":
        return file_answer(to_json(tables, **_about(built, source)), "application/json", f"{name}.json")
    table = _asked_table(request, tables)
    if form == "csv":
        return file_answer(to_csv(table), "text/csv", f"{name}-{table.name}.csv")
    if form == "tex":
        return file_answer(to_latex(table), "application/x-tex", f"{name}-{table.name}.tex")
    raise Http404


def _about(built: Report, source: Source) -> dict[str, Value]:
    """What a file says beside its tables: of stored numbers, the published board that they belong to."""
    about: dict[str, Value] = {"board": source.board.slug, "criterion": source.criterion.value}
    if built.published is not None:
        about |= {"snapshot": str(built.published.pk), "published_at": _iso(built.published.created_at)}
    if built.published is not None and not built.live:
        return about | {"n_votes": built.published.n_votes} | dict(built.facts)
    return about | {"n_votes": source.result.n_votes, "computed_at": _iso(timezone.now())}


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


def _asked_table(request: HttpRequest, tables: list[Table]) -> Table:
    wanted = request.GET.get("table")
    found = next((table for table in tables if wanted in {None, table.name}), None)
    if found is None:
        raise Http404
    return found
