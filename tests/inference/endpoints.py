"""Endpoints in the database, and requests that went through them."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from inference.breaker import Verdict
from inference.budgets import Prices, Use
from inference.gateway import Passage
from inference.models import Candidate, ModelEndpoint

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
