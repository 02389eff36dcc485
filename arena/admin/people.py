"""Accounts, participants and campaigns."""

from __future__ import annotations

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from arena.admin.readonly import ReadOnlyAdmin
from arena.models import Campaign, Participant, User
from arena.services.exclusions import flag_participant, unflag_participant
from arena.types import ExclusionSource

admin.site.register(User, DjangoUserAdmin)


@admin.register(Participant)
class ParticipantAdmin(ReadOnlyAdmin[Participant]):
    list_display = ("id", "is_guest", "language_level", "education", "created_at", "flagged_at")
    list_filter = (("flagged_at", admin.EmptyFieldListFilter),)
    actions = ("flag", "unflag")

    @admin.action(description=_("Count none of their votes"), permissions=["exclude"])
    def flag(self, request: HttpRequest, chosen: QuerySet[Participant]) -> None:
        staff = request.user if isinstance(request.user, User) else None
        for participant in chosen:
            flag_participant(participant=participant, source=ExclusionSource.STAFF, staff=staff)
        self.message_user(request, _("Done; the board has moved with it."), messages.SUCCESS)

    @admin.action(description=_("Count their votes again"), permissions=["exclude"])
    def unflag(self, request: HttpRequest, chosen: QuerySet[Participant]) -> None:
        for participant in chosen:
            unflag_participant(participant=participant)
        self.message_user(request, _("Done; the board has moved with it."), messages.SUCCESS)

    def has_exclude_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("arena.add_exclusion")


@admin.register(Campaign)
class CampaignAdmin(admin.ModelAdmin[Campaign]):
    list_display = ("name", "slug", "board", "is_default", "sampling_policy")
    prepopulated_fields = {"slug": ("name",)}  # noqa: RUF012  # Django's own shape for this option
