"""Ratings with style held: what length, Markdown, speed and the side are worth, and who stands where without them."""

from __future__ import annotations

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from arena.reports.base import Figure, Page, Report, Section, Source, Text
from arena.reports.published import published
from arena.reports.wording import joined, shown
from ranking.numbers import Numbers
from ranking.strips import Strip, strips
from ranking.types import BoardKind
from ranking.voters import Spread

_SPREADS = {
    Spread.CR3: _("Intervals at 95 per cent take volunteers as independent (CR3)."),
    Spread.CR1: _(
        "Intervals at 95 per cent take volunteers as independent (CR1: one of them holds the board together)."
    ),
    Spread.VOTES: _("Intervals at 95 per cent take votes as independent, as there is one volunteer."),
}
_UNFIT = _(
    "Style cannot be held with these votes: some of it cannot be told from the models, or predicts every vote."
)
_UNTOLD = {"unfit": _UNFIT, "unrated": _("The models have no ratings yet, so style cannot be held.")}


def build(source: Source) -> Report:
    found = published(source, "style")
    numbers = found.numbers
    if numbers is None:
        return Report(reason=found.reason, published=found.snapshot, live=False)
    if not numbers.has("terms"):
        return Report(reason=_UNTOLD[str(numbers.facts["status"])], published=found.snapshot, live=False)
    return Report((_terms(numbers), _ratings(numbers)), published=found.snapshot, live=False)


def _terms(numbers: Numbers) -> Section:
    table = numbers.table("terms")
    drawn = [
        Strip(str(row["covariate"]), low, middle, high)
        for row in table.as_json()
        for low, middle, high in [(row["low"], row["estimate"], row["high"])]
        if isinstance(low, float) and isinstance(middle, float) and isinstance(high, float)
    ]
    return Section(
        title=_("What style is worth"),
        text=joined(
            _(
                "In rating points: for the side, of being shown as A; otherwise of a usual relative difference, "
                "(A − B) / (A + B) over its root mean square, to the answer that has more of it."
            ),
            _SPREADS[Spread(str(numbers.facts["spread"]))],
            *_read(numbers),
        ),
        table=table,
        figure=Figure(
            "figures/strips.html",
            strips({"": drawn}, column="covariate", through=0.0),
            _("What each kind of style is worth, with its interval; the table below holds the same numbers."),
        ),
    )


def _read(numbers: Numbers) -> list[Text]:
    facts = numbers.facts
    said: list[Text] = [format_lazy(_("Votes read: {n}."), n=shown(facts["votes"]))]
    if facts["older_votes"]:
        said.append(
            format_lazy(
                _("Older votes left out, as texts take long to read: {n}."), n=shown(facts["older_votes"])
            )
        )
    if facts["untimed_votes"]:
        said.append(
            format_lazy(
                _("Votes in which a time is not known, so that both sides are taken as equally fast: {n}."),
                n=shown(facts["untimed_votes"]),
            )
        )
    return said


def _ratings(numbers: Numbers) -> Section:
    table = numbers.table("ratings")
    drawn = {
        str(row["model"]): [Strip("held", low, held, high), Strip("plain", plain, plain, plain)]
        for row in table.as_json()
        for low, held, high, plain in [(row["low"], row["rating"], row["high"], row["plain_rating"])]
        if isinstance(low, float) and isinstance(held, float)
        if isinstance(high, float) and isinstance(plain, float)
    }
    return Section(
        title=_("Ratings with style held"),
        text=_(
            "Who would stand where if both answers always had the same style, beside the same votes without it."
        ),
        table=table,
        figure=Figure(
            "figures/strips.html",
            strips(drawn, column="version"),
            _("Each model's rating with and without style held; the table below holds the same numbers."),
        ),
    )


PAGE = Page(
    slug="style",
    title=_("Style"),
    lead=_("What length, Markdown, speed and the side are worth, and the ratings without them."),
    build=build,
    offered=lambda board: board.kind == BoardKind.LIVE.value,
)
