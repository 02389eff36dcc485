"""A volunteer's browser: real HTTP and WebSockets to whichever web process a proxy would choose, tried again where one breaks."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

import aiohttp

from tests.faults.ledger import Ledger
from tests.faults.wording import fault_of

LANGUAGES = ("eu", "es", "fr", "en")
BROKEN = (aiohttp.ClientError, ConnectionError, TimeoutError, asyncio.IncompleteReadError)
_CSRF = "c" * 32  # a browser that was here before: the secret is its own


def pause_s(chance: random.Random, tried: int) -> float:
    """As the page's socket pauses between its tries."""
    return chance.uniform(0.5, 1) * min(4.0, 0.25 * float(2**tried))


class GaveUp(Exception):
    """Nobody answered for as long as anybody would wait."""


@dataclass
class Browser:
    http: aiohttp.ClientSession
    addresses: dict[str, str]
    ledger: Ledger
    chance: random.Random
    language: str
    scripts: bool
    """Whether it asks as the page's own scripts do; without them it sends plain forms, and a vote is answered with a redirect."""
    patience_s: float = 120
    cookies: dict[str, str] = field(default_factory=lambda: {"csrftoken": _CSRF})
    web: str = ""
    """Which process answered last."""

    def headers(self, web: str) -> dict[str, str]:
        cookies = self.cookies | {"django_language": self.language}
        return {
            "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
            "X-CSRFToken": self.cookies["csrftoken"],
            "Origin": self.addresses[web],
            **({"X-Requested-With": "fetch"} if self.scripts else {}),
        }

    def some_web(self) -> str:
        return self.chance.choice(list(self.addresses))

    async def ask(self, method: str, path: str, data: dict[str, str] | None = None) -> tuple[int, str]:
        """Ask until somebody answers with less than 500. Raises :class:`GaveUp`."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self.patience_s
        for tried in count():
            web = self.some_web()
            status, body = await self._once(web, method, path, data)
            self.ledger.answers[f"{method} {status or body}"] += 1
            if status >= 400 and (fault := fault_of(body, self.language)):
                self.ledger.wrong.append(f"{method} {path} {status}: {fault}")
            if 0 < status < 500:
                self.web = web
                return status, body
            if loop.time() > until:
                raise GaveUp(f"{method} {path}: {status} {body[:80]}")
            await asyncio.sleep(pause_s(self.chance, tried))
        raise AssertionError

    async def _once(self, web: str, method: str, path: str, data: dict[str, str] | None) -> tuple[int, str]:
        """Status and body; 0 and the error's name where the connection broke."""
        try:
            async with self.http.request(
                method,
                self.addresses[web] + path,
                data=data,
                headers=self.headers(web),
                allow_redirects=False,
            ) as answer:
                body = await answer.text()
                self.cookies |= {name: each.value for name, each in answer.cookies.items()}
                return answer.status, body
        except BROKEN as error:
            return 0, type(error).__name__

    async def vote(self, battle: str, content: str, language: str, acknowledged: Callable[[], None]) -> None:
        """Send the same vote until it is acknowledged."""
        status, body = await self.ask(
            "POST", f"/battle/{battle}/vote/", {"content": content, "language": language}
        )
        if status == (200 if self.scripts else 302):
            acknowledged()
            self.ledger.succeed("vote", self.web)
        else:
            self.ledger.wrong.append(f"vote on {battle} refused: {status} {body[:200]}")


def judged(chance: random.Random) -> tuple[str, str]:
    """Content and language, never in contradiction, which would ask for a third word."""
    content = chance.choice(["a_better", "b_better", "tie", "both_bad"])
    return content, chance.choice([content, "tie"])
