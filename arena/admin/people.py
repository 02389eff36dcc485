"""Accounts and participants."""

from __future__ import annotations

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from arena.admin.readonly import ReadOnlyAdmin
from arena.models import Participant, User
from arena.services.exclusions import flag_participant
from arena.services.people import drop_nickname
from arena.services.reviews import acquit
from arena.types import ExclusionSource

admin.site.register(User, DjangoUserAdmin)


@admin.register(Participant)
class ParticipantAdmin(ReadOnlyAdmin[Participant]):
    list_display = (
        "id",
        "nickname",
        "is_guest",
        "language_level",
        "education",
        "created_at",
        "flagged_at",
        "held_at",
        "banned_at",
    )
    list_filter = tuple((mark, admin.EmptyFieldListFilter) for mark in ("flagged_at", "held_at", "banned_at"))
    actions = ("flag", "unflag", "drop_nickname")
    search_fields = ("nickname",)

    @admin.action(description=_("Take the nickname off the boards of contributors"), permissions=["exclude"])
    def drop_nickname(self, request: HttpRequest, chosen: QuerySet[Participant]) -> None:
        for participant in chosen:
            drop_nickname(participant_id=participant.pk)
        self.message_user(request, _("Done."), messages.SUCCESS)

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
