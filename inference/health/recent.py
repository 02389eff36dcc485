"""Reads of what went through the gateway lately: rolling latency, errors by kind, speed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Aggregate, Count, F, FloatField, Q, Sum

from inference.errors import StreamErrorCode
from inference.health.types import Recent
from inference.models import Generation, ModelEndpoint

WINDOW = timedelta(minutes=15)
# ends that say nothing of the endpoint: the site would not ask it
_OURS = {
    StreamErrorCode.QUEUE_FULL.value,
    StreamErrorCode.CIRCUIT_OPEN.value,
    StreamErrorCode.BUDGET.value,
}
_FAILED = [code.value for code in StreamErrorCode if code.value not in _OURS]


class _Percentile(Aggregate):
    """PostgreSQL's ``percentile_cont``."""

    function = "percentile_cont"
    template = "%(function)s(%(share)s) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()


@dataclass(frozen=True, slots=True)
class EndpointTraffic:
    """One endpoint over the window.

    Parameters
    ----------
    requests, failures
        As in :class:`Recent`.
    errors
        How often each code ended a request, those of the site itself too.
    first_token_ms_p50, first_token_ms_p95
        In milliseconds; ``None`` without any.
    tokens_per_s
        Tokens of answers by the time from their first to their last; ``None`` where the server counts none.
    """

    requests: int = 0
    failures: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    first_token_ms_p50: int | None = None
    first_token_ms_p95: int | None = None
    tokens_per_s: float | None = None

    @property
    def recent(self) -> Recent:
        return Recent(self.requests, self.failures)

    @property
    def errors(self) -> dict[str, float]:
        return {code: count / self.requests for code, count in self.outcomes.items()}

    @property
    def error_share(self) -> float:
        return sum(self.errors.values())


def recent_traffic() -> dict[UUID, EndpointTraffic]:
    from django.utils import timezone

    return rolling(list(ModelEndpoint.objects.values_list("pk", flat=True)), now=timezone.now())


def rolling(
    endpoint_ids: Sequence[UUID], *, now: datetime, window: timedelta = WINDOW
) -> dict[UUID, EndpointTraffic]:
    """What each endpoint did in the window. Two queries; an endpoint without requests is left out."""
    rows = Generation.objects.filter(endpoint__in=endpoint_ids, ended_at__gt=now - window, ended_at__lte=now)
    errors: dict[UUID, dict[str, int]] = {}
    for endpoint_id, outcome, count in (
        rows.filter(outcome__in=[*_FAILED, *_OURS])
        .values_list("endpoint", "outcome")
        .annotate(count=Count("pk"))
        .order_by("outcome")
    ):
        errors.setdefault(endpoint_id, {})[outcome] = count
    timed = Q(completion_tokens__isnull=False, first_token_ms__isnull=False, outcome="done")
    figures = rows.values("endpoint").annotate(
        requests=Count("pk", filter=~Q(outcome__in=_OURS)),
        failures=Count("pk", filter=Q(outcome__in=_FAILED)),
        p50=_Percentile("first_token_ms", share=0.5),
        p95=_Percentile("first_token_ms", share=0.95),
        tokens=Sum("completion_tokens", filter=timed),
        writing_ms=Sum(F("duration_ms") - F("first_token_ms"), filter=timed),
    )
    return {
        row["endpoint"]: EndpointTraffic(
            requests=row["requests"],
            failures=row["failures"],
            outcomes=errors.get(row["endpoint"], {}),
            first_token_ms_p50=_rounded(row["p50"]),
            first_token_ms_p95=_rounded(row["p95"]),
            tokens_per_s=_speed(row["tokens"], row["writing_ms"]),
        )
        for row in figures.order_by()
    }


def _rounded(value: float | None) -> int | None:
    return None if value is None else round(value)


def _speed(tokens: int | None, writing_ms: int | None) -> float | None:
    return tokens * 1000 / writing_ms if tokens and writing_ms and writing_ms > 0 else None
