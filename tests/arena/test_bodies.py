"""A body beyond the limit is refused while it arrives, by a real process too."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from django.conf import settings
from django.utils.html import escape
from django.utils.translation import gettext, override

from arena import bodies
from arena.bodies import MOST_BYTES, Bounded
from tests.arena.attacked import attacked
from tests.arena.test_processes import valkey
from tests.valkey import Valkey

__all__ = ["valkey"]
LANGUAGES = [code for code, _ in settings.LANGUAGES]
PIECE = b"x" * 100_000


async def asked(*pieces: bytes, language: str = "eu") -> tuple[list[Any], list[Any]]:
    """What an application was given, and what went out."""
    given: list[Any] = []
    sent: list[Any] = []
    left = list(pieces)

    async def application(_scope: Any, receive: Any, send: Any) -> None:
        given.append(await receive())
        while given[-1].get("more_body"):
            given.append(await receive())
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive() -> Any:
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    async def send(event: Any) -> None:
        sent.append(event)

    headers = [(b"accept-language", language.encode())]
    scope: Any = {"type": "http", "method": "POST", "path": "/consent/", "headers": headers}
    await Bounded(application)(scope, receive, send)
    return given, sent


async def test_a_body_within_the_limit_passes_as_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "MOST_BYTES", 2 * len(PIECE))
    given, sent = await asked(PIECE, PIECE)
    assert [event["body"] for event in given] == [PIECE, PIECE]
    assert [event["status"] for event in sent] == [200]


async def test_one_that_grows_too_large_ends_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "MOST_BYTES", 2 * len(PIECE))
    given, sent = await asked(*[PIECE] * 9)
    assert [event["type"] for event in given] == ["http.request", "http.request", "http.disconnect"]
    assert (sent[0]["status"], len(sent)) == (413, 2)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_it_is_refused_in_the_visitors_language(language: str) -> None:
    _, (_, body) = await asked(b"x" * (MOST_BYTES + 1), language=language)
    with override(language):
        assert escape(gettext("This is too much at once")) in body["body"].decode()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_announced", [True, False])
def test_a_process_ends_the_connection_and_serves_on(
    repository: Path, valkey: Valkey, is_announced: bool
) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield PIECE

    async def sent_to(address: str) -> int:
        headers = {"Content-Length": str(10**9)} if is_announced else {}
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as http:
            try:
                async with http.post(f"{address}/consent/", data=endless(), headers=headers) as answer:
                    assert answer.status == 413
            except aiohttp.ClientError:
                pass  # the door was closed while it still sent
            async with http.get(f"{address}/healthz") as answer:
                return answer.status

    with attacked(repository, valkey) as site:
        assert asyncio.run(sent_to(site.address)) == 200
