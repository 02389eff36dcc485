"""What the gateway asks of the site: what it knows of an endpoint, and a place to write down what went through."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from inference.breaker import Breaker, Verdict
from inference.budgets import Budget, Prices, Spent, Use


@dataclass(frozen=True, slots=True)
class Standing:
    """An endpoint's circuit and its day, as they were a moment ago."""

    breaker: Breaker = field(default_factory=Breaker)
    budget: Budget = field(default_factory=Budget)
    prices: Prices = field(default_factory=Prices)
    spent: Spent = field(default_factory=Spent)


@dataclass(frozen=True, slots=True)
class Passage:
    """One request, at its end. It holds no text.

    Parameters
    ----------
    outcome
        ``done``, ``cancelled``, or the error's code.
    attempts
        How often the server was asked; 0 where the gateway refused or the reader left the queue.
    first_token_ms, duration_ms
        From the slot on, so without the queue; retries count.
    use
        The server's counts, or an estimate of what was received.
    prompt_tokens, completion_tokens
        The server's counts alone, ``None`` where it told none.
    verdict
        What the circuit must learn, ``NOTHING`` where it need not be touched.
    trial
        Whether this was the one trial of an open circuit.
    """

    endpoint_id: UUID
    request_id: str
    user: str
    ended_at: datetime
    outcome: str
    attempts: int
    queued_ms: int
    first_token_ms: int | None
    duration_ms: int
    use: Use
    prices: Prices
    prompt_tokens: int | None
    completion_tokens: int | None
    verdict: Verdict
    trial: bool


class Traffic(Protocol):
    """Where standings come from and passages go. Failures stay inside: no answer depends on them."""

    async def standings(self, endpoint_ids: Collection[UUID]) -> Mapping[UUID, Standing]:
        """What is known of these; one that is missing has no limits."""

    async def claim_trial(self, endpoint_id: UUID, breaker: Breaker, until: datetime) -> bool:
        """Make the caller's request the one trial of all processes, if the circuit still is as *breaker* says."""

    async def record(self, passages: Sequence[Passage]) -> Mapping[UUID, Breaker]:
        """Write these down; returns the circuits that were touched. What could not be written is lost."""


class NoTraffic:
    """Knows nothing and writes nothing: the gateway on its own."""

    async def standings(self, endpoint_ids: Collection[UUID]) -> Mapping[UUID, Standing]:
        return {}

    async def claim_trial(self, endpoint_id: UUID, breaker: Breaker, until: datetime) -> bool:
        return True

    async def record(self, passages: Sequence[Passage]) -> Mapping[UUID, Breaker]:
        return {}
