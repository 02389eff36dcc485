"""What a researcher asks of the votes: the form, its address, and the command that says the same."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

from django.utils.translation import gettext_lazy as _

from arena.models import Campaign
from arena.reports import labels
from arena.reports.base import Source, Text
from arena.services.studies import filters_of
from arena.types import Display, Education, LanguageLevel
from inference.language import LANGUAGES, UNTOLD
from ranking.analysis import ANALYSES, DEFAULT_WAY, WAYS
from ranking.errors import BadInput
from ranking.filters import ExclusionReason, FilterSet
from ranking.models import Snapshot
from ranking.selection import LENGTHS, TURNS, UNDECLARED, UNMEASURED, Selection

FOLDER = "exports"
SHOWN: Mapping[str, Text] = {
    "board": _("The board"),
    "factors": _("What the recipe does"),
    "slices": _("Slices"),
    "agreement": _("Agreement"),
    "prompts": _("What was asked, in numbers"),
}
BY: Mapping[str, Text] = {
    "level": _("Level of Basque"),
    "education": _("Education"),
    "language": _("Language of the first message"),
    "length": _("Length of the question, in characters"),
    "turns": _("Number of messages"),
    "display": _("How the answers appeared"),
    "campaign": _("Campaign"),
    "week": _("Week"),
}


@dataclass(frozen=True, slots=True)
class Asking:
    """An analysis, what slices are cut by, and of which votes."""

    show: str = "board"
    by: str = DEFAULT_WAY
    selection: Selection = field(default_factory=Selection)

    @property
    def by_label(self) -> Text:
        return BY[self.by]

    @property
    def written(self) -> str:
        """For an address; without what is not asked."""
        by = {"by": self.by} if self.show == "slices" else {}
        return urlencode({"show": self.show, **by, **self.selection.asked})


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    label: Text
    current: bool


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the form: a choice among *options*, or a day where there are none."""

    name: str
    label: Text
    value: str
    options: tuple[Option, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """A checkbox: votes with this reason count, too, where it is *admitted*."""

    name: str
    label: Text
    admitted: bool


def asking_of(query: Mapping[str, str]) -> Asking:
    """What an address asks. Boxes that are ticked stand for the reasons that do not exclude.

    Raises ``BadInput`` for a value that cannot be one.
    """
    found = Asking(query.get("show") or "board", query.get("by") or DEFAULT_WAY, Selection.of(query))
    for name, value, known in (("show", found.show, ANALYSES), ("by", found.by, WAYS)):
        if value not in known:
            raise BadInput(f"{value[:20]!r} is none of {', '.join(known)}", column=name)
    admitted = [reason for reason in ExclusionReason if reason.value in query]
    if found.selection.exclude or not admitted:
        return found
    exclude = str(FilterSet.strictest().admitting(*admitted))
    return replace(found, selection=replace(found.selection, exclude=exclude))


def choices_of(asking: Asking) -> tuple[Choice, ...]:
    excluding = asking.selection.filters.excluding
    return tuple(
        Choice(reason.value, labels.value_label("reason", reason.value), reason not in excluding)
        for reason in ExclusionReason
    )


def fields_of(source: Source, asking: Asking) -> tuple[Field, ...]:
    """One query, for the board's campaigns."""
    campaigns = Campaign.objects.filter(board=source.board).order_by("slug").values_list("slug", flat=True)
    asked = asking.selection
    declared = (*((each, each) for each in LanguageLevel), (UNDECLARED, _word("slice", UNDECLARED)))
    educations = [*Education, UNDECLARED]
    languages = [*LANGUAGES, UNTOLD, UNMEASURED]
    return (
        _field("show", _("Show"), asking.show, SHOWN.items()),
        _field("by", _("Slices by"), asking.by, BY.items()),
        _field("campaign", _("Campaign"), asked.campaign, [_ANY, *((each, each) for each in campaigns)]),
        Field("since", _("From this day on (UTC)"), asked.since),
        Field("until", _("Before this day (UTC)"), asked.until),
        _field("level", _("Level of Basque"), asked.level, [_ANY, *declared]),
        _field("education", _("Education"), asked.education, [_ANY, *_words("slice", educations)]),
        _field(
            "language",
            _("Language of the first message"),
            asked.language,
            [_ANY, *_words("prompt_language", languages)],
        ),
        _field("turns", _("Number of messages"), asked.turns, [_ANY, *((each, each) for each in TURNS)]),
        _field(
            "length",
            _("Characters of the first message"),
            asked.length,
            [_ANY, *((each, each) for each in LENGTHS)],
        ),
        _field(
            "display", _("How the answers appeared"), asked.display, [_ANY, *_words("slice", list(Display))]
        ),
    )


def command(source: Source, asking: Asking, snapshot: Snapshot) -> str:
    """Two lines of a shell: the file of this moment, and the analysis of it."""
    filters = filters_of(snapshot)
    export = [
        *("python", "manage.py", "export_preferences", "--layout", "judgements", "--format", "jsonl.gz"),
        *("--output", FOLDER, "--board", filters.board, "--cutoff", filters.cutoff.isoformat()),
    ]
    by = ["--by", asking.by] if asking.show == "slices" else []
    analysis = [
        *("python", "-m", "ranking", f"{FOLDER}/judgements.jsonl.gz"),
        *("--criterion", source.criterion.value, "--analysis", asking.show, *by),
        *(*asking.selection.arguments(), "--format", "json"),
    ]
    return f"{shlex.join(export)} &&\n{shlex.join(analysis)}"


_ANY: tuple[str, Text] = ("", _("any"))


def _field(name: str, label: Text, value: str, options: Iterable[tuple[str, Text]]) -> Field:
    known: list[tuple[str, Text]] = [(str(key), text) for key, text in options]
    if value not in dict(known):
        known.append((value, value))
    return Field(name, label, value, tuple(Option(key, text, key == value) for key, text in known))


def _words(column: str, values: list[str]) -> list[tuple[str, Text]]:
    return [(str(value), _word(column, str(value))) for value in values]


def _word(column: str, value: str) -> Text:
    return labels.value_label(column, value)
