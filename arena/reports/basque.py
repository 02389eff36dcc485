"""Basque adherence: how often each model answers Basque in Basque."""

from __future__ import annotations

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from arena.numbers.basque import REPORT
from arena.reports.base import Figure, Page, Report, Section, Source, Text
from arena.reports.published import published
from arena.reports.wording import joined, shown
from ranking.models import Snapshot
from ranking.numbers import Numbers
from ranking.strips import Strip, strips
from ranking.tables import Table
from ranking.types import BoardKind

_TITLE = _("Basque adherence")
_HOW = _(
    "The share of the answers to Basque messages whose language is Basque, as a program tells it; answers too short to tell are left out. "
    "The interval is at 95 per cent and takes volunteers as independent."
)
_NOBODY_ASKED = _("No message in Basque was answered yet.")


def build(source: Source) -> Report:
    found = published(source, REPORT)
    if found.numbers is None:
        return Report(reason=found.reason, published=found.snapshot, live=False)
    numbers = found.numbers
    if not numbers.has("adherence"):
        return Report(reason=_NOBODY_ASKED, published=found.snapshot, live=False)
    return Report((_adherence(numbers), _languages(numbers)), published=found.snapshot, live=False)


def of_model(source: Source, model: str) -> tuple[Section | None, Snapshot | None]:
    """What was published of one model, and the board that it belongs to; ``None`` where nothing was. Two queries."""
    found = published(source, REPORT)
    if found.numbers is None or not found.numbers.has("adherence"):
        return None, None
    table = found.numbers.table("adherence")
    rows = tuple(row for row in table.rows if row[0] == model)
    if not rows:
        return None, None
    return Section(_TITLE, Table(table.name, table.columns, rows), _HOW), found.snapshot


def _adherence(numbers: Numbers) -> Section:
    table = numbers.table("adherence")
    drawn = {
        str(row["model"]): [Strip("", low, share, high)]
        for row in table.as_json()
        for low, share, high in [(row["adherence_low"], row["adherence"], row["adherence_high"])]
        if isinstance(low, float) and isinstance(share, float) and isinstance(high, float)
    }
    return Section(
        title=_TITLE,
        text=joined(_HOW, _unmeasured(numbers)),
        table=table,
        figure=Figure(
            "figures/strips.html",
            strips(drawn, column="version"),
            _(
                "Each model's share of answers in Basque with its interval; the table below holds the same numbers."
            ),
        ),
    )


def _unmeasured(numbers: Numbers) -> Text:
    n = numbers.facts["unmeasured"]
    return format_lazy(_("Answers not looked at yet: {n}."), n=shown(n)) if n else ""


def _languages(numbers: Numbers) -> Section:
    return Section(
        title=_("Languages of the answers"),
        text=_("How many answers to Basque messages came in which language."),
        table=numbers.table("languages"),
    )


PAGE = Page(
    slug="basque",
    title=_TITLE,
    lead=_("How often each model answers Basque in Basque."),
    build=build,
    offered=lambda board: board.kind == BoardKind.LIVE.value,
)
