"""Sockets are opened by pages of this very site alone. Browsers let every page open one, cookies included, and say whose page it is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from channels.security.websocket import WebsocketDenier
from django.conf import settings
from django.http.request import split_domain_port, validate_host

Application = Callable[[Any, Any, Any], Awaitable[Any]]


class SameOrigin:
    """Refuses (403) a handshake without an origin, from another one, or to a host that is not the site's."""

    def __init__(self, application: Any) -> None:
        self._application = application
        self._denier: Application = WebsocketDenier()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> Any:
        told = {name: value.decode("latin-1") for name, value in scope["headers"]}
        ours = is_ours(told.get(b"origin", ""), told.get(b"host", ""))
        return await (self._application if ours else self._denier)(scope, receive, send)


def is_ours(origin: str, host: str) -> bool:
    """Whether a page of *origin* may speak to *host*: scheme, name and port are the site's, or staff trust that origin."""
    if not validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS):
        return False
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    schemes = ["https"] if settings.LEHIA_HTTPS else ["http", "https"]
    return origin.lower() in {f"{scheme}://{host.lower()}" for scheme in schemes}
