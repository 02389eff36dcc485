"""Campaigns: prepared in a form; opened, paused and closed by actions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.postgres.forms import SimpleArrayField
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from arena.errors import CampaignNotReady, IllegalMove
from arena.models import Campaign, CampaignText, CheckQuestion
from arena.services.campaigns import CONSENT_VERSION, close_campaign, open_campaign, pause_campaign
from arena.services.checks import seed_starter_questions
from arena.types import CampaignProblem, CampaignStatus
from ranking.policies import PRESETS, named_policy

PROBLEMS = {
    CampaignProblem.NO_DATES: _("Say when it begins and when it ends."),
    CampaignProblem.ENDED: _("Its end has passed: move the dates."),
    CampaignProblem.OVERLAPS: _(
        "Another campaign that is open covers some of its time: move the dates, or close that one."
    ),
    CampaignProblem.FEW_CANDIDATES: _(
        "Its pool holds one model: choose two or more, or none for all that are at work."
    ),
    CampaignProblem.NO_TEXT: _("Write its title in Basque, below."),
}
Move = Callable[..., Campaign]


class CampaignForm(forms.ModelForm[Campaign]):
    def clean_sampling_policy(self) -> str:
        """The policy's canonical name."""
        asked: str = self.cleaned_data["sampling_policy"]
        try:
            return named_policy(asked).name
        except ValueError:
            raise ValidationError(
                _(
                    "This is no sampling policy: there are %(known)s and mixed-1(f=,n=,d=), with shares from 0 to 1 in at most two decimals, "
                    "n at most 0.5, and f above 0 where n or d is."
                ),
                params={"known": ", ".join(PRESETS)},
            ) from None


class TextInline(admin.StackedInline[CampaignText, Campaign]):
    model = CampaignText
    extra = 0


class QuestionForm(forms.ModelForm[CheckQuestion]):
    options = SimpleArrayField(
        forms.CharField(max_length=120),
        delimiter="\n",
        widget=forms.Textarea,
        label=_("options"),
        help_text=_("One a line, from two to five."),
    )


class QuestionInline(admin.StackedInline[CheckQuestion, Campaign]):
    model = CheckQuestion
    form = QuestionForm
    extra = 0


def _was_open(campaign: Campaign | None) -> bool:
    return campaign is not None and campaign.status != CampaignStatus.DRAFT.value


@admin.register(Campaign)
class CampaignAdmin(admin.ModelAdmin[Campaign]):
    form = CampaignForm
    inlines = (TextInline, QuestionInline)
    list_display = ("name", "slug", "status", "opens_at", "closes_at", "board", "is_default")
    readonly_fields = ("status", "is_default")
    filter_horizontal = ("candidates", "known_bad")
    actions = ("open", "pause", "close", "seed")
    prepopulated_fields = {"slug": ("name",)}  # noqa: RUF012  # Django's own shape for this option

    def get_readonly_fields(self, request: HttpRequest, obj: Campaign | None = None) -> tuple[str, ...]:
        """Once it was open, addresses, exports and what is cited name its code."""
        return (*self.readonly_fields, "slug") if _was_open(obj) else self.readonly_fields

    def get_prepopulated_fields(
        self, request: HttpRequest, obj: Campaign | None = None
    ) -> dict[str, Sequence[str]]:
        return {} if _was_open(obj) else self.prepopulated_fields

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"consent_version": CONSENT_VERSION} | super().get_changeform_initial_data(request)

    @admin.action(description=_("Open, or go on"), permissions=["change"])
    def open(self, request: HttpRequest, chosen: QuerySet[Campaign]) -> None:
        self._move(request, chosen, open_campaign)

    @admin.action(description=_("Pause"), permissions=["change"])
    def pause(self, request: HttpRequest, chosen: QuerySet[Campaign]) -> None:
        self._move(request, chosen, pause_campaign)

    @admin.action(description=_("Close for good"), permissions=["change"])
    def close(self, request: HttpRequest, chosen: QuerySet[Campaign]) -> None:
        self._move(request, chosen, close_campaign)

    @admin.action(description=_("Add the ten starter questions"), permissions=["change"])
    def seed(self, request: HttpRequest, chosen: QuerySet[Campaign]) -> None:
        added = sum(seed_starter_questions(each) for each in chosen)
        self.message_user(request, _("Questions added: %(count)s.") % {"count": added}, messages.SUCCESS)

    def has_change_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        """What is closed stays as it was."""
        closed = obj is not None and obj.status == CampaignStatus.CLOSED.value
        return not closed and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        """Only what was never opened can go."""
        return not _was_open(obj) and super().has_delete_permission(request, obj)

    def _move(self, request: HttpRequest, chosen: QuerySet[Campaign], move: Move) -> None:
        moved: list[UUID] = []
        for campaign in chosen:
            try:
                moved.append(move(campaign_id=campaign.pk).pk)
            except CampaignNotReady as error:
                said: list[Any] = [PROBLEMS[problem] for problem in error.problems]
                self.message_user(request, " ".join([f"{campaign}:", *map(str, said)]), messages.ERROR)
            except IllegalMove:
                said_why = _("%(campaign)s is %(status)s: that step does not follow.")
                about = {"campaign": campaign, "status": campaign.get_status_display()}
                self.message_user(request, said_why % about, messages.ERROR)
        if moved:
            self.message_user(request, _("Done."), messages.SUCCESS)
