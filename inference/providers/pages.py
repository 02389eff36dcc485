"""What servers tell besides answers: health, metrics, the model list."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import httpx2

from inference import errors
from inference.pinning import http_client
from inference.providers import failures
from inference.providers.exchange import check_key
from inference.types import Target


@dataclass(frozen=True, slots=True)
class Page:
    """The status of a page, and its text as far as it was read."""

    status: int
    text: str


async def fetch(target: Target, path: str, *, timeout_s: float = 5.0, most_bytes: int = 1 << 20) -> Page:
    """One page of a server, over a connection as pinned as those of answers.

    Parameters
    ----------
    target
        Its key goes along as a bearer token.
    path
        With a slash in front it is at the server's root (``/metrics``), without one below the base address (``models``).
    timeout_s
        For all of it.
    most_bytes
        Of the body; what follows is left out.

    Raises
    ------
    ConnectFailed, StreamTimeout, MalformedStream, Unauthorized
        Nothing came, or it broke off, or the key cannot be sent. Any status is a page.
    """
    check_key(target.api_key)
    headers = {"Accept-Encoding": "identity"}
    if target.api_key:
        headers["Authorization"] = f"Bearer {target.api_key}"
    failure: errors.StreamError
    try:
        async with (
            asyncio.timeout(timeout_s),
            http_client(target) as http,
            http.stream("GET", _address(target.base_url, path), headers=headers) as response,
        ):
            body = b""
            async for data in response.aiter_bytes():
                body += data
                if len(body) >= most_bytes:
                    break
            return Page(response.status_code, body[:most_bytes].decode(errors="replace"))
    except (TimeoutError, httpx2.TimeoutException):
        failure = errors.StreamTimeout("the page did not come in time")
    except httpx2.ConnectError:
        failure = errors.ConnectFailed("no connection to the server")
    except (httpx2.HTTPError, errors.EndpointNotAllowed) as error:
        failure = failures.of_exception(error)
    raise failure


def _address(base_url: str, path: str) -> str:
    if not path.startswith("/"):
        return f"{base_url}/{path}"
    parts = urlsplit(base_url)
    return urlunsplit((parts.scheme, parts.netloc, parts.path.removesuffix("/v1") + path, "", ""))
