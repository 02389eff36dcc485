"""Any part of the votes, analysed: the board, recipes, slices, agreement and what was asked, each with the command that gives the same from files."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from django.db import transaction
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from kombu.exceptions import OperationalError

from arena.errors import TooManyStudies
from arena.models import Study
from arena.reports import factors, slices
from arena.reports.analysis_form import Asking, Choice, Field, asking_of, choices_of, command, fields_of
from arena.reports.base import Figure, Page, Report, Section, Source, Text
from arena.reports.published import UNPUBLISHED
from arena.reports.quality import AGREEMENT
from arena.reports.wording import joined, shown
from arena.selectors.snapshots import latest_snapshot
from arena.services import studies
from arena.tasks import compute_studies
from ranking.agreement import AgreementStatus
from ranking.analysis import VOTER
from ranking.bars import bar_chart
from ranking.board import BoardResult, Rating
from ranking.errors import BadInput
from ranking.filters import ExclusionReason
from ranking.models import Board, Snapshot
from ranking.numbers import Numbers
from ranking.plot import interval_plot
from ranking.selection import FIELDS
from ranking.tables import Table
from ranking.types import BoardKind, Criterion, Status, TieRule

logger = logging.getLogger(__name__)

_WAITING = _("This is being computed and will be here in a moment.")
_FULL = _("Many analyses are waiting already: ask again in a minute.")
_FAILED = _("This could not be computed of these votes.")
_FEW = _(
    "Nothing is said: these votes are of fewer than 5 volunteers, or what volunteers declared sets them apart from fewer than 5 others."
)
_NO_FACTORS = _("Fewer than two models with a recipe have a rating by these votes.")


@dataclass(frozen=True, slots=True)
class AnalysedReport(Report):
    """A report that fills its form again and tells how to come to the same numbers; *written* are the filters in canonical form."""

    fields: tuple[Field, ...] = ()
    choices: tuple[Choice, ...] = ()
    written: str = ""
    command: str = ""


def build(source: Source) -> Report:
    try:
        asking = asking_of(source.query)
    except BadInput as error:
        reason = format_lazy(_("One of the filters cannot be used: {why}."), why=str(error))
        return _filled(Report(reason=reason, live=False), source, Asking())
    snapshot = latest_snapshot(board=source.board, criterion=source.criterion, ties=TieRule.HALF)
    if snapshot is None:
        return _filled(Report(reason=UNPUBLISHED, live=False), source, asking)
    snapshot = Snapshot.objects.defer("payload", "covariance").get(pk=snapshot.pk)
    found = replace(_report(snapshot, source, asking), published=snapshot, live=False)
    return _filled(found, source, asking, command(source, asking, snapshot))


def _filled(report: Report, source: Source, asking: Asking, told: str = "") -> AnalysedReport:
    return AnalysedReport(
        report.sections,
        report.reason,
        report.published,
        report.live,
        report.waiting,
        report.facts,
        fields=fields_of(source, asking),
        choices=choices_of(asking),
        written=asking.written,
        command=told,
    )


def _report(snapshot: Snapshot, source: Source, asking: Asking) -> Report:
    try:
        study, is_new = studies.ask(
            snapshot=snapshot, analysis=asking.show, by=asking.by, selection=asking.selection
        )
    except TooManyStudies:
        return Report(reason=_FULL)
    if is_new:
        transaction.on_commit(_nudge)
    if study.finished_at is None:
        return Report(reason=_WAITING, waiting=True)
    return _told(study, source, asking)


def _nudge() -> None:
    """Beat finds what waits as well: it costs a minute where the broker is away."""
    try:
        compute_studies.apply_async(retry=False)
    except OperationalError:
        logger.warning("no worker could be told of an analysis that waits")


def _told(study: Study, source: Source, asking: Asking) -> Report:
    if study.payload is None:
        return Report(reason=_FAILED)
    numbers = Numbers.from_json(study.payload)
    if numbers.facts.get("suppressed"):
        return Report(reason=_FEW)
    sections, reason = _SECTIONS[asking.show](numbers, source, asking)
    return Report(sections, reason, facts=numbers.facts)


Told = tuple[tuple[Section, ...], Text]


def _size(numbers: Numbers) -> Text:
    return format_lazy(
        _("Votes: {votes}. Volunteers: {users}."),
        votes=shown(numbers.facts["votes"]),
        users=shown(numbers.facts["users"]),
    )


def _board(numbers: Numbers, source: Source, _asking: Asking) -> Told:
    table = numbers.table("board")
    section = Section(
        title=_("The board by these votes"),
        table=table,
        text=joined(_size(numbers), _("Intervals are by volunteer, and nobody's votes are capped.")),
        figure=Figure(
            "figures/intervals.html",
            interval_plot(_result(table, numbers, source.criterion)),
            _("Ratings with their intervals; the table below holds the same numbers."),
        ),
    )
    return (section,), ""


def _result(table: Table, numbers: Numbers, criterion: Criterion) -> BoardResult:
    """The board that a table was made of, as far as a picture needs it."""
    rows = [Rating(**row | {"status": Status(str(row["status"]))}) for row in table.as_json()]  # type: ignore[arg-type]
    status = Status(str(numbers.facts["status"]))
    votes = int(numbers.facts["votes"] or 0)
    return BoardResult(votes, len(rows), criterion, TieRule.HALF, 0.95, VOTER, status, tuple(rows))


def _factors(numbers: Numbers, _source: Source, _asking: Asking) -> Told:
    if not numbers.tables:
        return (), _NO_FACTORS
    *effects, lack = numbers.tables
    return (*map(factors.effects_section, effects), factors.lack_of_fit_section(lack)), ""


def _slices(numbers: Numbers, _source: Source, asking: Asking) -> Told:
    return slices.told(numbers, asking.by_label)


def _agreement(numbers: Numbers, _source: Source, _asking: Asking) -> Told:
    status = AgreementStatus(str(numbers.facts["agreement"]))
    sections = (
        Section(
            title=_("Agreement on repeated questions"),
            table=numbers.table("agreement"),
            text=joined(
                AGREEMENT[status],
                _(
                    "An item is one question, asked once, of one pair; the models answer anew each time, so agreement on the same two answers would be higher."
                ),
            ),
        ),
        Section(title=_("What agreement rests on"), table=numbers.table("agreed_on"), text=_size(numbers)),
    )
    return sections, ""


_ASKED: Mapping[str, tuple[str, Text]] = {
    "length_bands": ("characters", _("Length of the first message, in characters")),
    "prompt_languages": ("prompt_language", _("Language of the first message, as measured")),
    "turn_counts": ("messages", _("Number of messages")),
}


def _prompts(numbers: Numbers, _source: Source, _asking: Asking) -> Told:
    few = _(
        "A line of fewer than 5 volunteers holds no number, nor does another one from which it could be told."
    )
    lengths = Section(
        title=_("How long the first messages are"),
        table=numbers.table("lengths"),
        text=joined(
            _("In characters: the mean, and how many so many per cent of them do not exceed."), _size(numbers)
        ),
    )
    counts = tuple(
        Section(title, numbers.table(name), few, _bars(numbers.table(name), column, title))
        for name, (column, title) in _ASKED.items()
    )
    return (lengths, *counts), ""


def _bars(table: Table, column: str, title: Text) -> Figure:
    rows = [(str(row[column]), row["share"]) for row in table.as_json()]
    shares = [(name, share if isinstance(share, float) else None) for name, share in rows]
    return Figure("figures/bars.html", bar_chart(shares, column=column), title)


_SECTIONS: Mapping[str, Callable[[Numbers, Source, Asking], Told]] = {
    "board": _board,
    "factors": _factors,
    "slices": _slices,
    "agreement": _agreement,
    "prompts": _prompts,
}


def _offered(board: Board) -> bool:
    return board.kind == BoardKind.LIVE.value


PAGE = Page(
    slug="analysis",
    title=_("Any part of the votes"),
    lead=_("Filter the votes, analyse what is left, and compute it again from the files."),
    build=build,
    offered=_offered,
    form="reports/_analysis_form.html",
    asks=("show", "by", *FIELDS, *(reason.value for reason in ExclusionReason)),
)
