"""The page about the API, for people; and Swagger UI over its description, from the files that come with django-ninja."""

from __future__ import annotations

from pathlib import Path

import ninja
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import cache_control
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_GET

from arena.api.document import operations_of
from arena.api.site import api

TOLD = {
    "boards": _("All boards, live and imported, and what each can be asked about."),
    "ratings": _("The exact current fit, as the board's page shows it."),
    "pairs": _("Who met whom, how often, and who won."),
    "snapshots": _("The boards that were published, newest first."),
    "snapshot": _("A published board as a whole, with the covariance of its ratings."),
    "exclusions": _("How many votes of a live board do not count, by reason."),
    "candidates": _("Candidates with a counted vote, by code."),
    "candidate": _("What a candidate's page says of it."),
    "provenance": _("Revision, sampling, system prompt mode and template of a candidate."),
    "releases": _("Released data, newest first."),
    "release": _("What a release holds, and how it is cited."),
    "release-files": _("A release's files with their checksums."),
    "release-removals": _("Rows of a final release that were taken back since, by their ids."),
    "token": _("What the token that was sent may read, and until when."),
}
"""What each route answers, in the visitor's language; the OpenAPI document says the same in English."""
_SWAGGER = Path(ninja.__file__).parent / "static" / "ninja"
_SWAGGER_FILES = {"swagger-ui.css": "text/css", "swagger-ui-bundle.js": "text/javascript"}


@require_GET
def page(request: HttpRequest) -> HttpResponse:
    routes = [
        {
            "path": operation["x-path"],
            "told": TOLD[operation["operationId"]],
            "parameters": [each["name"] for each in operation["parameters"] if each["in"] == "query"],
            "scope": operation.get("x-scope"),
        }
        for operation in operations_of(api.get_openapi_schema())
    ]
    limits = {"per_address": settings.LEHIA_API_PER_ADDRESS, "per_token": settings.LEHIA_API_PER_TOKEN}
    return render(request, "api.html", {"routes": routes, **limits})


@require_GET
def explore(request: HttpRequest) -> HttpResponse:
    """To try routes out; needs scripts, speaks English."""
    return render(request, "api_explore.html")


@require_GET
@gzip_page
@cache_control(public=True, max_age=86400)
def swagger_file(request: HttpRequest, name: str) -> HttpResponse:
    """One of the two that the page needs; among the site's static files their maps would come along, five times as large."""
    if name not in _SWAGGER_FILES:
        raise Http404
    return HttpResponse((_SWAGGER / name).read_bytes(), content_type=_SWAGGER_FILES[name])
