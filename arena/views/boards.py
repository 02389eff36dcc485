"""The boards: live and imported, by criterion."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from arena.reports import registry
from arena.selectors.snapshots import latest_snapshot
from arena.services.campaigns import DEFAULT_SLUG
from arena.views.downloads import file_answer
from inference.models import Candidate
from ranking.board import BoardResult, build_board
from ranking.models import Board
from ranking.plot import interval_plot
from ranking.selectors import board_tally, criteria_of, load_tally, missing_votes
from ranking.standings import Standing, standing_table, standings
from ranking.tables import to_csv, to_json, to_latex
from ranking.tally import Tally
from ranking.types import Criterion, TieRule

LABELS = {
    Criterion.OVERALL: _("Overall"),
    Criterion.CONTENT: _("Content"),
    Criterion.LANGUAGE: _("Basque"),
}
TIE_LABELS = {
    TieRule.HALF: _("half a win each"),
    TieRule.RAO_KUPPER: _("an outcome of their own (Rao and Kupper)"),
    TieRule.DROP: _("left out"),
}
SCALES = {
    TieRule.HALF: _("A tie is half a win for each side, as on all pages of this board."),
    TieRule.RAO_KUPPER: _(
        "A tie is an outcome of its own, between winning and losing. Ratings lie further apart than with half wins: compare them with none of another scale. "
        "The other pages take a tie as half a win."
    ),
    TieRule.DROP: _(
        "Ties are left out: ratings tell who wins when somebody does, and lie further apart than with half wins; compare them with none of another scale. "
        "The other pages take a tie as half a win."
    ),
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


@dataclass(frozen=True, slots=True)
class Shown:
    """A board as a visitor asked for it: all that its page and its files say."""

    board: Board
    criterion: Criterion
    tally: Tally
    result: BoardResult
    standings: list[Standing]


@require_GET
def leaderboard(request: HttpRequest, slug: str = DEFAULT_SLUG) -> HttpResponse:
    """``?criterion=``, ``?ties=``; ``?format=csv|json|tex`` for the table alone."""
    board = get_object_or_404(Board, slug=slug)
    offered = criteria_of(board)
    shown = computed(board, asked_criterion(request, offered), asked_ties(request), offered)
    if "format" in request.GET:
        return download(request.GET["format"], shown)
    criterion, ties = shown.criterion, shown.result.ties
    context = {
        "boards": [
            BoardLink(each.slug, each.name, each.pk == board.pk) for each in Board.objects.order_by("pk")
        ],
        "board": board,
        "criterion": criterion.value,
        "criteria": criterion_choices(offered, criterion),
        "ties": ties.value,
        "tie_rules": [Choice(each.value, TIE_LABELS[each], each is ties) for each in TieRule],
        "scale": SCALES[ties],
        "pages": registry.offered(board),
        "result": shown.result,
        "standings": shown.standings,
        "compares": len(offered) > 1,
        "plot": interval_plot(shown.result),
        "missing": missing_votes(shown.tally, shown.result if ties is TieRule.HALF else None),
        "published": latest_snapshot(board=board, criterion=criterion, ties=ties),
        "names": display_names(),
        "now": timezone.now(),
    }
    return render(request, "leaderboard.html", context)


def computed(board: Board, criterion: Criterion, ties: TieRule, offered: list[Criterion]) -> Shown:
    """The exact current fit; where the board has all criteria, each is fitted, so that they can be compared."""
    tally = board_tally(board=board, criterion=criterion)
    result = build_board(tally, criterion=criterion, ties=ties)
    others = [each for each in offered if each is not criterion]
    fitted = {
        each: build_board(load_tally(board_id=board.pk, criterion=each), criterion=each, ties=ties)
        for each in others
    }
    return Shown(board, criterion, tally, result, standings(tally, result, {criterion: result, **fitted}))


def download(form: str, shown: Shown) -> HttpResponse:
    """The board's table as a file; JSON as ``python -m ranking --format json`` has it, and more. 404 for another format."""
    table, result = standing_table(shown.standings), shown.result
    name = f"{shown.board.slug}-{shown.criterion}"
    if form == "csv":
        return file_answer(to_csv(table), "text/csv", f"{name}.csv")
    if form == "tex":
        return file_answer(to_latex(table), "application/x-tex", f"{name}.tex")
    if form != "json":
        raise Http404
    about = {key: value for key, value in result.as_json().items() if key != "ratings"}
    moment = timezone.now().isoformat(timespec="seconds")
    text = to_json([table], board=shown.board.slug, computed_at=moment, **about)
    return file_answer(text, "application/json", f"{name}.json")


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


def asked_ties(request: HttpRequest) -> TieRule:
    """The tie rule in the address, half wins if left out; 404 for one that there is not."""
    try:
        return TieRule(request.GET.get("ties", TieRule.HALF.value))
    except ValueError:
        raise Http404 from None
