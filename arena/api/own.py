"""What a token is told of itself, and the description of the API."""

from __future__ import annotations

from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest
from ninja import Router

from arena.api import schemas
from arena.api.callers import ApiRequest
from arena.api.routes import ANY_TOKEN, route

router = Router(tags=["token"])


@route(router, "/token", name="token", response=schemas.TokenOut, scope=ANY_TOKEN)
def token(request: HttpRequest) -> dict[str, Any]:
    """What the token that was sent may read, and until when."""
    sent = cast(ApiRequest, request).caller.token
    assert sent is not None  # noqa: S101  # the route asks for one
    return {
        "prefix": sent.prefix,
        "name": sent.name,
        "scopes": sent.scopes,
        "expires_at": sent.expires_at,
        "requests_per_minute": settings.LEHIA_API_PER_TOKEN,
    }
