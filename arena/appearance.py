"""How the pages look to somebody: kept in a cookie, so that no page asks the database, and with the participant, so that it follows an account."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from arena.models import Participant
from arena.types import TextSize, Theme

_COOKIE = "appearance"
_ON, _OFF = "on", "off"


@dataclass(frozen=True, slots=True)
class Appearance:
    theme: Theme = Theme.AUTO
    text_size: TextSize = TextSize.NORMAL
    shortcuts: bool = True

    def __str__(self) -> str:
        return f"{self.theme}.{self.text_size}.{_ON if self.shortcuts else _OFF}"

    @classmethod
    def parsed(cls, raw: str) -> Appearance:
        """What a cookie says; the default where it says nothing that is known."""
        try:
            theme, text_size, shortcuts = raw.split(".")
            return cls(Theme(theme), TextSize(text_size), shortcuts != _OFF)
        except ValueError:
            return cls()


def preferred_by(participant: Participant) -> Appearance:
    return Appearance(Theme(participant.theme), TextSize(participant.text_size), participant.shortcuts)


def remember(response: HttpResponse, appearance: Appearance) -> None:
    response.set_cookie(
        _COOKIE,
        str(appearance),
        max_age=settings.SESSION_COOKIE_AGE,
        secure=settings.LEHIA_HTTPS,
        httponly=True,
        samesite="Lax",
    )


def forget(response: HttpResponse) -> None:
    response.delete_cookie(_COOKIE, samesite="Lax")


def of_request(request: HttpRequest) -> dict[str, Appearance]:
    """For templates, as ``appearance``."""
    return {"appearance": Appearance.parsed(request.COOKIES.get(_COOKIE, ""))}
