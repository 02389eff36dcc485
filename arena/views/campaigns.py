"""Campaigns as everybody sees them."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import get_language
from django.views.decorators.http import require_GET

from arena.selectors import campaigns, contributions, raffles


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    return render(
        request, "campaigns/list.html", {"campaigns": campaigns.listed(get_language() or campaigns.SOURCE)}
    )


@require_GET
def campaign(request: HttpRequest, slug: str) -> HttpResponse:
    """One that was opened once; those in preparation do not exist yet."""
    found = get_object_or_404(campaigns.announced().select_related("board"), slug=slug)
    days = contributions.by_day(found)
    shown = days[: contributions.MOST_DAYS]
    context = {
        "pulse": campaigns.pulse(found),
        "texts": campaigns.texts_of(found, get_language() or campaigns.SOURCE),
        "registration": found.registration,
        "board": found.board,
        "campaign": found,
        "raffle": raffles.draw_of(found),
        "days": shown,
        "older": len(days) > len(shown),
        "most": max((each.votes for each in shown), default=0),
        "contributors": contributions.contributors(found),
        "candidates": found.candidates.order_by("name"),
    }
    return render(request, "campaigns/page.html", context)
