"""Looking at endpoints: a one-token Basque completion, with its time."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from dataclasses import replace
from uuid import UUID, uuid4

from django.utils import timezone

from inference import gateway
from inference.errors import EmptyAnswer, InferenceError, RateLimited, StreamError
from inference.models import ModelEndpoint
from inference.providers.openai_compatible import close_clients
from inference.selectors import target_of
from inference.types import (
    Deadlines,
    EndpointHealth,
    EndpointStatus,
    GenerationRequest,
    Message,
    Role,
    Sampling,
    Target,
)

_DEADLINES = Deadlines(connect_s=3, first_token_s=20, between_tokens_s=10, total_s=30)
_WATCHED = [EndpointStatus.ACTIVE.value, EndpointStatus.CANARY.value, EndpointStatus.SHADOW.value]


def probe_endpoints() -> int:
    """Probe every endpoint in use, one after the other. Returns how many; a failing one is a finding, not an error."""
    found = list(ModelEndpoint.objects.filter(status__in=_WATCHED).values_list("pk", flat=True))
    for endpoint_id in found:
        probe_endpoint(endpoint_id=endpoint_id)
    return len(found)


def probe_endpoint(*, endpoint_id: UUID) -> ModelEndpoint:
    """Ask for one token and store what happened.

    ``live``: it answered. ``degraded``: it is there but busy, or answered with nothing. ``down``: anything else, with the error's code.
    """
    endpoint = ModelEndpoint.objects.get(pk=endpoint_id)
    health, detail, first_token_ms = _look(endpoint)
    endpoint.health, endpoint.health_detail = health.value, detail
    endpoint.probe_first_token_ms = first_token_ms
    endpoint.health_checked_at = timezone.now()
    endpoint.save(update_fields=["health", "health_detail", "probe_first_token_ms", "health_checked_at"])
    return endpoint


def _look(endpoint: ModelEndpoint) -> tuple[EndpointHealth, str, int | None]:
    try:
        return EndpointHealth.LIVE, "", asyncio.run(_first_token_ms(target_of(endpoint)))
    except (EmptyAnswer, RateLimited) as error:
        return EndpointHealth.DEGRADED, error.code.value, None
    except StreamError as error:
        return EndpointHealth.DOWN, error.code.value, None
    except InferenceError:
        return EndpointHealth.DOWN, "refused", None


async def _first_token_ms(target: Target) -> int:
    request = GenerationRequest(
        target=replace(target, deadlines=_DEADLINES),
        messages=(Message(Role.USER, "Kaixo!"),),
        sampling=Sampling(temperature=0.9, top_p=0.95, max_tokens=4, seed=1),
        request_id=f"probe-{uuid4()}",
    )
    started = time.perf_counter()
    try:
        async with aclosing(gateway.stream(request)) as events:
            async for _event in events:
                break
        return round((time.perf_counter() - started) * 1000)
    finally:
        await close_clients()
