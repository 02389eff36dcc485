"""Who is looking, and where they go back to."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

from arena import sessions
from arena.models import Participant
from arena.selectors import people


def participant_of(request: HttpRequest) -> Participant | None:
    """The browser's participant; ``None`` before consent, and after a deletion."""
    return people.participant_or_none(sessions.participant_id(request.session))


def onward(request: HttpRequest, otherwise: str) -> str:
    """The page of this site that a form names as *next*, or else the page of that name."""
    asked = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(asked, {request.get_host()}, require_https=request.is_secure())
    return asked if safe else otherwise
