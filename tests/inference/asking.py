"""Requests to scripted servers."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import connection

from inference import providers
from inference.fakes import FakeModelServer
from inference.types import (
    Deadlines,
    Delta,
    Done,
    GenerationRequest,
    Message,
    Provider,
    Reasoning,
    Role,
    Sampling,
    Target,
)

KEY = "sk-landatutako-gakoa-4f1d"
SHORT = Deadlines(connect_s=2, first_token_s=0.5, between_tokens_s=0.2, total_s=0.8)
SAMPLING = Sampling(temperature=0.9, top_p=0.95, max_tokens=64, seed=11, stop=("<|eot_id|>",))
CHAT = (Message(Role.SYSTEM, "Euskaraz."), Message(Role.USER, "Kaixo"))


def ask(where: FakeModelServer | str, provider: Provider = Provider.VLLM, **fields: Any) -> GenerationRequest:
    """A request to a server or an address; *fields* are the target's."""
    target = Target(
        endpoint_id=UUID(int=1),
        base_url=where if isinstance(where, str) else where.base_url,
        model="eredua",
        provider=provider,
        api_key=KEY,
    )
    return GenerationRequest(replace(target, **fields), CHAT, SAMPLING, "eskaera-1", "erabiltzailea")


async def collect(request: GenerationRequest) -> list[Reasoning | Delta | Done]:
    return [event async for event in providers.stream(request)]


def said(events: list[Reasoning | Delta | Done]) -> str:
    return "".join(event.text for event in events if isinstance(event, Delta))


def thought(events: list[Reasoning | Delta | Done]) -> str:
    return "".join(event.text for event in events if isinstance(event, Reasoning))


def held() -> tuple[int, int]:
    """How many tasks there are, and how many sockets this process has open where the system tells, beside those that its database pool keeps."""
    folder = Path("/proc/self/fd")
    links = (
        [str(each.readlink()) for each in folder.iterdir() if each.is_symlink()] if folder.is_dir() else []
    )
    return len(asyncio.all_tasks()), sum(link.startswith("socket:") for link in links) - pooled()


def pooled() -> int:
    """How many connections to the database are open, in use or not."""
    pools = connection._connection_pools  # type: ignore[attr-defined]  # a pool is made where it is asked for
    pool = pools.get(connection.alias)
    return int(pool.get_stats()["pool_size"]) if pool is not None else 0


async def released(before: tuple[int, int]) -> None:
    """Wait until no more tasks and sockets are there than *before*; the system tells no event when a socket has gone."""
    async with asyncio.timeout(10):
        while held() != before:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
