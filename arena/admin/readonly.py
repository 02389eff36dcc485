"""Admin pages that show and never change."""

from __future__ import annotations

from typing import TypeVar

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

ModelT = TypeVar("ModelT", bound=Model)
ParentT = TypeVar("ParentT", bound=Model)


class ReadOnlyAdmin(admin.ModelAdmin[ModelT]):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: ModelT | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ModelT | None = None) -> bool:
        return False


class ReadOnlyInline(admin.TabularInline[ModelT, ParentT]):
    extra = 0
    can_delete = False

    def get_readonly_fields(self, request: HttpRequest, obj: ParentT | None = None) -> list[str]:
        return [name for name in self.fields or () if isinstance(name, str)]

    def has_add_permission(self, request: HttpRequest, obj: ParentT | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: ParentT | None = None) -> bool:
        return False
