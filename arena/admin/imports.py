"""Votes of other arenas: to look at."""

from __future__ import annotations

from django.contrib import admin

from arena.admin.readonly import ReadOnlyAdmin
from arena.models import ImportedVote


@admin.register(ImportedVote)
class ImportedVoteAdmin(ReadOnlyAdmin[ImportedVote]):
    list_display = ("external_id", "board", "source", "model_a", "model_b", "winner", "cast_at")
    list_filter = ("board", "source", "winner")
    list_select_related = ("board",)
    search_fields = ("=external_id", "=voter")
