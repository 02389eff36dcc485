"""Pages that only say something."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from arena import consent_text
from arena.selectors.campaigns import current_campaign, licences
from arena.selectors.people import has_consented
from arena.views.visitor import participant_of


@require_GET
def manifest(request: HttpRequest) -> JsonResponse:
    """How the site looks once it is installed on a phone; the same for everybody of one language."""
    icons = [
        {"src": static("img/mark.svg"), "sizes": "any", "type": "image/svg+xml"},
        {"src": static("img/icon-192.png"), "sizes": "192x192", "type": "image/png"},
        {"src": static("img/icon-512.png"), "sizes": "512x512", "type": "image/png"},
        {
            "src": static("img/icon-maskable.png"),
            "sizes": "512x512",
            "type": "image/png",
            "purpose": "maskable",
        },
    ]
    about_it = {
        "name": "Lehia",
        "short_name": "Lehia",
        "description": _("The blind arena for Basque language models"),
        "lang": get_language() or "eu",
        "id": reverse("start"),
        "start_url": reverse("start"),
        "scope": reverse("start"),
        "display": "standalone",
        "background_color": "#faf7f0",
        "theme_color": "#faf7f0",
        "icons": icons,
    }
    return JsonResponse(about_it, content_type="application/manifest+json")


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
        "raffle_days": settings.LEHIA_RAFFLE_EMAIL_DAYS,
        "backup_days": settings.LEHIA_BACKUP_DAYS,
    }
    return render(request, "privacy.html", context)


@require_GET
def terms(request: HttpRequest) -> HttpResponse:
    return render(request, "terms.html", {"candidates": licences()})


@require_GET
def methodology(request: HttpRequest) -> HttpResponse:
    return render(request, "methodology.html")
