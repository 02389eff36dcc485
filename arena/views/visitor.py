"""Who is looking, and where they go back to."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

from arena import sessions
from arena.models import Battle, Campaign, Participant
from arena.selectors import battles, judging, people
from arena.types import Display


def participant_of(request: HttpRequest) -> Participant | None:
    """The browser's participant; ``None`` before consent, and after a deletion."""
    return people.participant_or_none(sessions.participant_id(request.session))


def own_battle(request: HttpRequest, battle_id: UUID) -> Battle:
    """The visitor's battle; for everybody else it does not exist, nor a pair whose texts were taken back."""
    found = battles.battle_of(battle_id, participant_of(request))
    if found is None or not judging.may_be_shown(found):
        raise Http404
    return found


def pace_of(participant: Participant | None, campaign: Campaign) -> dict[str, object]:
    """How the visitor's next answers will appear; nothing before there is anybody to remember it for.

    ``by_device``: on one that asks for less motion they appear whole, since nothing else was chosen.
    """
    if participant is None:
        return {"display": None, "by_device": False}
    display = participant.display or campaign.display
    return {"display": display, "by_device": not participant.display and display != Display.WHOLE.value}


def onward(request: HttpRequest, otherwise: str) -> str:
    """The page of this site that a form names as *next*, or else the page of that name."""
    asked = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(asked, {request.get_host()}, require_https=request.is_secure())
    return asked if safe else otherwise
