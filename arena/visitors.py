"""Who is at the other end of a request or a socket, as limits count them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest

from arena import addresses


def address_of(request: HttpRequest) -> str:
    """The visitor's address; empty where it is not known."""
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
    return addresses.visitor(request.META.get("REMOTE_ADDR") or "", forwarded, proxies=settings.LEHIA_PROXIES)


def of_scope(scope: Any) -> str:
    """The same of a socket's scope."""
    forwarded = ",".join(
        value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"
    )
    peer = (scope.get("client") or ("",))[0]
    return addresses.visitor(peer, forwarded, proxies=settings.LEHIA_PROXIES)


def lines_of(participant_id: UUID | None, address: str) -> dict[str, int]:
    """How many lines the two of them may have open in this process."""
    lines = {f"address {addresses.household(address)}": settings.LEHIA_LINES_PER_ADDRESS}
    if participant_id is not None:
        lines[f"person {participant_id}"] = settings.LEHIA_LINES_PER_PERSON
    return lines
