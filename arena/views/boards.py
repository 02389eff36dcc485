"""The boards: live and imported, by criterion."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from arena.reports import registry
from arena.services.campaigns import DEFAULT_SLUG
from inference.models import Candidate
from ranking.board import build_board
from ranking.models import Board
from ranking.plot import interval_plot
from ranking.selectors import board_tally, criteria_of, missing_votes
from ranking.types import Criterion

LABELS = {
    Criterion.OVERALL: _("Overall"),
    Criterion.CONTENT: _("Content"),
    Criterion.LANGUAGE: _("Basque"),
}


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    label: object
    current: bool


@dataclass(frozen=True, slots=True)
class BoardLink:
    slug: str
    name: str
    current: bool


@require_GET
def leaderboard(request: HttpRequest, slug: str = DEFAULT_SLUG) -> HttpResponse:
    board = get_object_or_404(Board, slug=slug)
    offered = criteria_of(board)
    criterion = asked_criterion(request, offered)
    tally = board_tally(board=board, criterion=criterion)
    result = build_board(tally, criterion=criterion)
    context = {
        "boards": [
            BoardLink(each.slug, each.name, each.pk == board.pk) for each in Board.objects.order_by("pk")
        ],
        "board": board,
        "criterion": criterion.value,
        "criteria": criterion_choices(offered, criterion),
        "pages": registry.offered(board),
        "result": result,
        "plot": interval_plot(result),
        "missing": missing_votes(tally),
        "names": display_names(),
        "now": timezone.now(),
    }
    return render(request, "leaderboard.html", context)


def display_names() -> dict[str, str]:
    """Candidates' names by code. One query."""
    return dict(Candidate.objects.values_list("code", "name"))


def criterion_choices(offered: list[Criterion], current: Criterion) -> list[Choice]:
    return [Choice(each.value, LABELS[each], each is current) for each in offered]


def asked_criterion(request: HttpRequest, offered: list[Criterion]) -> Criterion:
    """The criterion in the address, overall if left out; 404 for one that the board does not hold."""
    try:
        criterion = Criterion(request.GET.get("criterion", Criterion.OVERALL.value))
    except ValueError:
        raise Http404 from None
    if criterion not in offered:
        raise Http404
    return criterion
