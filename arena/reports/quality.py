"""How far the votes can be trusted: what does not count and why, and what the counts themselves give away."""

from __future__ import annotations

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from arena.reports.base import Page, Report, Section, Source, Text
from arena.reports.published import published
from arena.reports.wording import joined, shown
from ranking.agreement import AgreementStatus
from ranking.anomalies import Sampling
from ranking.numbers import Numbers
from ranking.tables import Value
from ranking.types import Outcome

_SIDES_UNKNOWN = _(
    "This board was imported as counts of pairs: which side a model was shown on is not known."
)
_NO_POSITION = {
    True: _SIDES_UNKNOWN,
    False: _("It cannot be told yet: pairs have to meet both ways round, and be rated."),
}
AGREEMENT = {
    AgreementStatus.OK: _("Krippendorff's alpha: 1 is full agreement, 0 what chance gives."),
    AgreementStatus.NO_REPEATS: _("There is none: no two volunteers asked the same pair the same."),
    AgreementStatus.NO_VARIATION: _(
        "There is none: all judgements are the same, as chance would have it too."
    ),
}

_SAME = {
    **AGREEMENT,
    AgreementStatus.NO_REPEATS: _("There is none: no two volunteers judged the same two answers."),
}


def build(source: Source) -> Report:
    found = published(source, "quality")
    numbers = found.numbers
    if numbers is None:
        return Report(reason=found.reason, published=found.snapshot, live=False)
    if numbers.facts["imported"]:
        sections = (_sampling(numbers), _outcomes(numbers), _position(numbers))
        reason = _("This board was imported as counts: what needs single votes cannot be said of it.")
        return Report(sections, reason, published=found.snapshot, live=False)
    return Report(
        (
            *_exclusions(numbers),
            _outcomes(numbers),
            _position(numbers),
            _raters(numbers),
            *_same_answers(numbers),
            _agreement(numbers),
        ),
        published=found.snapshot,
        live=False,
    )


def _exclusions(numbers: Numbers) -> tuple[Section, Section]:
    return (
        Section(
            title=_("Votes and what became of them"),
            text=_("Nothing is dropped silently: the last three lines add up to the first."),
            table=numbers.table("totals"),
        ),
        Section(
            title=_("What speaks against votes"),
            text=_(
                "The cited board counts no vote that anything speaks against. A vote can have several reasons; "
                "admitting a reason would add those that have it alone."
            ),
            table=numbers.table("exclusions"),
        ),
    )


def _sampling(numbers: Numbers) -> Section:
    table = numbers.table("sampling")
    flagged = sum(row["sampling"] != Sampling.AS_EXPECTED.value for row in table.as_json())
    return Section(
        title=_("Pairs that met more or less often than the others"),
        text=joined(
            format_lazy(_("Pairs that stand out: {n}."), n=shown(flagged)),
            _(
                "Held against an equal share of all battles for each pair; p-values are corrected by Holm's method."
            ),
        ),
        table=table,
    )


def _outcomes(numbers: Numbers) -> Section:
    table = numbers.table("outcomes")
    both_bad = next(row["votes"] for row in table.as_json() if row["outcome"] == Outcome.BOTH_BAD.value)
    apart = both_bad or not numbers.facts["imported"]
    return Section(
        title=_("Ties"),
        text="" if apart else _("Published counts of pairs hold both kinds of tie as one."),
        table=table,
    )


def _position(numbers: Numbers) -> Section:
    table = numbers.table("position")
    told = table.as_json()[0]["estimate"] is not None
    text = _NO_POSITION[bool(numbers.facts["imported"])]
    if told:
        text = _(
            "What being shown as A is worth, in rating points, strengths held; near 0 where the side does not matter. The interval is at 95 per cent."
        )
    return Section(title=_("Position bias"), text=text, table=table)


def _raters(numbers: Numbers) -> Section:
    return Section(
        title=_("Volunteers who vote unlike the others"),
        text=_why_raters(numbers),
        table=numbers.table("raters"),
    )


def _why_raters(numbers: Numbers) -> Text:
    if numbers.facts["few_users"]:
        return _("Fewer than 5 volunteers voted: nothing is said of so few.")
    tested: Value = numbers.facts["tested_users"]
    if tested is None:
        return _("It cannot be told yet: the models have no ratings to hold votes against.")
    return joined(
        format_lazy(_("Volunteers tested: {n}."), n=shown(tested)),
        _(
            "How many each test would flag, corrected over all volunteers (Benjamini and Hochberg, at most 8 per cent false). "
            "A flag excludes nobody: people look at it first."
        ),
    )


def _same_answers(numbers: Numbers) -> tuple[Section, ...]:
    """None for boards published before pairs were shown again."""
    if "same_answers" not in numbers.facts:
        return ()
    section = Section(
        title=_("Agreement on the same two answers"),
        text=joined(
            _SAME[AgreementStatus(str(numbers.facts["same_answers"]))],
            _(
                "Pairs of earlier battles are shown to other volunteers, with the sides swapped; these judgements enter no rating."
            ),
            format_lazy(
                _("Pairs: {items}; judgements of them: {judgements}."),
                items=shown(numbers.facts["same_items"]),
                judgements=shown(numbers.facts["same_judgements"]),
            ),
        ),
        table=numbers.table("same_answers"),
    )
    return (section,)


def _agreement(numbers: Numbers) -> Section:
    return Section(
        title=_("Agreement on repeated questions"),
        text=joined(
            AGREEMENT[AgreementStatus(str(numbers.facts["agreement"]))],
            _(
                "An item is one question, asked once, of one pair; the models answer anew each time, so agreement on the same two answers would be higher."
            ),
            format_lazy(
                _("Items: {items}; judgements of them: {judgements}."),
                items=shown(numbers.facts["items"]),
                judgements=shown(numbers.facts["judgements"]),
            ),
        ),
        table=numbers.table("agreement"),
    )


PAGE = Page(
    slug="quality",
    title=_("Quality of the votes"),
    lead=_("What does not count and why, and what the votes say of themselves."),
    build=build,
)
