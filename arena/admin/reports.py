"""The moderation queue: what volunteers reported, oldest first. Staff read the battle and decide."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from arena.admin.readonly import ReadOnlyAdmin
from arena.errors import NotVoted
from arena.models import Report, User
from arena.models.moderation import MOST_NOTE_CHARS
from arena.selectors.moderation import acts_standing, entries_about
from arena.services.moderation import leave_note
from arena.services.report_queue import dismiss, settle, undo
from arena.types import ModerationAct, ReportState

if TYPE_CHECKING:
    from django.contrib.admin.filters import _ListFilterChoices

_ACTS = [
    (ModerationAct.HIDE.value, _("Hide the battle: nobody else is shown it, and no export holds it")),
    (ModerationAct.EXCLUDE.value, _("Set its vote aside: neither counted nor credited")),
    (ModerationAct.BAN.value, _("Ban the volunteer: no message, no vote, and none of theirs counts")),
]

_UNDOES = [
    (ModerationAct.HIDE.value, _("Show the battle again")),
    (ModerationAct.EXCLUDE.value, _("Take its vote back in")),
    (ModerationAct.BAN.value, _("End the ban; votes that were set aside one by one stay so")),
]


class DecisionForm(forms.Form):
    acts = forms.MultipleChoiceField(
        choices=_ACTS, required=False, widget=forms.CheckboxSelectMultiple, label=_("What to do")
    )
    note = forms.CharField(
        required=False,
        max_length=MOST_NOTE_CHARS,
        widget=forms.Textarea(attrs={"rows": 4}),
        label=_("note"),
        help_text=_("Kept with your name and the time. The volunteer's own file of data holds it too."),
    )

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or {}
        if "settle" in self.data and not said.get("acts"):
            self.add_error("acts", gettext("Choose what to do, or dismiss the report."))
        if "remark" in self.data and not said.get("note", "").strip():
            self.add_error("note", gettext("Write the note first."))
        return said


class UndoForm(forms.Form):
    """Offers what stands."""

    undone = forms.MultipleChoiceField(widget=forms.CheckboxSelectMultiple, label=_("What to undo"))
    note = forms.CharField(
        max_length=MOST_NOTE_CHARS,
        widget=forms.Textarea(attrs={"rows": 4}),
        label=_("note"),
        help_text=_("Kept with your name and the time. The volunteer's own file of data holds it too."),
    )

    def __init__(self, standing: Collection[ModerationAct], data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, auto_id="undo_%s")
        offered = self.fields["undone"]
        if isinstance(offered, forms.MultipleChoiceField):
            offered.choices = [each for each in _UNDOES if each[0] in standing]


class OpenFilter(admin.SimpleListFilter):
    """Open ones, unless another state is asked for."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        return [
            (ReportState.SETTLED.value, gettext("acted on")),
            (ReportState.DISMISSED.value, gettext("dismissed")),
            ("all", gettext("all")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Report]) -> QuerySet[Report]:
        asked = self.value() or ReportState.OPEN.value
        return queryset if asked == "all" else queryset.filter(state=asked)

    def choices(self, changelist: ChangeList) -> Iterator[_ListFilterChoices]:
        first, *others = super().choices(changelist)
        first["display"] = gettext("open")  # Django calls the first one "all"
        yield from (first, *others)


@admin.register(Report)
class ReportAdmin(ReadOnlyAdmin[Report]):
    list_display = ("created_at", "reason", "words", "state", "staff", "decided_at")
    list_filter = (OpenFilter, "reason")
    list_select_related = ("staff",)
    ordering = ("created_at",)
    change_form_template = "admin/moderation/report.html"

    def get_urls(self) -> list[URLPattern]:
        decide = self.admin_site.admin_view(require_POST(self.decide_view))
        undone = self.admin_site.admin_view(require_POST(self.undo_view))
        return [
            path("<uuid:report_id>/decide/", decide, name="arena_report_decide"),
            path("<uuid:report_id>/undo/", undone, name="arena_report_undo"),
            *super().get_urls(),
        ]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        found = self.get_object(request, object_id)
        told = {} if found is None else self._told(request, found)
        return super().change_view(request, object_id, form_url, told | (extra_context or {}))

    def decide_view(self, request: HttpRequest, report_id: str) -> HttpResponse:
        """Follow what staff decided; what cannot be done is said, with everything still in the form."""
        if not self.has_decide_permission(request):
            raise PermissionDenied
        report = get_object_or_404(Report, pk=report_id)
        form = DecisionForm(request.POST)
        if form.is_valid() and self._decide(request, report, form):
            return redirect("admin:arena_report_changelist")
        request.method = "GET"  # Django's page above the form is one to look at
        return super().change_view(request, str(report.pk), "", self._told(request, report, decision=form))

    def undo_view(self, request: HttpRequest, report_id: str) -> HttpResponse:
        """Take back what staff ticked of what stands."""
        staff = request.user
        if not self.has_decide_permission(request) or not isinstance(staff, User):
            raise PermissionDenied
        report = get_object_or_404(Report, pk=report_id)
        form = UndoForm(acts_standing(report), request.POST)
        if not form.is_valid():
            request.method = "GET"
            return super().change_view(request, str(report.pk), "", self._told(request, report, undoing=form))
        acts = [ModerationAct(each) for each in form.cleaned_data["undone"]]
        undo(report_id=report.pk, acts=acts, staff=staff, note=form.cleaned_data["note"])
        self.message_user(request, _("Undone; it is in the ledger with your note."), messages.SUCCESS)
        return redirect("admin:arena_report_change", report.pk)

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request) and request.user.has_perm("arena.add_exclusion")

    def _told(
        self,
        request: HttpRequest,
        report: Report,
        *,
        decision: DecisionForm | None = None,
        undoing: UndoForm | None = None,
    ) -> dict[str, Any]:
        may, standing = self.has_decide_permission(request), acts_standing(report)
        return {
            "decision": decision or DecisionForm(),
            "undoing": undoing or UndoForm(standing),
            "turns": report.battle.turns.prefetch_related("answers"),
            "entries": entries_about(report),
            "may_decide": may and report.state == ReportState.OPEN.value,
            "may_undo": may and bool(standing),
        }

    def _decide(self, request: HttpRequest, report: Report, form: DecisionForm) -> bool:
        staff, note = request.user, form.cleaned_data["note"]
        if not isinstance(staff, User):
            raise PermissionDenied
        if "remark" in request.POST:
            leave_note(battle_id=report.battle_id, staff=staff, note=note)
            self.message_user(request, _("The note is kept; the report stays open."), messages.SUCCESS)
            return True
        if "dismiss" in request.POST:
            done = dismiss(report_id=report.pk, staff=staff, note=note)
        else:
            acts = [ModerationAct(each) for each in form.cleaned_data["acts"]]
            try:
                done = settle(report_id=report.pk, acts=acts, staff=staff, note=note)
            except NotVoted:
                form.add_error("acts", gettext("This battle has no vote yet: there is none to set aside."))
                return False
        said = _("Done.") if done else _("Somebody else had decided it before.")
        self.message_user(request, said, messages.SUCCESS if done else messages.WARNING)
        return True
