"""Bodies of requests have a limit, kept while they arrive: Django would take in whatever comes, and look at it only then."""

from __future__ import annotations

import io
import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.core.handlers.asgi import ASGIRequest
from django.template.loader import render_to_string
from django.utils.translation import get_language_from_request, override

if TYPE_CHECKING:
    from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, HTTPScope

logger = logging.getLogger(__name__)

MOST_BYTES = 3_000_000
"""As the proxy's (``docker/Caddyfile``), which refuses first: an answer to the length that is announced would end the connection on which it still sends,
and people would be told that the site is down. The largest that somebody sends on purpose is a file of prompts in the admin."""


class Bounded:
    """An HTTP application that is given no more than :data:`MOST_BYTES` of a body; who sends more gets a 413, and the connection ends."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        came, is_refused = 0, False

        async def counted() -> Any:
            nonlocal came, is_refused
            event = await receive()
            if event["type"] == "http.request":
                came += len(event.get("body", b""))
            if came > MOST_BYTES and not is_refused:
                is_refused = True
                await _refuse(scope, send)
            # the application ends as it does for whoever left
            return {"type": "http.disconnect"} if is_refused else event

        async def told(event: Any) -> None:
            if not is_refused:
                await send(event)

        await self._app(scope, counted, told)


async def _refuse(scope: HTTPScope, send: ASGISendCallable) -> None:
    """In the visitor's language; no database is asked."""
    logger.info("a body of more than %d bytes was refused", MOST_BYTES)
    with override(get_language_from_request(ASGIRequest(dict(scope), io.BytesIO()))):
        page = render_to_string("413.html").encode()
    headers = [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-length", str(len(page)).encode()),
        (b"cache-control", b"no-store"),
        (b"content-security-policy", b"default-src 'none'"),
        (b"connection", b"close"),  # the rest of it is not read
    ]
    await send(
        {
            "type": "http.response.start",
            "status": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "headers": headers,
            "trailers": False,
        }
    )
    await send({"type": "http.response.body", "body": page, "more_body": False})
