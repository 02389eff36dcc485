"""Pages that only say something, and the health check."""

from __future__ import annotations

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from arena import consent_text
from arena.selectors.campaigns import current_campaign, licences
from arena.selectors.people import has_consented
from arena.views.visitor import participant_of


@require_GET
def about(request: HttpRequest) -> HttpResponse:
    return render(request, "about.html")


@require_GET
def privacy(request: HttpRequest) -> HttpResponse:
    campaign = current_campaign()
    context = {
        "consent_version": campaign.consent_version,
        "consent_given": has_consented(participant_of(request), campaign),
        "sentences": consent_text.SENTENCES,
    }
    return render(request, "privacy.html", context)


@require_GET
def terms(request: HttpRequest) -> HttpResponse:
    return render(request, "terms.html", {"candidates": licences()})


@require_GET
def methodology(request: HttpRequest) -> HttpResponse:
    return render(request, "methodology.html")


@require_GET
def healthz(request: HttpRequest) -> HttpResponse:
    """200 while the process and its database answer."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok\n", content_type="text/plain")
