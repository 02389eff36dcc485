"""Who is looking, and where they go back to."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

from arena import sessions
from arena.models import Battle, Participant
from arena.selectors import battles, judging, people


def participant_of(request: HttpRequest) -> Participant | None:
    """The browser's participant; ``None`` before consent, and after a deletion."""
    return people.participant_or_none(sessions.participant_id(request.session))


def own_battle(request: HttpRequest, battle_id: UUID) -> Battle:
    """The visitor's battle; for everybody else it does not exist, nor a pair whose texts were taken back."""
    found = battles.battle_of(battle_id, participant_of(request))
    if found is None or not judging.may_be_shown(found):
        raise Http404
    return found


def onward(request: HttpRequest, otherwise: str) -> str:
    """The page of this site that a form names as *next*, or else the page of that name."""
    asked = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(asked, {request.get_host()}, require_https=request.is_secure())
    return asked if safe else otherwise
