"""A wire that follows a script, and a site that remembers: what the gateway's own tests put on its two sides."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from inference.breaker import Breaker, BreakerPolicy, Verdict
from inference.budgets import Spent
from inference.errors import StreamError
from inference.gateway import Passage, Standing
from inference.types import (
    Deadlines,
    Delta,
    Done,
    FinishReason,
    GenerationRequest,
    Message,
    Provider,
    Role,
    Sampling,
    StreamEvent,
    Target,
)

GOOD = (Delta("Kaixo"), Delta(" mundua"), Done(FinishReason.STOP, 5, 2))
Step = StreamEvent | StreamError | asyncio.Event


def request_to(
    endpoint_id: UUID | None = None,
    *,
    user: str = "ane",
    room: int = 2,
    deadlines: Deadlines | None = None,
    max_tokens: int = 64,
    base_url: str = "http://127.0.0.1:9/v1",
) -> GenerationRequest:
    return GenerationRequest(
        target=Target(
            endpoint_id=endpoint_id or uuid4(),
            base_url=base_url,
            model="eredua",
            provider=Provider.VLLM,
            deadlines=deadlines or Deadlines(),
            max_in_flight=room,
        ),
        messages=(Message(Role.USER, "Kaixo, zer moduz zaude?"),),
        sampling=Sampling(temperature=0.9, top_p=0.95, max_tokens=max_tokens, seed=1),
        request_id=f"eskaera-{uuid4()}",
        user=user,
    )


@dataclass
class Wire:
    """Each request plays the next script, the last one for ever. An event in a script is waited for, an error raised."""

    scripts: Sequence[Sequence[Step]] = (GOOD,)
    asked: list[GenerationRequest] = field(default_factory=list)
    most: int = 0
    _at_work: set[object] = field(default_factory=set)
    begun: asyncio.Event = field(default_factory=asyncio.Event)

    async def stream(self, request: GenerationRequest) -> AsyncGenerator[StreamEvent, None]:
        script = self.scripts[min(len(self.asked), len(self.scripts) - 1)]
        self.asked.append(request)
        mine = object()
        self._at_work.add(mine)
        self.most = max(self.most, self.live)
        self.begun.set()
        try:
            for step in script:
                if isinstance(step, asyncio.Event):
                    await step.wait()
                elif isinstance(step, StreamError):
                    raise step
                else:
                    if isinstance(step, Done):
                        self._at_work.discard(mine)  # a server has finished when it says so
                    yield step
        finally:
            self._at_work.discard(mine)

    @property
    def live(self) -> int:
        """How many requests are being answered."""
        return len(self._at_work)


@dataclass
class Memory:
    """A site's traffic in memory, shared by the gateways that are given it."""

    endpoints: dict[UUID, Standing] = field(default_factory=dict)
    passages: list[Passage] = field(default_factory=list)
    policy: BreakerPolicy = field(default_factory=lambda: BreakerPolicy(2, pause=timedelta(hours=1)))
    questions: list[set[UUID]] = field(default_factory=list)
    writes: int = 0
    claims: int = 0

    def make_due(self, endpoint_id: UUID) -> None:
        """An open circuit's pause is over."""
        standing = self.endpoints[endpoint_id]
        breaker = replace(standing.breaker, retry_at=datetime.now(UTC))
        self.endpoints[endpoint_id] = replace(standing, breaker=breaker)

    async def standings(self, endpoint_ids: Collection[UUID]) -> Mapping[UUID, Standing]:
        self.questions.append(set(endpoint_ids))
        await asyncio.sleep(0)
        return dict(self.endpoints)

    async def claim_trial(self, endpoint_id: UUID, breaker: Breaker, until: datetime) -> bool:
        self.claims += 1
        await asyncio.sleep(0)
        standing = self.endpoints[endpoint_id]
        if standing.breaker != breaker:
            return False
        now = datetime.now(UTC)
        self.endpoints[endpoint_id] = replace(standing, breaker=breaker.claimed(now, until - now))
        return True

    async def record(self, passages: Sequence[Passage]) -> Mapping[UUID, Breaker]:
        self.writes += 1
        await asyncio.sleep(0)
        moved: dict[UUID, Breaker] = {}
        for each in passages:
            self.passages.append(each)
            standing = self.endpoints.get(each.endpoint_id, Standing())
            spent: Spent = standing.spent.plus(each.use, each.prices)
            breaker = standing.breaker
            if each.verdict is not Verdict.NOTHING or each.trial:
                now = datetime.now(UTC)
                breaker = breaker.after(each.verdict, trial=each.trial, now=now, policy=self.policy)
                moved[each.endpoint_id] = breaker
            self.endpoints[each.endpoint_id] = replace(standing, spent=spent, breaker=breaker)
        return moved
