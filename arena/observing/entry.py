"""Where requests and sockets come in: each gets an id, which goes back with the answer and on with whatever it sets off."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

from arena.observing import context, metrics
from arena.observing.lines import route_of

logger = logging.getLogger("arena.requests")

HEADER = b"x-request-id"
_BATTLE = re.compile(r"/(?:battle|line|judge)/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/")
_ANSWERS = {"http.response.start", "websocket.accept", "websocket.http.response.start"}
_QUIET = {"healthz", "readyz", "metrics", "static"}

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]


def with_ids(application: Any) -> Application:
    """The ASGI application, in a context that knows the request's id and the battle in its address."""

    async def called(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await application(scope, receive, send)
            return
        own = _given(scope) or context.new_id()
        battle = _BATTLE.match(scope["path"])
        context.begin(request_id=own, battle=battle and battle[1])

        async def answer(message: Message) -> None:
            if message["type"] in _ANSWERS:
                message["headers"] = [*message.get("headers", ()), (HEADER, own.encode())]
            await send(message)

        await application(scope, receive, answer)

    return called


def _given(scope: Message) -> str | None:
    """The id that our own proxy gave. Without one in front, whoever asks could write theirs into our logs."""
    if not settings.LEHIA_PROXIES:
        return None
    given = [value for name, value in scope["headers"] if name == HEADER]
    text = given[0].decode("latin-1") if len(given) == 1 else ""
    return text if context.is_plain(text) else None


@sync_and_async_middleware
def observed(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """A line for each request: which page, how it went, how long it took."""
    if iscoroutinefunction(get_response):
        get_later: Callable[[HttpRequest], Awaitable[HttpResponseBase]] = get_response

        async def answer_later(request: HttpRequest) -> HttpResponseBase:
            began = time.perf_counter()
            return _told(request, await get_later(request), began)

        return answer_later

    def answer(request: HttpRequest) -> HttpResponseBase:
        began = time.perf_counter()
        return _told(request, get_response(request), began)

    return answer


def _told(request: HttpRequest, response: HttpResponseBase, began: float) -> HttpResponseBase:
    route, seconds = route_of(request), time.perf_counter() - began
    fields = {
        "route": route,
        "method": request.method if request.method in {"GET", "HEAD", "POST"} else "other",
        "status": response.status_code,
        "duration_ms": round(seconds * 1000),
    }
    metrics.answered(route, response.status_code, seconds)
    level = logging.DEBUG if route in _QUIET else logging.INFO
    logger.log(level, "%(method)s %(route)s: %(status)d in %(duration_ms)d ms", fields, extra=fields)
    return response
