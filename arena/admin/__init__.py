"""Django's admin for the arena: people and campaigns editable, battles, votes and training runs read-only."""

from django.contrib import admin

from arena.admin import (
    audit,
    battles,
    campaigns,
    controls,
    cooldown,
    data_log,
    doubts,
    export_jobs,
    exports,
    findings,
    imports,
    operations,
    people,
    prompts,
    raffles,
    releases,
    reports,
    runs,
    tokens,
)

__all__ = [
    "audit",
    "battles",
    "campaigns",
    "controls",
    "cooldown",
    "data_log",
    "doubts",
    "export_jobs",
    "exports",
    "findings",
    "imports",
    "operations",
    "people",
    "prompts",
    "raffles",
    "releases",
    "reports",
    "runs",
    "tokens",
]

admin.site.site_header = admin.site.site_title = "Lehia"
