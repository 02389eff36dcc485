"""Accounts, participants and campaigns."""

from __future__ import annotations

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from arena.admin.readonly import ReadOnlyAdmin
from arena.models import Campaign, Participant, User
from arena.services.exclusions import flag_participant
from arena.services.reviews import acquit
from arena.types import ExclusionSource
from ranking.policies import PRESETS, named_policy

admin.site.register(User, DjangoUserAdmin)


@admin.register(Participant)
class ParticipantAdmin(ReadOnlyAdmin[Participant]):
    list_display = ("id", "is_guest", "language_level", "education", "created_at", "flagged_at", "held_at")
    list_filter = (("flagged_at", admin.EmptyFieldListFilter), ("held_at", admin.EmptyFieldListFilter))
    actions = ("flag", "unflag")

    @admin.action(description=_("Count none of their votes"), permissions=["exclude"])
    def flag(self, request: HttpRequest, chosen: QuerySet[Participant]) -> None:
        staff = request.user if isinstance(request.user, User) else None
        for participant in chosen:
            flag_participant(participant=participant, source=ExclusionSource.STAFF, staff=staff)
        self.message_user(request, _("Done; the board has moved with it."), messages.SUCCESS)

    @admin.action(description=_("Count their votes again"), permissions=["exclude"])
    def unflag(self, request: HttpRequest, chosen: QuerySet[Participant]) -> None:
        staff = request.user if isinstance(request.user, User) else None
        for participant in chosen:
            acquit(participant=participant, staff=staff)
        self.message_user(request, _("Done; the board has moved with it."), messages.SUCCESS)

    def has_exclude_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("arena.add_exclusion")


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


@admin.register(Campaign)
class CampaignAdmin(admin.ModelAdmin[Campaign]):
    form = CampaignForm
    list_display = ("name", "slug", "board", "is_default", "sampling_policy")
    prepopulated_fields = {"slug": ("name",)}  # noqa: RUF012  # Django's own shape for this option
