"""What opens doors: groups of permissions, e-mail addresses, second factors. For superusers alone, in the place of what Django and allauth register.

Whoever may change one of these can become anybody: an address is logged in with, a group gives its members what it is given.
"""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.models import Group
from django.db.models import Model
from django.http import HttpRequest


def is_superuser(request: HttpRequest) -> bool:
    return bool(request.user.is_active and getattr(request.user, "is_superuser", False))


class SuperusersAdmin(admin.ModelAdmin[Any]):
    """Whatever permissions other staff have, there is nothing here for them."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return is_superuser(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return is_superuser(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return is_superuser(request)


class GroupAdmin(SuperusersAdmin, DjangoGroupAdmin):
    pass


class EmailAddressAdmin(SuperusersAdmin):
    list_display = ("email", "user", "primary", "verified")
    raw_id_fields = ("user",)
    search_fields = ("=email",)


class AuthenticatorAdmin(SuperusersAdmin):
    """To take off one that was lost; its secret is shown to nobody, and only its holder sets one up."""

    list_display = ("user", "type", "created_at", "last_used_at")
    list_filter = ("type",)
    fields = ("user", "type", "created_at", "last_used_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def take_the_place() -> None:
    """Once all apps have registered theirs."""
    for model, own in (
        (Group, GroupAdmin),
        (EmailAddress, EmailAddressAdmin),
        (Authenticator, AuthenticatorAdmin),
    ):
        admin.site.unregister(model)
        admin.site.register(model, own)
