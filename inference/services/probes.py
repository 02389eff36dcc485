"""Looking at endpoints and storing what was seen."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Generator, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from inference.errors import EndpointNotAllowed, HostUnknown, KeyUnreadable
from inference.health.judge import KEPT_TIMES, judge
from inference.health.look import look
from inference.health.types import Detail, Hindrance, Recent, Sight
from inference.models import ModelEndpoint
from inference.selectors import EndpointTraffic, recent_traffic, target_of
from inference.types import EndpointStatus

logger = logging.getLogger(__name__)

WATCHED = [EndpointStatus.ACTIVE.value, EndpointStatus.CANARY.value, EndpointStatus.SHADOW.value]
_AT_ONCE = 16
_RESOLVE_S = 10.0
_LOCK = 0x4C65_6869  # one pass at a time, over all processes
_STORED = (
    *("health", "health_detail", "health_checked_at", "probe_first_token_ms"),
    *("probe", "running", "waiting"),
)


def probe_endpoints() -> int:
    """Probe every endpoint in use, 16 at a time; each is stored as soon as it was seen, whatever the others do.

    Returns how many were looked at; none where another process is at it. A failing endpoint is a finding, not an error.
    """
    with _alone() as is_alone:
        if not is_alone:
            return 0
        found = list(ModelEndpoint.objects.filter(status__in=WATCHED))
        traffic = recent_traffic()
        for endpoint, sight in seen(found):
            _store(endpoint, sight, traffic.get(endpoint.pk))
    return len(found)


def probe_endpoint(*, endpoint_id: UUID) -> ModelEndpoint:
    """Look at one endpoint and store what was seen.

    ``live``: it answered. ``degraded``: it is there, but busy, slow, failing often, or answered with nothing. ``down``: it cannot answer; the
    detail is the error's code.
    Where the site itself was hindered, its health stays what it was and only ``probe`` tells of the attempt.
    """
    endpoint = ModelEndpoint.objects.get(pk=endpoint_id)
    for each, sight in seen([endpoint]):
        _store(each, sight, recent_traffic().get(each.pk))
    return endpoint


def seen(
    endpoints: Iterable[ModelEndpoint], *, at_once: int = _AT_ONCE
) -> Generator[tuple[ModelEndpoint, Sight], None, None]:
    """Look at endpoints side by side; yields each as soon as it was seen. No query, so that a hung server holds no connection."""
    with asyncio.Runner() as runner:
        sights = _looks(list(endpoints), at_once)
        try:
            while (found := runner.run(_next(sights))) is not None:
                yield found
        finally:
            runner.run(sights.aclose())


async def _next(
    sights: AsyncGenerator[tuple[ModelEndpoint, Sight], None],
) -> tuple[ModelEndpoint, Sight] | None:
    return await anext(sights, None)


async def _looks(
    endpoints: list[ModelEndpoint], at_once: int
) -> AsyncGenerator[tuple[ModelEndpoint, Sight], None]:
    slots = asyncio.Semaphore(at_once)
    tasks = [asyncio.create_task(_look(endpoint, slots)) for endpoint in endpoints]
    try:
        for done in asyncio.as_completed(tasks):
            yield await done
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _look(endpoint: ModelEndpoint, slots: asyncio.Semaphore) -> tuple[ModelEndpoint, Sight]:
    async with slots:
        try:
            async with asyncio.timeout(_RESOLVE_S):
                target = await asyncio.to_thread(target_of, endpoint)  # resolves the name, which blocks
        except (TimeoutError, HostUnknown):
            return endpoint, Sight(hindrance=Hindrance.RESOLVER)
        except KeyUnreadable:
            return endpoint, Sight(error=Detail.KEY_UNREADABLE)
        except EndpointNotAllowed:
            return endpoint, Sight(error=Detail.REFUSED)
        return endpoint, await look(target)


def _store(endpoint: ModelEndpoint, sight: Sight, traffic: EndpointTraffic | None) -> None:
    now = timezone.now()
    if sight.hindrance is not None:
        logger.warning("probe of endpoint %s hindered: %s", endpoint.pk, sight.hindrance)
        endpoint.probe = endpoint.probe | {"hindrance": sight.hindrance.value, "tried_at": now.isoformat()}
        endpoint.save(update_fields=["probe"])
        return
    times_ms = _times(endpoint)
    recent = Recent(traffic.requests, round(traffic.error_share * traffic.requests)) if traffic else Recent()
    verdict = judge(sight, max_in_flight=endpoint.max_in_flight, times_ms=times_ms, recent=recent)
    endpoint.health, endpoint.health_detail = verdict.health.value, verdict.detail
    endpoint.probe_first_token_ms = sight.first_token_ms
    endpoint.health_checked_at = now
    endpoint.running = sight.load.running if sight.load else None
    endpoint.waiting = sight.load.waiting if sight.load else None
    endpoint.probe = _as_json(sight, times_ms, now)
    endpoint.save(update_fields=_STORED)


def _times(endpoint: ModelEndpoint) -> list[int]:
    """First tokens of earlier probes; a switch or a change of address does not forget them, thirty probes do."""
    stored = endpoint.probe.get("times_ms", [])
    return [each for each in stored if isinstance(each, int)][-KEPT_TIMES:]


def _as_json(sight: Sight, times_ms: list[int], now: datetime) -> dict[str, Any]:
    times_ms = [*times_ms, *([] if sight.first_token_ms is None else [sight.first_token_ms])]
    return {
        "steps": [step.as_json() for step in sight.steps],
        "load": sight.load.as_json() if sight.load else None,
        "times_ms": times_ms[-KEPT_TIMES:],
        "tried_at": now.isoformat(),
    }


@contextmanager
def _alone() -> Iterator[bool]:
    """Whether this process is the one that probes now. Freed with the connection where the process dies."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
        (got,) = cursor.fetchone()
        try:
            yield bool(got)
        finally:
            if got:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])
