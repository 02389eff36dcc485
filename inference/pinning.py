"""Connections that go to the very address that was checked: no second look-up, no redirect, no proxy, no cookies.

A name could resolve to a harmless address when it is checked and to another when it is used. So nothing is resolved here: a target carries the
addresses that :mod:`inference.allow_list` found, and they are judged once more. Over TLS the certificate must still bear the name.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

import aiohttp
import httpx2
from aiohttp.abc import AbstractResolver, ResolveResult

from inference import addresses
from inference.errors import EndpointNotAllowed
from inference.types import Target

_MOST_ERROR_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Pin:
    """A host, and the only addresses at which it is looked for."""

    host: str
    addresses: tuple[str, ...]


def pin_of(target: Target) -> Pin:
    """Where this target's connections may go.

    Raises
    ------
    EndpointNotAllowed
        An address is never allowed, or a host beyond loopback was not checked: such targets come from ``inference.selectors``.
    """
    host = urlsplit(target.base_url).hostname or ""
    found = target.addresses or (("127.0.0.1",) if host == "localhost" else (host,))
    judged = [addresses.parse(each) for each in found]
    if any(addresses.is_never_allowed(each) for each in judged):
        raise EndpointNotAllowed("link-local and special addresses are never allowed")
    if not target.addresses and not all(addresses.is_loopback(each) for each in judged):
        raise EndpointNotAllowed("this target's host was not checked")
    return Pin(host, tuple(str(each) for each in judged))


def http_client(target: Target, *, tls: ssl.SSLContext | None = None) -> httpx2.AsyncClient:
    """A client that can reach this target only. Made for each request, and to be closed after it.

    Parameters
    ----------
    target
        Its connect deadline holds for TCP and TLS together; nothing else is limited here.
    tls
        Other roots of trust than the system's.

    Raises
    ------
    EndpointNotAllowed
        See :func:`pin_of`.
    """
    transport = PinnedTransport(pin_of(target), connect_s=target.deadlines.connect_s, tls=tls)
    return httpx2.AsyncClient(
        transport=transport, follow_redirects=False, trust_env=False, timeout=httpx2.Timeout(None)
    )


@lru_cache(maxsize=1)
def _system_tls() -> ssl.SSLContext:
    """Reading the roots takes 30 ms: once a process."""
    return ssl.create_default_context()


class PinnedTransport(httpx2.AsyncBaseTransport):
    """aiohttp under the SDKs' client, held to one :class:`Pin`. A connection serves one request.

    A connection kept from the last answer may just be closing at the other end (uvicorn does so after 5 s, and after each 500): the next request
    would fail on it, and a POST is not sent twice. A new one costs a fraction of a token.
    """

    def __init__(self, pin: Pin, *, connect_s: float, tls: ssl.SSLContext | None = None) -> None:
        self._pin = pin
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=connect_s)
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.host != self._pin.host.strip("[]"):
            raise httpx2.ConnectError("this client reaches one host only")
        try:
            response = await self._opened(request.url.scheme == "https").request(
                request.method,
                str(request.url),
                headers=request.headers,
                data=await request.aread() or None,
                allow_redirects=False,
            )
        except aiohttp.ServerTimeoutError:
            raise httpx2.ConnectTimeout("no connection in time") from None
        except aiohttp.ClientError:
            raise httpx2.ConnectError("no connection") from None
        return httpx2.Response(
            response.status, headers=list(response.raw_headers), stream=_Body(response), request=request
        )

    def _opened(self, secure: bool) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(
                resolver=_PinnedResolver(self._pin),
                use_dns_cache=False,
                force_close=True,
                ssl=(self._tls or _system_tls()) if secure else False,
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                timeout=self._timeout,
                trust_env=False,
            )
        return self._session

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()


class _PinnedResolver(AbstractResolver):
    """Answers from the pin; aiohttp tries several addresses in turn."""

    def __init__(self, pin: Pin) -> None:
        self._pin = pin

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        if host != self._pin.host:
            raise OSError("not the host that was checked")
        return [
            ResolveResult(
                hostname=host,
                host=each,
                port=port,
                family=socket.AF_INET6 if ":" in each else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for each in self._pin.addresses
        ]

    async def close(self) -> None:
        """Nothing is held."""


class _Body(httpx2.AsyncByteStream):
    """A response's bytes as they come; of an error's body, a first part."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self._left = _MOST_ERROR_BYTES if response.status >= 300 else None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for data in self._response.content.iter_any():
                if self._left is not None:
                    if self._left <= 0:
                        return
                    self._left -= len(data)
                yield data
        except aiohttp.ClientError:
            raise httpx2.ReadError("the connection broke") from None

    async def aclose(self) -> None:
        self._response.close()
