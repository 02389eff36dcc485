"""Candidates in the admin."""

from __future__ import annotations

from django.contrib import admin

from inference.models import Candidate


@admin.register(Candidate)
class CandidateAdmin(admin.ModelAdmin[Candidate]):
    list_display = ("name", "code", "revision", "system_prompt_mode", "licence", "outputs_licence")
    list_filter = ("outputs_licence",)
    search_fields = ("name", "code")
