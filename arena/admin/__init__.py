"""Django's admin for the arena: people and campaigns editable, battles and votes read-only."""

from django.contrib import admin

from arena.admin import battles, findings, people

__all__ = ["battles", "findings", "people"]

admin.site.site_header = admin.site.site_title = "Lehia"
