"""The operators' page: how the campaign, the jobs, the model servers and the machine do, without scripts."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import redis
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _

from arena.admin.readonly import ReadOnlyAdmin
from arena.models import Operations
from arena.observing import metrics, notes, site
from arena.selectors import operations
from inference.health.overview import Overview, overview
from ranking.version import code_version

LATE = 3
"""Intervals after which a task is late; as the alert says."""
ERRORS_SHOWN = 30
SCARCE = 0.15
"""Of a disk; as the alert says."""


@dataclass(frozen=True, slots=True)
class TaskRow:
    name: str
    every_s: float | None
    ago_s: float | None
    missed_s: float
    """Since when no success is known."""
    runs: int
    failures: int

    @property
    def is_late(self) -> bool:
        return self.every_s is not None and self.missed_s > LATE * self.every_s + 300


@admin.register(Operations)
class OperationsAdmin(ReadOnlyAdmin[Operations]):
    """One page instead of rows."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.changelist_view)
        return [path("", view, name="arena_operations_changelist")]

    def has_view_permission(self, request: HttpRequest, obj: Operations | None = None) -> bool:
        return request.user.has_perm("arena.view_operations")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("How the site runs"),
            "now": datetime.now(UTC),
            **_of_the_campaign(),
            **_of_jobs(),
            **_of_models(overview()),
            "days": operations.excluded_days(),
            "excluded": operations.excluded(),
            **_of_the_machine(),
        }
        return TemplateResponse(request, "admin/operations/page.html", context)


def _of_the_campaign() -> dict[str, Any]:
    campaign = operations.campaign_or_none()
    hours = operations.hours()
    names = ("battles", "battles_before", "votes", "votes_before")
    return {
        "campaign": campaign,
        "votes": site.kept(f"votes {campaign.pk}", lambda: operations.votes_of(campaign)) if campaign else 0,
        "hours": hours,
        "sums": {name: sum(getattr(each, name) for each in hours) for name in names},
        "sockets": metrics.sockets_open(),
        "answering": metrics.battles_answering(),
    }


def _of_jobs() -> dict[str, Any]:
    """What Valkey knows; nothing where it is away, which the page says."""
    try:
        waiting = notes.queue(site.QUEUE)
        tasks = notes.tasks(site.planned_tasks())
        failures = notes.failures()
    except redis.RedisError:
        return {"valkey": False}
    now, planned = time.time(), site.planned_tasks()
    rows = [
        TaskRow(
            name,
            planned.get(name),
            None if noted.succeeded_at is None else now - noted.succeeded_at,
            now - noted.since,
            noted.runs,
            noted.failures,
        )
        for name, noted in tasks.items()
    ]
    return {
        "valkey": True,
        "waiting": waiting.length,
        "oldest_s": now - waiting.oldest_sent_at if waiting.oldest_sent_at else None,
        "tasks": rows,
        "failures": [(datetime.fromtimestamp(each.at, UTC), each) for each in failures[:ERRORS_SHOWN]],
        "kinds": Counter((each.kind, each.place) for each in failures).most_common(10),
        "failures_kept": len(failures),
    }


def _of_models(seen: Iterable[Overview]) -> dict[str, Any]:
    rows = [
        {
            "endpoint": each.endpoint,
            "circuit": each.circuit.value,
            "error_share": 100 * each.traffic.error_share if each.traffic else None,
        }
        for each in seen
    ]
    return {"endpoints": rows}


def _of_the_machine() -> dict[str, Any]:
    backup = site.newest_backup()
    return {
        "disks": [
            {
                "name": name,
                "free": usage.free,
                "share": 100 * usage.free / usage.total,
                "scarce": usage.free < SCARCE * usage.total,
            }
            for name, usage in site.disks().items()
        ],
        "backup": datetime.fromtimestamp(backup, UTC) if backup else None,
        "backup_hours": (time.time() - backup) / 3600 if backup else None,
        "migrations": operations.migrations(),
        "version": code_version(),
    }
