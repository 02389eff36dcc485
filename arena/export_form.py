"""The forms in which exports are ordered, and what is said where one cannot be made."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from arena.exports.files import Format
from arena.exports.filters import Filters
from arena.exports.foreign import LAYOUTS_OF
from arena.exports.layouts import LAYOUTS
from arena.models import Campaign, ImportedVote, User
from arena.releases.contents import PUBLISHABLE
from arena.selectors.imports import source_of
from arena.services.exports import Order, latest_cutoff
from arena.types import ExportProblem, LanguageLevel
from ranking.models import Board

PROBLEMS: dict[str, Promise] = {
    ExportProblem.REFUSED: _(
        "This cannot be exported. Look at the campaign, the board and the times, and order again."
    ),
    ExportProblem.BUSY: _(
        "Something older than the cut-off was still being written. Order it again, or with a later cut-off."
    ),
    ExportProblem.TYPES: _(
        "A row does not fit the types of Parquet's columns. Order it as JSON lines, which need none."
    ),
    ExportProblem.DISK_FULL: _(
        "The server's disk is full. Tell the keepers of the site, and order it again."
    ),
    ExportProblem.NOT_WRITABLE: _(
        "The server may not write into its folder of exports. Tell the keepers of the site."
    ),
    ExportProblem.DISK: _("The server's disk failed. Tell the keepers of the site, and order it again."),
    ExportProblem.LOST: _("It was begun three times, and each time its process ended. Order fewer votes."),
    ExportProblem.RUNNING_ALREADY: _(
        "An export of yours is being made. Wait for it or cancel it, then order the next one."
    ),
    ExportProblem.TOO_MANY: _("You have ordered as many exports as a day takes. Order again tomorrow."),
    ExportProblem.TAKEN_BACK: _(
        "Somebody in this file took something back, and the file was deleted. Order it again: the new one lacks that."
    ),
}


_TOLD: dict[str, Promise] = {
    "ebaluatoia": _("a row a vote, as published in 2025, texts as they were written"),
    "ebaluatoia-sanitized": _("a row a vote, as published in 2025"),
    "lmarena": _("a row a vote, as LMArena publishes them"),
    "dpo": _("better and worse answer, by criterion"),
    "kto": _("an answer and whether it won, by criterion"),
    "judgements": _("a row a criterion of each vote, without texts"),
    "spans": _("marked passages of answers"),
    "turns": _("a row an answer, with its provenance"),
    "unvoted": _("answers of battles without a vote"),
}


def told(layout: str) -> Promise:
    """A layout's name, and what is in it in the visitor's language."""
    return format_lazy("{}: {}", layout, _TOLD[layout])


class ExportForm(forms.Form):
    """What researchers may order: layouts that may be published, texts under CC0 alone."""

    layout = forms.ChoiceField(
        label=_("Layout"), choices=[(each.name, told(each.name)) for each in PUBLISHABLE]
    )
    format = forms.ChoiceField(
        label=_("Format"),
        choices=[(each.value, each.value) for each in Format],
        initial=Format.PARQUET.value,
    )
    campaign = forms.ModelChoiceField(
        Campaign.objects.order_by("slug"),
        label=_("Campaign"),
        required=False,
        to_field_name="slug",
        empty_label=_("All of them"),
    )
    source = forms.ModelChoiceField(
        Board.objects.none(),
        label=_("Votes of"),
        required=False,
        to_field_name="slug",
        empty_label="Lehia",
    )
    since = forms.DateField(
        label=_("Votes from"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    until = forms.DateField(
        label=_("Votes before"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    level = forms.ChoiceField(
        label=_("Level of Basque"),
        required=False,
        choices=[("", _("All of them")), *((each.value, each.value) for each in LanguageLevel)],
    )
    excluded = forms.ChoiceField(
        label=_("Votes that do not count"),
        required=False,
        choices=[("", _("As the layout has it")), ("leave", _("leave out")), ("keep", _("keep"))],
    )
    cutoff = forms.DateTimeField(
        label=_("Cut-off"),
        required=False,
        help_text=_(
            "The last moment that is in it; now, if left empty. The same order with the same cut-off gives the same file."
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        held = ImportedVote.objects.values("board")
        sources: Any = self.fields["source"]
        sources.queryset = Board.objects.filter(pk__in=held).order_by("slug")
        self.fields["until"].help_text = _("That day is not part of it.")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if (cleaned.get("cutoff") or latest_cutoff()) > latest_cutoff():
            self.add_error("cutoff", _("This is later than now: name a moment that has passed."))
        source = cleaned.get("source")
        if source is not None and (cleaned.get("campaign") or cleaned.get("excluded")):
            self.add_error(
                "source",
                _("Imported votes have neither a campaign nor reasons against them: leave both empty."),
            )
        if source is not None and cleaned.get("layout") not in self._fitting(source):
            self.add_error("layout", _("The votes of this board do not tell all that this layout holds."))
        return cleaned

    def order(self, by: User) -> Order:
        """Of a valid form. Pseudonyms are of a key that only this account uses: files of two researchers do not call people alike."""
        chosen = self.cleaned_data
        filters = Filters(
            cutoff=chosen["cutoff"] or latest_cutoff(),
            campaign=chosen["campaign"].slug if chosen["campaign"] else "",
            since=_midnight(chosen["since"]),
            until=_midnight(chosen["until"]),
            excluded={"leave": False, "keep": True}.get(chosen["excluded"]),
            level=LanguageLevel(chosen["level"]) if chosen["level"] else None,
            source=chosen["source"].slug if chosen["source"] else "",
            any_licence=bool(chosen.get("any_licence")),
        )
        key = chosen.get("key") or f"account-{by.public_id.hex}"
        return Order(LAYOUTS[chosen["layout"]], Format(chosen["format"]), filters, key)

    @staticmethod
    def _fitting(board: Board) -> tuple[str, ...]:
        source = source_of(board)
        return () if source is None else LAYOUTS_OF[source]


class StaffExportForm(ExportForm):
    """All layouts, a key by name, and for who may, texts that may not be published."""

    key = forms.CharField(
        label=_("key of exports"),
        max_length=60,
        initial="ad-hoc",
        validators=[RegexValidator(r"\A[a-z0-9][a-z0-9._-]*\Z")],
        help_text=_("Pseudonyms are equal under one name. Do not name a release's key."),
    )
    any_licence = forms.BooleanField(
        label=_("Also texts that may not be published under CC0: for work inside the project only"),
        required=False,
    )

    def __init__(self, *args: Any, may_any_licence: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        layouts: Any = self.fields["layout"]
        layouts.choices = [(name, told(name)) for name in LAYOUTS]
        if not may_any_licence:
            del self.fields["any_licence"]


def _midnight(day: date | None) -> datetime | None:
    """When that day begins, where the site is."""
    return None if day is None else timezone.make_aware(datetime.combine(day, time()))
