"""The least that a form of the site takes, so that what is allowed is seen to be done."""

from __future__ import annotations

from typing import Any

from arena.models import CheckQuestion
from arena.selectors.feedback import feedback_view
from arena.services.exports import latest_cutoff
from tests.security.authorisation.people import PASSWORD
from tests.security.authorisation.world import Things, World

_NEW = "beste bide luze bat"
_MARK = "battle/<uuid:battle_id>/feedback/"
_PLAIN: dict[str, dict[str, str]] = {
    "consent/": {"adult": "on"},
    "display/": {"display": "whole"},
    "battle/<uuid:battle_id>/vote/": {"content": "tie", "language": "tie"},
    "battle/<uuid:battle_id>/report/": {"reason": "other"},
    "me/profile/": {"level": "B1-B2", "education": "Bachelor"},
    "me/nickname/": {"nickname": "Txindoki"},
    "me/appearance/": {"theme": "dark", "text_size": "large"},
    "me/delete/": {"sure": "on"},
    "i18n/setlang/": {"language": "es"},
    "accounts/signup/": {"email": "berria@adibidea.eus"},
    "accounts/reauthenticate/": {"password": PASSWORD},
    "accounts/email/": {"email": "beste@adibidea.eus", "action_add": ""},
    "accounts/password/change/": {"oldpassword": PASSWORD, "password1": _NEW, "password2": _NEW},
    "accounts/password/set/": {"password1": _NEW, "password2": _NEW},
    "accounts/password/reset/": {"email": "jabea@adibidea.eus"},
    "accounts/login/": {"login": "jabea@adibidea.eus", "password": PASSWORD},
    "accounts/login/code/": {"email": "jabea@adibidea.eus"},
}


def form(route: str, things: Things) -> dict[str, Any]:
    if route == "check/":
        return {str(each.pk): "1" for each in CheckQuestion.objects.all()}
    if route in {_MARK, f"{_MARK}<uuid:feedback_id>/"}:
        sentence = feedback_view(things.voted).answers[1].sentences[0]
        return {"span": sentence.value, "kind": "grammar", "comment": "Ohar berria"}
    if route == "data/exports/new/":
        return {"layout": "judgements", "format": "jsonl", "cutoff": latest_cutoff().isoformat()}
    return _PLAIN.get(route, {})


def form_for(world: World, route: str, role: str) -> dict[str, Any]:
    return form(route, world.banned if role == "banned" else world.owned)
