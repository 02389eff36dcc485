"""Accounts, participants and campaigns."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin

from arena.admin.readonly import ReadOnlyAdmin
from arena.models import Campaign, Participant, User

admin.site.register(User, DjangoUserAdmin)


@admin.register(Participant)
class ParticipantAdmin(ReadOnlyAdmin[Participant]):
    list_display = ("id", "is_guest", "language_level", "education", "created_at")


@admin.register(Campaign)
class CampaignAdmin(admin.ModelAdmin[Campaign]):
    list_display = ("name", "slug", "board", "is_default", "sampling_policy")
    prepopulated_fields = {"slug": ("name",)}  # noqa: RUF012  # Django's own shape for this option
