"""Looking at one endpoint: its server's health path, its list of models, one token of Basque, its own metrics."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import aclosing
from dataclasses import dataclass, replace
from uuid import uuid4

from inference import providers
from inference.errors import StreamError
from inference.health import http, load
from inference.health.types import Load, Sight, Step, StepName
from inference.providers.rules import RULES
from inference.types import Deadlines, GenerationRequest, Message, Role, Sampling, Target

DEADLINES = Deadlines(connect_s=3, first_token_s=20, between_tokens_s=10, total_s=25)
_MOST_MODELS = 200
_ORDER = list(StepName)


@dataclass(frozen=True, slots=True)
class Served:
    """A model that a server lists, with its context in tokens where it tells it."""

    name: str
    context_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class ServerSight:
    """A server seen without asking any model for anything."""

    steps: tuple[Step, ...] = ()
    served: tuple[Served, ...] = ()
    load: Load | None = None


async def look(target: Target) -> Sight:
    """Take every step that the provider knows. Never raises: a failure is a finding.

    Parameters
    ----------
    target
        With its address checked and its key decrypted. Its own deadlines are not used: a probe ends within 25 s.

    Notes
    -----
    Nothing here moves the endpoint's circuit, its budgets or its queue, which belong to volunteers.
    """
    server, (completion, first_token_ms) = await asyncio.gather(look_at_server(target), _complete(target))
    steps = sorted((*server.steps, completion), key=lambda step: _ORDER.index(step.name))
    return Sight(steps=tuple(steps), first_token_ms=first_token_ms, error=completion.said, load=server.load)


async def look_at_server(target: Target) -> ServerSight:
    """Everything but the completion; *target* needs no model yet."""
    rule = RULES[target.provider]
    health, (models, served), (metrics, found) = await asyncio.gather(
        _health(target, rule.health_path),
        _models(target, rule.models_path),
        _metrics(target, rule.metrics_path),
    )
    steps = tuple(step for step in (health, models, metrics) if step is not None)
    return ServerSight(steps, served, found)


def _root(target: Target) -> str:
    return target.base_url.removesuffix("/v1")


async def _health(target: Target, path: str | None) -> Step | None:
    if path is None:
        return None
    step, _ = await _fetch(StepName.HEALTH, _root(target) + path, target)
    return step


async def _models(target: Target, path: str | None) -> tuple[Step | None, tuple[Served, ...]]:
    if path is None:
        return None, ()
    step, body = await _fetch(StepName.MODELS, f"{target.base_url}/{path}", target)
    if not step.ok:
        return step, ()
    served = read_models(body)
    if served is None:
        return replace(step, ok=False, said="malformed"), ()
    listed = any(_same(each.name, target.model) for each in served)
    return replace(step, facts={"count": len(served), "listed": listed}), served


async def _metrics(target: Target, path: str | None) -> tuple[Step | None, Load | None]:
    if path is None:
        return None, None
    step, body = await _fetch(StepName.METRICS, _root(target) + path, target)
    found = load.read_load(body.decode(errors="replace")) if step.ok else None
    if step.ok and found is None:
        return replace(step, ok=False, said="malformed"), None
    return replace(step, facts=found.as_json() if found else None), found


async def _fetch(name: StepName, url: str, target: Target) -> tuple[Step, bytes]:
    started = time.perf_counter()
    try:
        reply = await http.get(url, target)
    except http.NoReply as error:
        return Step(name, ok=False, ms=_since(started), said=str(error)), b""
    if reply.status != 200:
        return Step(name, ok=False, ms=reply.ms, said="status", facts={"status": reply.status}), b""
    return Step(name, ok=True, ms=reply.ms), reply.body


def read_models(body: bytes) -> tuple[Served, ...] | None:
    """The models of a ``/models`` answer, 200 at most; ``None`` where it is not one."""
    try:
        found = json.loads(body)
    except ValueError:
        return None
    rows = found.get("data") if isinstance(found, dict) else None
    if not isinstance(rows, list):
        return None
    served = [_served(row) for row in rows if isinstance(row, dict) and isinstance(row.get("id"), str)]
    return tuple(served[:_MOST_MODELS])


def _served(row: dict[str, object]) -> Served:
    context = row.get("max_model_len")
    return Served(str(row["id"])[:400], context if isinstance(context, int) and context > 0 else None)


def _same(listed: str, model: str) -> bool:
    """Gemini lists ``models/NAME`` and is asked for ``NAME``."""
    return listed.removeprefix("models/") == model.removeprefix("models/")


async def _complete(target: Target) -> tuple[Step, int | None]:
    """One token of Basque, and how long it took; hidden reasoning is a token too."""
    request = GenerationRequest(
        target=replace(target, deadlines=DEADLINES),
        messages=(Message(Role.USER, "Kaixo!"),),
        sampling=Sampling(temperature=0.9, top_p=0.95, max_tokens=4, seed=1),
        request_id=f"probe-{uuid4()}",
    )
    started = time.perf_counter()
    try:
        async with aclosing(providers.stream(request)) as events:
            await anext(events)
    except StreamError as error:
        return Step(StepName.COMPLETION, ok=False, ms=_since(started), said=error.code.value), None
    ms = _since(started)
    return Step(StepName.COMPLETION, ok=True, ms=ms), ms


def _since(started: float) -> int:
    return round((time.perf_counter() - started) * 1000)
