"""Pages that only say something, and the health check."""

from __future__ import annotations

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from arena.selectors.campaigns import current_campaign


@require_GET
def about(request: HttpRequest) -> HttpResponse:
    return render(request, "about.html")


@require_GET
def privacy(request: HttpRequest) -> HttpResponse:
    return render(request, "privacy.html", {"consent_version": current_campaign().consent_version})


@require_GET
def methodology(request: HttpRequest) -> HttpResponse:
    return render(request, "methodology.html")


@require_GET
def healthz(request: HttpRequest) -> HttpResponse:
    """200 while the process and its database answer."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok\n", content_type="text/plain")
