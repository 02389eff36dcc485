"""Endpoints in the database, and requests that went through them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from django.utils import timezone

from inference import selectors
from inference.breaker import Breaker, Verdict
from inference.budgets import Prices, Use
from inference.gateway import Passage
from inference.models import Candidate, Circuit, ModelEndpoint
from inference.services import traffic
from inference.services.traffic import POLICY
from inference.types import CircuitState

_numbers = count(1)


def make_endpoint(candidate: Candidate | None = None, **fields: Any) -> ModelEndpoint:
    number = next(_numbers)
    if candidate is None:
        candidate = Candidate.objects.create(code=f"eredua-{number}", name=f"Eredua {number}")
    defaults = {"base_url": f"http://127.0.0.1:{9000 + number}/v1", "model": "eredua"}
    return ModelEndpoint.objects.create(candidate=candidate, **(defaults | fields))


def passage(endpoint_id: UUID, **fields: Any) -> Passage:
    """A request that went well, but for *fields*."""
    defaults: dict[str, Any] = {
        "endpoint_id": endpoint_id,
        "request_id": f"eskaera-{uuid4()}",
        "user": "ane",
        "ended_at": datetime.now(UTC),
        "outcome": "done",
        "attempts": 1,
        "queued_ms": 0,
        "first_token_ms": 100,
        "duration_ms": 1100,
        "use": Use(5, 20),
        "prices": Prices(),
        "prompt_tokens": 5,
        "completion_tokens": 20,
        "verdict": Verdict.NOTHING,
        "trial": False,
    }
    return Passage(**(defaults | fields))


def breaker_now(endpoint: ModelEndpoint) -> Breaker:
    return selectors.standings_of([endpoint.pk])[endpoint.pk].breaker


def fail(endpoint: ModelEndpoint, *, times: int = 1, verdict: Verdict = Verdict.FAILED) -> None:
    for _ in range(times):
        traffic.record([passage(endpoint.pk, outcome="server", verdict=verdict)])


def open_circuit(endpoint: ModelEndpoint, *, due: bool) -> None:
    now = timezone.now()
    Circuit.objects.create(
        endpoint=endpoint,
        state=CircuitState.OPEN.value,
        failures=POLICY.threshold,
        opened_at=now,
        retry_at=now - timedelta(seconds=1) if due else now + timedelta(hours=1),
    )
