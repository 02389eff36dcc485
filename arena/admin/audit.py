"""The audit log, for superusers to read."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from arena.admin.logins import SuperusersAdmin
from arena.models import AuditEntry, User


@admin.register(AuditEntry)
class AuditEntryAdmin(SuperusersAdmin):
    list_display = ("created_at", "way", "who", "act", "about")
    list_filter = ("way", "created_at")
    search_fields = ("act", "about", "=staff_id")
    date_hierarchy = "created_at"

    @admin.display(description=_("member of staff"), ordering="staff_id")
    def who(self, entry: AuditEntry) -> str:
        """By their name as long as there is an account; afterwards by its number."""
        if entry.staff_id is None:
            return "—"
        user = User.objects.filter(pk=entry.staff_id).first()
        return user.username if user else f"#{entry.staff_id}"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
