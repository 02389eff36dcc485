"""Who downloaded files that are not public, and who imported what. Read-only, as the log of exports."""

from __future__ import annotations

from django.contrib import admin

from arena.admin.readonly import ReadOnlyAdmin
from arena.models import DataEntry


@admin.register(DataEntry)
class DataEntryAdmin(ReadOnlyAdmin[DataEntry]):
    list_display = ("created_at", "act", "by", "layout", "about", "rows", "size_bytes", "sha256")
    list_filter = ("act", "layout")
    list_select_related = ("by",)
    search_fields = ("=sha256", "=about")
    date_hierarchy = "created_at"
