"""Writes down what goes through the gateway: requests, use, circuits. Also what plugs the gateway into the site."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from inference import gateway, metrics
from inference.breaker import Breaker, BreakerPolicy, Verdict
from inference.database import in_thread
from inference.gateway import Passage, Standing
from inference.models import Circuit, Generation, ModelEndpoint, UserUsage
from inference.selectors.traffic import breaker_of, standings_of
from inference.types import CircuitState

logger = logging.getLogger(__name__)

KEPT = timedelta(days=7)
POLICY = BreakerPolicy()

# One statement, so one round trip and all or nothing. Rows of endpoints that are gone meanwhile are left out. Rows come sorted, so that processes
# which write the same ones lock them in the same order.
_RECORD = """
WITH passages AS (
    SELECT passage.* FROM unnest(
        %(id)s::uuid[], %(endpoint_id)s::uuid[], %(request_id)s::text[], %(ended_at)s::timestamptz[], %(outcome)s::text[],
        %(attempts)s::smallint[], %(queued_ms)s::int[], %(first_token_ms)s::int[], %(duration_ms)s::int[],
        %(prompt_tokens)s::int[], %(completion_tokens)s::int[]
    ) AS passage (id, endpoint_id, request_id, ended_at, outcome, attempts, queued_ms, first_token_ms, duration_ms,
        prompt_tokens, completion_tokens)
    JOIN inference_modelendpoint AS endpoint ON endpoint.id = passage.endpoint_id
), generations AS (
    INSERT INTO inference_generation (id, endpoint_id, request_id, ended_at, outcome, attempts, queued_ms, first_token_ms,
        duration_ms, prompt_tokens, completion_tokens)
    SELECT * FROM passages
), endpoints AS (
    INSERT INTO inference_endpointusage AS stored (endpoint_id, day, requests, prompt_tokens, completion_tokens, cost)
    SELECT used.* FROM unnest(
        %(used_endpoint)s::uuid[], %(used_day)s::date[], %(used_requests)s::bigint[], %(used_prompt)s::bigint[],
        %(used_completion)s::bigint[], %(used_cost)s::numeric[]
    ) AS used (endpoint_id, day, requests, prompt_tokens, completion_tokens, cost)
    JOIN inference_modelendpoint AS endpoint ON endpoint.id = used.endpoint_id
    ORDER BY 1, 2
    ON CONFLICT (endpoint_id, day) DO UPDATE SET
        requests = stored.requests + excluded.requests,
        prompt_tokens = stored.prompt_tokens + excluded.prompt_tokens,
        completion_tokens = stored.completion_tokens + excluded.completion_tokens,
        cost = stored.cost + excluded.cost
)
INSERT INTO inference_userusage AS stored ("user", day, tokens)
SELECT * FROM unnest(%(user)s::text[], %(user_day)s::date[], %(user_tokens)s::bigint[]) AS used ("user", day, tokens)
ORDER BY 1, 2
ON CONFLICT ("user", day) DO UPDATE SET tokens = stored.tokens + excluded.tokens
"""


def plug_in() -> None:
    """Let the gateway work with this site's database and Valkey."""
    gateway.plug(DatabaseTraffic(), valkey_url=settings.REDIS_URL)


class DatabaseTraffic:
    """The gateway's :class:`~inference.gateway.Traffic` in the database. Failures are logged with ids, and forgotten."""

    async def standings(self, endpoint_ids: Collection[UUID]) -> Mapping[UUID, Standing]:
        try:
            return await in_thread(standings_of)(endpoint_ids)
        except DatabaseError:
            logger.exception("the standings of %d endpoints could not be read", len(endpoint_ids))
            return {}

    async def claim_trial(self, endpoint_id: UUID, breaker: Breaker, until: datetime) -> bool:
        try:
            return await in_thread(claim_trial)(endpoint_id, breaker, until)
        except DatabaseError:
            logger.exception("the trial of endpoint %s could not be claimed", endpoint_id)
            return False

    async def record(self, passages: Sequence[Passage]) -> Mapping[UUID, Breaker]:
        try:
            return await in_thread(record)(passages)
        except DatabaseError:
            logger.exception("%d requests could not be recorded", len(passages))
            return {}


def record(passages: Sequence[Passage]) -> dict[UUID, Breaker]:
    """Store requests and add up their use, in one round trip; then move the circuits that they tell of, if any.

    Returns these circuits. Locks a circuit's row while it moves it.
    """
    with connection.cursor() as cursor:
        cursor.execute(_RECORD, _rows(passages) | _usage(passages) | _users(passages))
    return _move_circuits(passages)


def claim_trial(endpoint_id: UUID, breaker: Breaker, until: datetime) -> bool:
    """Make one request the trial until *until*, if no other process has claimed it since *breaker* was read."""
    claimed = Circuit.objects.filter(
        endpoint_id=endpoint_id, state=breaker.state.value, retry_at=breaker.retry_at
    ).update(state=CircuitState.HALF_OPEN.value, retry_at=until)
    return claimed == 1


def prune(*, now: datetime | None = None) -> int:
    """Delete requests, and what volunteers used, older than a week. Returns how many requests."""
    before = (now or timezone.now()) - KEPT
    pruned, _ = Generation.objects.filter(ended_at__lt=before).delete()
    UserUsage.objects.filter(day__lt=before.date()).delete()
    return pruned


def _move_circuits(passages: Sequence[Passage]) -> dict[UUID, Breaker]:
    telling = [each for each in passages if each.verdict is not Verdict.NOTHING or each.trial]
    moved: dict[UUID, Breaker] = {}
    for endpoint_id in sorted({each.endpoint_id for each in telling}):
        breaker = _move_circuit(endpoint_id, [each for each in telling if each.endpoint_id == endpoint_id])
        if breaker is not None:
            moved[endpoint_id] = breaker
            metrics.circuit(endpoint_id, breaker.state)
    return moved


@transaction.atomic
def _move_circuit(endpoint_id: UUID, passages: Sequence[Passage]) -> Breaker | None:
    if not ModelEndpoint.objects.filter(pk=endpoint_id).exists():
        return None
    Circuit.objects.get_or_create(endpoint_id=endpoint_id)
    row = Circuit.objects.select_for_update().get(pk=endpoint_id)
    before = after = breaker_of(row)
    for passage in passages:
        after = after.after(passage.verdict, trial=passage.trial, now=timezone.now(), policy=POLICY)
    if after != before:
        row.state, row.failures = after.state.value, after.failures
        row.opened_at, row.retry_at = after.opened_at, after.retry_at
        row.save(update_fields=["state", "failures", "opened_at", "retry_at"])
    _log(endpoint_id, before, after, passages[-1])
    return after


def _log(endpoint_id: UUID, before: Breaker, after: Breaker, last: Passage) -> None:
    if after.state is before.state:
        return
    told = (endpoint_id, last.request_id, last.outcome)
    if after.state is CircuitState.CLOSED:
        logger.info("the circuit of endpoint %s closes: request %s, %s", *told)
    elif after.retry_at is not None:
        pause_s = round((after.retry_at - timezone.now()).total_seconds())
        logger.warning("the circuit of endpoint %s opens: request %s, %s; a trial in %d s", *told, pause_s)


def _rows(passages: Sequence[Passage]) -> dict[str, list[Any]]:
    names = (
        *("endpoint_id", "request_id", "ended_at", "outcome", "attempts", "queued_ms"),
        *("first_token_ms", "duration_ms", "prompt_tokens", "completion_tokens"),
    )
    columns: dict[str, list[Any]] = {name: [getattr(each, name) for each in passages] for name in names}
    return columns | {"id": [uuid4() for _ in passages]}


def _usage(passages: Sequence[Passage]) -> dict[str, list[Any]]:
    """Use by endpoint and day. A request that was never sent is none."""
    sums: dict[tuple[UUID, date], tuple[int, int, int, Decimal]] = {}
    for each in passages:
        if each.attempts:
            key = (each.endpoint_id, each.ended_at.date())
            requests, prompt, completion, cost = sums.get(key, (0, 0, 0, Decimal(0)))
            sums[key] = (
                requests + 1,
                prompt + each.use.prompt_tokens,
                completion + each.use.completion_tokens,
                cost + each.prices.of(each.use),
            )
    names = ("used_endpoint", "used_day", "used_requests", "used_prompt", "used_completion", "used_cost")
    rows = [(*key, *total) for key, total in sums.items()]
    return {name: [row[index] for row in rows] for index, name in enumerate(names)}


def _users(passages: Sequence[Passage]) -> dict[str, list[Any]]:
    sums: dict[tuple[str, date], int] = {}
    for each in passages:
        if each.user and each.use.tokens:
            key = (each.user[:64], each.ended_at.date())
            sums[key] = sums.get(key, 0) + each.use.tokens
    return {
        "user": [user for user, _ in sums],
        "user_day": [day for _, day in sums],
        "user_tokens": list(sums.values()),
    }
