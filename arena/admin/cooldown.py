"""Whether new guests wait: staff see what comes in, and decide."""

from __future__ import annotations

from typing import ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from arena.models import Cooldown
from arena.services.cooldown import figures


@admin.register(Cooldown)
class CooldownAdmin(admin.ModelAdmin[Cooldown]):
    list_display = ("mode", "is_on", "guests", "messages")
    fields: ClassVar = ["mode", "is_on", "guests", "messages"]
    readonly_fields = ("is_on", "guests", "messages")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Cooldown | None = None) -> bool:
        return False

    @admin.display(description=_("everybody who is new waits just now"), boolean=True)
    def is_on(self, _one: Cooldown) -> bool:
        return figures().is_on

    @admin.display(description=_("new guests in ten minutes"))
    def guests(self, _one: Cooldown) -> int:
        return figures().guests

    @admin.display(description=_("messages in ten minutes"))
    def messages(self, _one: Cooldown) -> int:
        return figures().messages
