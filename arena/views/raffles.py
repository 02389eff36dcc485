"""A campaign's raffle: what is promised, and once it is drawn all that is needed to repeat it."""

from __future__ import annotations

import json

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from arena.models import Draw
from arena.selectors import campaigns, raffles
from arena.views.downloads import file_answer
from arena.views.visitor import participant_of

ROWS_SHOWN = 100


@require_GET
@never_cache
def draw(request: HttpRequest, slug: str) -> HttpResponse:
    """``?format=json|csv`` for the data alone; the CSV holds the tickets."""
    campaign = get_object_or_404(campaigns.announced(), slug=slug)
    found = get_object_or_404(Draw, campaign=campaign)
    found.campaign = campaign
    told = raffles.published(found)
    if "format" in request.GET:
        return _file(request.GET["format"], found, told)
    participant = participant_of(request)
    context = {
        "campaign": campaign,
        "texts": campaigns.texts_of(campaign, get_language() or campaigns.SOURCE),
        "draw": found,
        "told": told,
        "shown": told.get("holders", [])[:ROWS_SHOWN],
        "mine": raffles.frozen(participant, campaign) if participant and found.drawn_at else None,
    }
    return render(request, "campaigns/draw.html", context)


def _file(kind: str, draw: Draw, told: dict[str, object]) -> HttpResponse:
    name = f"{draw.campaign.slug}-draw"
    if kind == "json":
        text = json.dumps(told, ensure_ascii=False, indent=1) + "\n"
        return file_answer(text, "application/json", f"{name}.json")
    if kind == "csv" and draw.drawn_at is not None:
        return file_answer(raffles.as_csv(draw), "text/csv", f"{name}.csv")
    raise Http404
