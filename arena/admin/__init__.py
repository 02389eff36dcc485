"""Django's admin for the arena: people and campaigns editable, battles, votes and training runs read-only."""

from django.contrib import admin

from arena.admin import battles, campaigns, findings, people, prompts, raffles, reports, runs

__all__ = ["battles", "campaigns", "findings", "people", "prompts", "raffles", "reports", "runs"]

admin.site.site_header = admin.site.site_title = "Lehia"
