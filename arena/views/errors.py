"""What people see of a request that failed. No database is asked: it may be what failed."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import get_language_from_request, override

from arena.observing import context


def server_error(request: HttpRequest) -> HttpResponse:
    """In the visitor's language, wherever it failed: what fails in the sessions does so before a language is chosen. The number finds the line in the log."""
    with override(get_language_from_request(request)):
        return HttpResponse(render_to_string("500.html", {"number": context.request_id()}), status=500)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Reads no form: Django's own page checks its token, and a form of too many fields, sent to an address that leads nowhere, breaks that check."""
    return render(request, "404.html", status=404)
