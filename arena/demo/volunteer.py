"""A volunteer without a browser: the site's own HTTP and WebSocket, nothing else."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import uuid4

import aiohttp

from arena.protocol import SUBPROTOCOL


class Volunteer:
    """Plays one battle at *address*, reading for a while before the vote, as people do; every wait ends after a minute."""

    def __init__(self, address: str, *, reads_s: float, within_s: float = 60) -> None:
        self._address = address
        self._reads_s = reads_s
        self._within_s = within_s

    async def play(self, *messages: str) -> dict[str, Any]:
        """Consent, send the messages one after the other, vote, and return the battle's id and the reveal's HTML."""
        jar = aiohttp.CookieJar(unsafe=True)  # cookies of a plain loopback address
        async with (
            aiohttp.ClientSession(self._address, cookie_jar=jar) as session,
            asyncio.timeout(self._within_s),
        ):
            await _ok(session.get("/"))
            await _ok(session.post("/consent/", data={"adult": "on"}, headers=self._headers(session)))
            battle = await self._chat(session, messages)
            await asyncio.sleep(self._reads_s)
            reveal = await _ok(
                session.post(
                    f"/battle/{battle}/vote/",
                    data={"content": "a_better", "language": "tie"},
                    headers=self._headers(session) | {"X-Requested-With": "fetch"},
                )
            )
        return {"battle": battle, "reveal": reveal}

    async def _chat(self, session: aiohttp.ClientSession, messages: tuple[str, ...]) -> str:
        async with session.ws_connect(
            "/ws/battle/", protocols=[SUBPROTOCOL], headers={"Origin": self._address}
        ) as socket:
            for message in messages:
                await socket.send_json({"type": "turn", "text": message, "key": str(uuid4())})
                battle = await self._until_ready(socket)
        return battle

    async def _until_ready(self, socket: aiohttp.ClientWebSocketResponse) -> str:
        async for frame in socket:
            found = json.loads(frame.data)
            if found["type"] in {"refused", "failed"}:
                raise RuntimeError(f"the site answered {found}")
            if found["type"] == "state" and found["status"] == "ready":
                return str(found["battle"])
        raise RuntimeError("the socket closed before both answers were complete")

    def _headers(self, session: aiohttp.ClientSession) -> dict[str, str]:
        cookies = {cookie.key: cookie.value for cookie in session.cookie_jar}
        return {"X-CSRFToken": cookies["csrftoken"], "Accept": "application/json", "Referer": self._address}


async def _ok(request: Any) -> str:
    async with request as answer:
        answer.raise_for_status()
        return str(await answer.text())
