"""Accounts and participants."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from arena.admin.erasing import ErasingAdmin
from arena.admin.logins import is_superuser
from arena.admin.readonly import ReadOnlyAdmin
from arena.models import Participant, User
from arena.services.erasure import erase_account, erase_participant
from arena.services.exclusions import flag_participant
from arena.services.people import drop_nickname
from arena.services.reviews import acquit
from arena.services.sessions import end_all
from arena.types import ExclusionSource

_POWERS = ("is_staff", "is_superuser", "groups", "user_permissions")


@admin.register(User)
class UserAdmin(ErasingAdmin[User], DjangoUserAdmin[User]):
    """Django's, where accounts are not deleted but erased, with all that is theirs."""

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Accounts of staff are superusers' to change: whoever sets a password can come in with it."""
        is_theirs = obj is None or not obj.is_staff or is_superuser(request)
        return is_theirs and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Nobody gives others what they lack: being staff and permissions are for superusers to give."""
        return self.readonly_fields if is_superuser(request) else (*self.readonly_fields, *_POWERS)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Whoever is switched off, or is staff no longer, is logged out everywhere."""
        super().save_model(request, obj, form, change)
        if change and {"is_active", "is_staff"} & set(form.changed_data):
            end_all(account_id=obj.pk)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002  # Django's name
        """Django's. Another password ends what the old one let in; one's own is changed where everybody changes theirs."""
        whose = self.get_object(request, unquote(id))  # as Django reads it: "07" is 7, and "_2B7" too
        if whose is not None and whose.pk == request.user.pk:
            return redirect("account_change_password")
        answer = super().user_change_password(request, id, form_url)
        if whose is not None and request.method == "POST" and answer.status_code == HTTPStatus.FOUND:
            end_all(account_id=whose.pk)
        return answer

    def erase_one(self, one: User) -> None:
        erase_account(user_id=one.pk)


@admin.register(Participant)
class ParticipantAdmin(ErasingAdmin[Participant], ReadOnlyAdmin[Participant]):
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
    actions = ("flag", "unflag", "drop_nickname", "erase")
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

    def erase_one(self, one: Participant) -> None:
        if one.erased_at is None:
            erase_participant(participant_id=one.pk)

    def has_exclude_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("arena.add_exclusion")
