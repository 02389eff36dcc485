"""What supervisors, proxies and orchestrators ask a process of the site."""

from __future__ import annotations

from functools import cache

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from arena import leaving
from arena.embedded import valkey


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """200 while the process answers and was not told to end. Nothing else is asked: a restart mends no database, and a proxy has none that is better."""
    return _said("leaving", status=503) if leaving.begun.is_set() else _said("ok")


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """200 while the process can serve people: its database answers and has all migrations.

    Valkey is only told: without it each process serves alone, which is better than no process.
    """
    lacking = _lacking()
    if lacking:
        return _said(f"not ready: {lacking}", status=503)
    return _said("ok" if valkey.answers(settings.REDIS_URL) else "ok, without Valkey")


def _lacking() -> str:
    if leaving.begun.is_set():
        return "leaving"
    try:
        applied = MigrationRecorder(connection).applied_migrations()
    except DatabaseError:
        return "the database does not answer"
    return "" if _newest() <= applied.keys() else "migrations are missing"


@cache
def _newest() -> frozenset[tuple[str, str]]:
    """The last migration of each app, by its files."""
    return frozenset(MigrationLoader(None).graph.leaf_nodes())


def _said(words: str, status: int = 200) -> HttpResponse:
    return HttpResponse(f"{words}\n", status=status, content_type="text/plain")
