"""Who exported what. Read-only: the log of those who are asked about it later."""

from __future__ import annotations

from django.contrib import admin

from arena.admin.readonly import ReadOnlyAdmin
from arena.models import Export


@admin.register(Export)
class ExportAdmin(ReadOnlyAdmin[Export]):
    list_display = ("created_at", "by", "layout", "format", "key", "cutoff", "rows", "sha256")
    list_filter = ("layout", "key")
    list_select_related = ("by", "key")
