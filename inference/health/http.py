"""Small requests to model servers beside the chat: bounded in time and size, to the checked address only, never redirected."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

import httpx2

from inference.pinning import http_client
from inference.types import Provider, Target

MOST_BYTES = 2_000_000
SECONDS = 8.0


class NoReply(Exception):
    """Nothing came back; the text is a code: ``connect`` or ``timeout``."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back. The body is cut at :data:`MOST_BYTES`."""

    status: int
    body: bytes
    ms: int


async def get(url: str, target: Target) -> Reply:
    """Ask a server that *target* points to.

    Parameters
    ----------
    url
        On the same host as the target's address, which was checked against the allow-list.
    target
        Whose key is sent.

    Raises
    ------
    NoReply
        No connection, or no whole answer within :data:`SECONDS`.
    """
    started = time.perf_counter()
    try:
        async with (
            asyncio.timeout(SECONDS),
            http_client(target) as client,
            client.stream("GET", url, headers=_headers(target)) as response,
        ):
            body = await _read(response)
            return Reply(response.status_code, body, round((time.perf_counter() - started) * 1000))
    except TimeoutError:
        raise NoReply("timeout") from None
    except httpx2.HTTPError:
        raise NoReply("connect") from None


async def _read(response: httpx2.Response) -> bytes:
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) >= MOST_BYTES:
            break
    return bytes(body[:MOST_BYTES])


def _headers(target: Target) -> dict[str, str]:
    if not target.api_key:
        return {}
    if target.provider is Provider.ANTHROPIC:
        return {"x-api-key": target.api_key, "anthropic-version": "2023-06-01"}
    return {"Authorization": f"Bearer {target.api_key}"}
