"""A model's own page on a board."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from arena.reports import model as report
from arena.reports import registry
from arena.reports.base import Source, Text
from arena.views.boards import asked_criterion, criterion_choices, display_names
from arena.views.reports import download
from inference.models import Candidate
from ranking.board import build_board
from ranking.models import Board
from ranking.selectors import board_tally, criteria_of

LEAD = _("Where this model stands, and how it fares against each of the others.")


@dataclass(frozen=True, slots=True)
class Head:
    """What the frame of a board's pages needs of this one."""

    title: str
    lead: Text = LEAD
    slug: str = ""
    form: str = "model.html"


@require_GET
def model(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """Only of models with a counted battle; the others are not found, so that nobody learns who takes part before the votes say it."""
    board = get_object_or_404(Board, slug=slug)
    offered = criteria_of(board)
    criterion = asked_criterion(request, offered)
    tally = board_tally(board=board, criterion=criterion)
    source = Source(board, criterion, tally, build_board(tally, criterion=criterion))
    row = report.row_of(source.result, name)
    if row is None:
        raise Http404
    built = report.build(source, name)
    if "format" in request.GET:
        return download(request, built, name=f"{board.slug}-{_file_name(name)}-{criterion}", source=source)
    names = display_names()
    context = {
        "board": board,
        "page": Head(names.get(name, name)),
        "pages": registry.offered(board),
        "criterion": criterion.value,
        "criteria": criterion_choices(offered, criterion),
        "report": built,
        "row": row,
        "candidate": Candidate.objects.filter(code=name).first(),
        "query": {},
        "names": names,
        "linked": {each.model for each in source.result.ratings if each.n},
        "now": timezone.now(),
    }
    return render(request, "report.html", context)


def _file_name(name: str) -> str:
    """The model's name with plain characters alone."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name)
