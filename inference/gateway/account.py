"""What one request has come to so far: its times, its tokens, its end."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from inference.breaker import Verdict
from inference.budgets import Use, settled
from inference.errors import StreamErrorCode
from inference.gateway.ports import Passage, Standing
from inference.queue import Ticket
from inference.types import Delta, Done, GenerationRequest, Reasoning

DONE, CANCELLED = "done", "cancelled"


class Account:
    """Kept by the gateway while it serves a request; becomes a :class:`Passage` at the end."""

    __slots__ = (
        *("asked_at", "attempts", "characters", "done", "events", "first_at", "last_at", "outcome"),
        *("came_at", "in_flight", "queued", "request", "settled", "standing", "ticket", "trial"),
    )

    def __init__(self, request: GenerationRequest) -> None:
        self.request = request
        self.standing = Standing()
        self.ticket: Ticket | None = None
        self.trial = self.queued = self.in_flight = self.settled = False
        self.outcome = CANCELLED  # unless it is heard otherwise
        self.done: Done | None = None
        self.attempts = self.events = self.characters = 0
        self.came_at = time.perf_counter()
        self.asked_at: float | None = None
        self.first_at = self.last_at = 0.0

    def asks(self) -> None:
        self.attempts += 1
        if self.asked_at is None:
            self.asked_at = time.perf_counter()

    def received(self, event: Delta | Reasoning) -> None:
        """Count one event. On the path of each token."""
        self.last_at = time.perf_counter()
        if not self.events:
            self.first_at = self.last_at
        self.events += 1
        self.characters += len(event.text)

    @property
    def queued_s(self) -> float:
        return (self.asked_at or time.perf_counter()) - self.came_at if self.queued else 0.0

    @property
    def asked_s(self) -> float:
        """Since the server was asked first."""
        return time.perf_counter() - self.asked_at if self.asked_at is not None else 0.0

    @property
    def first_token_s(self) -> float | None:
        return self.first_at - self.asked_at if self.events and self.asked_at is not None else None

    @property
    def between_tokens_s(self) -> float | None:
        """The mean pause between tokens by the server's own count; by events, where it told none."""
        tokens = (self.done.completion_tokens if self.done else None) or self.events
        return (self.last_at - self.first_at) / (tokens - 1) if self.events > 1 and tokens > 1 else None

    @property
    def use(self) -> Use:
        """Nothing where the server sent nothing: what it had read by then, nobody can tell."""
        if not self.events and self.done is None:
            return Use()
        return settled(
            prompt_tokens=self.done.prompt_tokens if self.done else None,
            completion_tokens=self.done.completion_tokens if self.done else None,
            prompt_characters=sum(len(message.content) for message in self.request.messages),
            characters=self.characters,
        )

    def passage(self, verdict: Verdict) -> Passage:
        now = time.perf_counter()
        first_token_s = self.first_token_s
        return Passage(
            endpoint_id=self.request.target.endpoint_id,
            request_id=self.request.request_id,
            user=self.request.user,
            ended_at=datetime.now(UTC),
            outcome=self.outcome,
            attempts=self.attempts,
            queued_ms=round(self.queued_s * 1000),
            first_token_ms=None if first_token_s is None else round(first_token_s * 1000),
            duration_ms=round((now - (self.asked_at or now)) * 1000),
            use=self.use,
            prices=self.standing.prices,
            prompt_tokens=self.done.prompt_tokens if self.done else None,
            completion_tokens=self.done.completion_tokens if self.done else None,
            verdict=verdict,
            trial=self.trial,
        )

    @property
    def error_code(self) -> StreamErrorCode | None:
        return None if self.outcome in {DONE, CANCELLED} else StreamErrorCode(self.outcome)
