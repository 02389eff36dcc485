"""A model server that answers what it is asked, as well or as badly as a test wants."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

BASQUE = "Gaur eguraldi ederra dago eta mendira joan nahi dugu lagunekin, baina ez dakigu zein bide hartu."
SPANISH = (
    "Hoy hace muy buen tiempo y queremos ir al monte con los amigos, pero no sabemos qu\u00e9 camino tomar."
)


@dataclass
class BasqueServer:
    """An OpenAI-compatible server that remembers names, obeys system prompts, and counts four characters as a token.

    Parameters
    ----------
    api_key
        Asked for where it is set.
    context_tokens
        Longer chats are refused; ``max_model_len`` of the list.
    cuts
        Longer chats are cut instead, in silence.
    text, name
        What it says to anything, and when asked who it is.
    tail
        Glued to every answer, as a leaking stop token is.
    roles
        Roles that its template takes.
    forgets
        Only the last message is read.
    echoes
        Every answer, and the list of models, hold the headers of the request.
    """

    api_key: str = ""
    models: tuple[str, ...] = ("latxa-txiki", "bestea")
    context_tokens: int = 4096
    cuts: bool = False
    text: str = BASQUE
    name: str = "Laguntzaile bat naiz, euskaraz hitz egiten duena."
    tail: str = ""
    roles: tuple[str, ...] = ("system", "user", "assistant")
    forgets: bool = False
    echoes: bool = False
    base_url: str = ""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    _runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen; a server that was stopped comes back at its port."""
        port = int(self.base_url.rpartition(":")[2].partition("/")[0] or 0)
        app = web.Application(client_max_size=1 << 24)
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_get("/v1/models", self._list)
        app.router.add_get("/health", self._health)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port, reuse_address=True).start()
        self.base_url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"

    async def stop(self) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    def _is_stranger(self, request: web.Request) -> bool:
        return bool(self.api_key) and request.headers.get("Authorization") != f"Bearer {self.api_key}"

    def _echo(self, request: web.Request) -> str:
        return f" {request.headers.get('Authorization', '')}" if self.echoes else ""

    async def _health(self, request: web.Request) -> web.Response:
        return web.Response()

    async def _list(self, request: web.Request) -> web.Response:
        if self._is_stranger(request):
            return web.json_response({"error": {"message": "no"}}, status=401)
        names = [*self.models, *([self._echo(request).strip()] if self.echoes else [])]
        rows = [{"id": name, "object": "model", "max_model_len": self.context_tokens} for name in names]
        return web.json_response({"object": "list", "data": rows})

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.bodies.append(body)
        status, text = self._answer(request, body)
        if status != 200:
            return web.json_response({"error": {"message": text + self._echo(request)}}, status=status)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        counted = _tokens(body["messages"])
        usage = {
            "prompt_tokens": min(counted, self.context_tokens // 2) if self.cuts else counted,
            "completion_tokens": 9,
        }
        for chunk in (
            {"choices": [{"delta": {"content": text + self.tail + self._echo(request)}}]},
            {"choices": [{"delta": {}, "finish_reason": "stop"}]},
            {"choices": [], "usage": usage},
        ):
            await response.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")
        await response.write(b"data: [DONE]\n\n")
        return response

    def _answer(self, request: web.Request, body: dict[str, Any]) -> tuple[int, str]:
        messages = body["messages"]
        if self._is_stranger(request):
            return 401, "no"
        if body["model"] not in self.models:
            return 404, "no such model"
        if any(each["role"] not in self.roles for each in messages):
            return 400, "role"
        if _tokens(messages) > self.context_tokens and not self.cuts:
            return 400, "too long"
        return 200, self._say(messages[-1:] if self.forgets else messages)

    def _say(self, messages: list[dict[str, str]]) -> str:
        asked = messages[-1]["content"]
        before = " ".join(each["content"] for each in messages)
        end = " ZALDIBELTZ" if "ZALDIBELTZ" in before else ""
        if "Nola dut izena?" in asked:
            return "Eneritz" if "Eneritz" in before else "Ez dakit"
        if any(each in asked for each in ("Nor zara", "Qui\u00e9n eres", "Who are you")):
            return self.name
        if "Gogoratu hitz hau" in asked and not self.cuts:
            return "olatutxo"
        return self.text + end


def _tokens(messages: list[dict[str, str]]) -> int:
    return sum(len(each["content"]) for each in messages) // 4
