"""Releases: prepared here after a look at what they would hold, put on hold by an action; beat does the rest."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from arena.admin.readonly import ReadOnlyAdmin, ReadOnlyInline
from arena.errors import ExportRefused, ReleaseRefused
from arena.exports.files import Format
from arena.exports.filters import Filters
from arena.models import Campaign, Release, ReleaseEvent, ReleaseFile, User
from arena.releases.contents import PUBLISHABLE, Content
from arena.selectors.exports import Counts
from arena.services import exports, releases
from arena.tasks import hold_release
from arena.types import LanguageLevel, ReleaseState


class ReleaseForm(forms.Form):
    """What is to be frozen. The cut-off is the moment at which it is prepared, unless another one is named."""

    slug = forms.CharField(
        label=_("code"),
        max_length=50,
        help_text=_("In addresses and in files, for good: small letters, digits, points and hyphens."),
    )
    name = forms.CharField(label=_("name"), max_length=120)
    cutoff = forms.DateTimeField(label=_("cut-off"), required=False, help_text=_("Now, if it is left empty."))
    campaign = forms.ModelChoiceField(
        Campaign.objects.order_by("slug"), label=_("campaign"), required=False, to_field_name="slug"
    )
    since = forms.DateTimeField(label=_("Votes from"), required=False)
    until = forms.DateTimeField(label=_("Votes before"), required=False)
    level = forms.ChoiceField(
        label=_("level of Basque"),
        required=False,
        choices=[("", "—"), *((each.value, each.value) for each in LanguageLevel)],
    )
    layouts = forms.MultipleChoiceField(
        label=_("layouts"),
        choices=[(each.name, each.name) for each in PUBLISHABLE],
        widget=forms.CheckboxSelectMultiple,
    )
    formats = forms.MultipleChoiceField(
        label=_("formats"),
        choices=[(each.value, each.value) for each in Format],
        initial=[Format.PARQUET.value, Format.GZIP.value],
        widget=forms.CheckboxSelectMultiple,
    )
    hold_days = forms.IntegerField(label=_("days on hold"), min_value=0, max_value=3650)

    def plan(self) -> releases.Plan:
        said = self.cleaned_data
        chosen = {each.name: each for each in PUBLISHABLE}
        return releases.Plan(
            slug=said["slug"],
            name=said["name"],
            filters=Filters(
                cutoff=said["cutoff"] or exports.latest_cutoff(),
                campaign=said["campaign"].slug if said["campaign"] else "",
                since=said["since"],
                until=said["until"],
                level=LanguageLevel(said["level"]) if said["level"] else None,
            ),
            contents=[
                Content(chosen[layout], Format(form))
                for layout in said["layouts"]
                for form in said["formats"]
            ],
            hold_days=said["hold_days"],
        )


class FileInline(ReadOnlyInline[ReleaseFile, Release]):
    model = ReleaseFile
    fields = ("name", "layout", "rows", "size_bytes", "sha256")


class EventInline(ReadOnlyInline[ReleaseEvent, Release]):
    """Who did what; nobody where beat or the command line did."""

    model = ReleaseEvent
    fields = ("created_at", "act", "by", "about")


@admin.register(Release)
class ReleaseAdmin(ReadOnlyAdmin[Release]):
    list_display = ("name", "slug", "state", "cutoff", "hold_until", "final_at")
    list_filter = ("state",)
    fields = (
        *("name", "slug", "state", "page", "cutoff", "filters", "contents", "hold_days"),
        *("held_at", "hold_until", "final_at", "taken_back"),
    )
    inlines = (FileInline, EventInline)
    actions = ("hold", "drop")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("arena.add_release")

    def has_hold_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("arena.change_release")

    @admin.display(description=_("page"))
    def page(self, release: Release) -> str:
        if release.state == ReleaseState.DRAFT.value:
            return "—"
        return format_html('<a href="{0}">{0}</a>', reverse("release", args=[release.slug]))

    @admin.display(description=_("rows taken back"))
    def taken_back(self, release: Release) -> int:
        return release.removals.count()

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The form; by its first button what the files would hold, by the other a draft."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = ReleaseForm(request.POST or None, initial={"hold_days": settings.LEHIA_RELEASE_HOLD_DAYS})
        counts: dict[str, Counts] = {}
        if request.method == "POST" and form.is_valid():
            try:
                if "prepare" in request.POST:
                    return self._prepared(request, form.plan())
                counts = releases.preview(form.plan())
            except (ReleaseRefused, ExportRefused) as refusal:
                form.add_error(None, str(refusal))
        context = {"title": _("Prepare a release"), "form": form, "counts": counts}
        whole = {**self.admin_site.each_context(request), "opts": self.opts, **context}
        return TemplateResponse(request, "admin/releases/prepare.html", whole)

    def _prepared(self, request: HttpRequest, plan: releases.Plan) -> HttpResponse:
        made = releases.prepare(plan, by=_staff(request))
        self.log_addition(request, made, made.slug)
        self.message_user(request, gettext("Prepared: nothing is written yet."), messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:arena_release_change", args=[made.pk]))

    @admin.action(description=_("Make the files and begin the hold"), permissions=["hold"])
    def hold(self, request: HttpRequest, chosen: QuerySet[Release]) -> None:
        drafts = [each for each in chosen if each.state == ReleaseState.DRAFT.value]
        for each in drafts:
            hold_release.delay(str(each.pk), _staff(request).pk)
        said = ngettext(
            "The worker makes the files of %(n)s draft.",
            "The worker makes the files of %(n)s drafts.",
            len(drafts),
        )
        self.message_user(request, said % {"n": len(drafts)}, messages.SUCCESS)

    @admin.action(description=_("Drop the draft"), permissions=["hold"])
    def drop(self, request: HttpRequest, chosen: QuerySet[Release]) -> None:
        for each in chosen:
            try:
                releases.drop_draft(release_id=each.pk)
            except ReleaseRefused:
                said = gettext("%(name)s has files and stays.") % {"name": each.name}
                self.message_user(request, said, messages.ERROR)
            else:
                self.message_user(request, _("Done."), messages.SUCCESS)


def _staff(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user
