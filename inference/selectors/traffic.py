"""Reads of what went through the gateway: an endpoint's standing, a user's day, rolling latency and error rates."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import F, FilteredRelation, Q, QuerySet
from django.utils import timezone

from inference.breaker import Breaker
from inference.budgets import Budget, Prices, Spent
from inference.gateway import Standing
from inference.models import Circuit, ModelEndpoint, UserUsage
from inference.types import CircuitState

# How fast endpoints write is told by whole answers alone: the others stop where somebody stopped them.
_RECENT = """
WITH seen AS (
    SELECT * FROM inference_generation WHERE ended_at >= %(since)s AND attempts > 0
), outcomes AS (
    SELECT endpoint_id, jsonb_object_agg(outcome, n) AS by_outcome
    FROM (SELECT endpoint_id, outcome, count(*) AS n FROM seen GROUP BY endpoint_id, outcome) AS counted
    GROUP BY endpoint_id
)
SELECT endpoint_id, count(*), by_outcome,
    percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY first_token_ms),
    sum(completion_tokens) FILTER (WHERE outcome = 'done')::float * 1000
        / nullif(sum(duration_ms - first_token_ms) FILTER (WHERE outcome = 'done' AND completion_tokens > 0), 0),
    avg(queued_ms)::float
FROM seen JOIN outcomes USING (endpoint_id)
GROUP BY endpoint_id, by_outcome
"""
_CIRCUIT = ("circuit__state", "circuit__failures", "circuit__opened_at", "circuit__retry_at")
_NO_FAULTS = frozenset({"done", "cancelled"})


@dataclass(frozen=True, slots=True)
class EndpointTraffic:
    """One endpoint over a window. Figures are ``None`` where nothing tells them.

    Parameters
    ----------
    requests
        That the server was asked; what the gateway itself refused is not here.
    outcomes
        How many ended how: ``done``, ``cancelled``, or an error's code.
    first_token_ms_p50, first_token_ms_p95
        Of all that brought a token.
    tokens_per_s
        Of one answer while it is written, weighted by length, by the server's own counts.
    queued_ms
        Mean wait, of those that did not wait as well.
    """

    requests: int
    outcomes: Mapping[str, int]
    first_token_ms_p50: float | None
    first_token_ms_p95: float | None
    tokens_per_s: float | None
    queued_ms: float

    @property
    def errors(self) -> dict[str, float]:
        """The share of each error's code in all requests."""
        return {
            code: count / self.requests for code, count in self.outcomes.items() if code not in _NO_FAULTS
        }

    @property
    def error_share(self) -> float:
        """The share of requests that failed."""
        return sum(self.errors.values())


def recent_traffic(window: timedelta = timedelta(minutes=15)) -> dict[UUID, EndpointTraffic]:
    """Rolling figures of each endpoint that was asked within *window*, by its id. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_RECENT, {"since": timezone.now() - window})
        return {row[0]: _traffic(row[1:]) for row in cursor.fetchall()}


def _traffic(row: tuple[Any, ...]) -> EndpointTraffic:
    requests, outcomes, quantiles, tokens_per_s, queued_ms = row
    p50, p95 = quantiles or (None, None)
    return EndpointTraffic(requests, json.loads(outcomes), p50, p95, tokens_per_s, queued_ms)


def tokens_used_today(user: str) -> int:
    """Tokens that *user* was answered with today, in UTC; those being written are not in it yet."""
    row = UserUsage.objects.filter(user=user, day=timezone.now().date()).values_list("tokens", flat=True)
    return row.first() or 0


def standings_of(endpoint_ids: Collection[UUID]) -> dict[UUID, Standing]:
    """Circuit, budget and what was spent today, by endpoint. One query; endpoints that are gone are left out."""
    fields = ("pk", "tokens_per_day", "budget_per_day", "prompt_price", "completion_price")
    spent = ("today__prompt_tokens", "today__completion_tokens", "today__cost")
    rows = with_today(ModelEndpoint.objects.filter(pk__in=endpoint_ids)).order_by()
    return {row["pk"]: _standing(row) for row in rows.values(*fields, *_CIRCUIT, *spent)}


def _standing(row: dict[str, Any]) -> Standing:
    return Standing(
        breaker=_breaker(*(row[name] for name in _CIRCUIT)),
        budget=Budget(row["tokens_per_day"], row["budget_per_day"]),
        prices=Prices(row["prompt_price"], row["completion_price"]),
        spent=Spent(
            (row["today__prompt_tokens"] or 0) + (row["today__completion_tokens"] or 0),
            row["today__cost"] or Decimal(0),
        ),
    )


def breaker_of(circuit: Circuit) -> Breaker:
    return _breaker(circuit.state, circuit.failures, circuit.opened_at, circuit.retry_at)


def with_today(endpoints: QuerySet[ModelEndpoint]) -> QuerySet[ModelEndpoint]:
    """*endpoints* with the use of today, in UTC, as ``today``; absent where there was none."""
    today = FilteredRelation("usage", condition=Q(usage__day=timezone.now().date()))
    return endpoints.alias(today=today)


def open_for_requests(endpoints: QuerySet[ModelEndpoint]) -> QuerySet[ModelEndpoint]:
    """Those whose circuit is closed or due for a trial, and whose budget of today is not spent."""
    used = F("today__prompt_tokens") + F("today__completion_tokens")
    return with_today(endpoints).filter(
        Q(circuit__isnull=True)
        | Q(circuit__state=CircuitState.CLOSED.value)
        | Q(circuit__retry_at__lte=timezone.now()),
        Q(tokens_per_day__isnull=True)
        | Q(today__isnull=True, tokens_per_day__gt=0)
        | Q(tokens_per_day__gt=used),
        Q(budget_per_day__isnull=True)
        | Q(today__isnull=True, budget_per_day__gt=0)
        | Q(budget_per_day__gt=F("today__cost")),
    )


def _breaker(state: str | None, failures: int | None, opened_at: Any, retry_at: Any) -> Breaker:
    if state is None:
        return Breaker()
    return Breaker(CircuitState(state), failures or 0, opened_at, retry_at)
