"""Reads for the page that shows how all endpoints do."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.utils import timezone

from inference.models import EndpointUsage, ModelEndpoint
from inference.selectors import EndpointTraffic, recent_traffic
from inference.types import CircuitState


@dataclass(frozen=True, slots=True)
class Overview:
    """One endpoint: as it is, what went through it in the last quarter of an hour, and what it used today, in UTC."""

    endpoint: ModelEndpoint
    circuit: CircuitState
    traffic: EndpointTraffic | None
    requests_today: int = 0
    tokens_today: int = 0
    cost_today: Decimal = Decimal(0)

    @property
    def errors(self) -> dict[str, float]:
        return self.traffic.errors if self.traffic else {}


def overview() -> list[Overview]:
    """Every endpoint, by status and code. Three queries."""
    traffic = recent_traffic()
    used = {row.endpoint_id: row for row in EndpointUsage.objects.filter(day=timezone.now().date())}
    rows = ModelEndpoint.objects.select_related("candidate", "circuit").order_by("status", "candidate__code")
    return [_overview(endpoint, traffic.get(endpoint.pk), used.get(endpoint.pk)) for endpoint in rows]


def _overview(
    endpoint: ModelEndpoint, traffic: EndpointTraffic | None, used: EndpointUsage | None
) -> Overview:
    circuit = CircuitState(endpoint.circuit.state) if hasattr(endpoint, "circuit") else CircuitState.CLOSED
    if used is None:
        return Overview(endpoint, circuit, traffic)
    tokens = used.prompt_tokens + used.completion_tokens
    return Overview(endpoint, circuit, traffic, used.requests, tokens, used.cost)
