"""Whether parts of the votes rank the models differently: by who voted, what was asked, and when."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from arena.reports.base import Figure, Page, Report, Section, Source, Text
from arena.reports.published import published
from ranking.numbers import Numbers
from ranking.strips import Strip, strips
from ranking.tables import Table
from ranking.types import BoardKind

_UNRATED = _("The models have no common ratings yet, so parts of the votes cannot be compared.")
_WAYS: dict[str, Text] = {
    "level": _("Level of Basque"),
    "education": _("Education"),
    "check": _("Basque check, right answers of ten"),
    "length": _("Length of the question, in characters"),
    "turns": _("Number of messages"),
    "week": _("Week"),
}
_DEFAULT = "level"


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    label: Text
    current: bool


@dataclass(frozen=True, slots=True)
class SlicedReport(Report):
    """A report that fills its form again."""

    choices: tuple[Choice, ...] = ()


def build(source: Source) -> Report:
    by = source.query.get("by", _DEFAULT)
    choices = tuple(Choice(name, label, name == by) for name, label in _WAYS.items())
    if by not in _WAYS:
        unknown = _("There are no slices by that: choose below.")
        return SlicedReport(reason=unknown, choices=choices, live=False)
    found = published(source, "slices", by)
    sections, reason = ((), found.reason) if found.numbers is None else told(found.numbers, _WAYS[by])
    return SlicedReport(sections, reason, found.snapshot, live=False, choices=choices)


def told(numbers: Numbers, label: Text) -> tuple[tuple[Section, ...], Text]:
    slices = (_slices(numbers, label),) if numbers.has("slices") else ()
    if not numbers.facts["rated"]:
        return slices, _UNRATED
    return (*slices, _test(numbers), _ratings(numbers)), ""


def _slices(numbers: Numbers, label: Text) -> Section:
    return Section(
        title=label,
        text=_(
            "Votes among the models that can be rated. A slice of fewer than 5 volunteers says nothing, not even how many they are."
        ),
        table=numbers.table("slices"),
    )


def _test(numbers: Numbers) -> Section:
    return Section(
        title=_("Do the slices differ?"),
        text=_(
            "Wald's test of equal strengths in all slices, by volunteer. The spread is by how many rating points a model varies between slices beyond chance."
        )
        if numbers.facts["tested"]
        else _(
            "It cannot be tested: that takes two slices with ratings, and many more volunteers than models."
        ),
        table=numbers.table("heterogeneity"),
    )


def _ratings(numbers: Numbers) -> Section:
    table = numbers.table("ratings")
    return Section(
        title=_("Ratings in each slice"),
        text=_(
            "From the slice's votes alone, and drawn towards the pooled ratings by as much as chance explains; the picture shows the drawn ones."
        )
        if table.rows
        else _("No slice has votes enough for ratings of its own."),
        table=table,
        figure=_figure(table),
    )


def _figure(ratings: Table) -> Figure:
    drawn: dict[str, list[Strip]] = {}
    for row in ratings.as_json():
        middle, low, high = row["shrunk"], row["shrunk_low"], row["shrunk_high"]
        if isinstance(middle, float) and isinstance(low, float) and isinstance(high, float):
            drawn.setdefault(str(row["model"]), []).append(Strip(str(row["slice"]), low, middle, high))
    return Figure(
        "figures/strips.html",
        strips(drawn, column="slice"),
        _(
            "Each model's drawn rating in each slice, with its interval; the table below holds the same numbers."
        ),
    )


PAGE = Page(
    slug="slices",
    title=_("Slices"),
    lead=_("Do volunteers, questions or weeks differ in how they rank the models?"),
    build=build,
    offered=lambda board: board.kind == BoardKind.LIVE.value,
    form="reports/_slices_form.html",
    asks=("by",),
)
