"""Reads of candidates and endpoints."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from inference.allow_list import checked_url
from inference.crypto import decrypt
from inference.models import Candidate, ModelEndpoint, UserUsage
from inference.types import Deadlines, EndpointHealth, EndpointStatus, Provider, Target

# Live endpoints first, then those not probed yet; the newest of equals.
_ORDER = [EndpointHealth.LIVE.value, EndpointHealth.UNKNOWN.value, EndpointHealth.DEGRADED.value]


def servable_candidates() -> list[Candidate]:
    """Candidates with an active endpoint that is not known to be down, by code."""
    return list(Candidate.objects.filter(endpoints__in=_servable()).distinct())


def canary_shares() -> dict[str, float]:
    """Candidates whose only endpoints at work are canaries, by code, each with the share of battles that may draw it. One query."""
    canaries = ModelEndpoint.objects.filter(status=EndpointStatus.CANARY.value, canary_share__gt=0)
    rows = (
        canaries.exclude(health=EndpointHealth.DOWN.value)
        .exclude(candidate__in=_servable().values("candidate"))
        .values_list("candidate__code", "canary_share")
        .order_by("canary_share")
    )
    return dict(rows)  # of several canaries of a candidate, the largest share


def tokens_used_today(user: str) -> int:
    """How many tokens *user* was answered with since midnight in UTC."""
    used = UserUsage.objects.filter(user=user, day=datetime.now(UTC).date()).values_list("tokens", flat=True)
    return used.first() or 0


def candidates_served_outside(folder: str) -> int | None:
    """How many candidates have an active endpoint, or ``None`` where one of those serves a model of *folder*."""
    active = ModelEndpoint.objects.filter(status=EndpointStatus.ACTIVE.value)
    if active.filter(model__startswith=f"{folder}/").exists():
        return None
    return active.values("candidate").distinct().count()


def target_for(candidate_id: UUID) -> Target:
    """The best endpoint of a candidate, its key decrypted: the only place where that happens.

    A candidate whose endpoints are all down or disabled still gets one of them, so that a battle under way fails with a
    typed error on that side instead of here.

    Raises
    ------
    ModelEndpoint.DoesNotExist
        The candidate never had an endpoint.
    EndpointNotAllowed
        The address left the allow-list since it was stored.
    """
    endpoints = list(ModelEndpoint.objects.filter(candidate_id=candidate_id).order_by("-created_at"))
    if not endpoints:
        raise ModelEndpoint.DoesNotExist(f"candidate {candidate_id} has no endpoint")
    return target_of(min(endpoints, key=_preference))


def target_of(endpoint: ModelEndpoint) -> Target:
    checked = checked_url(endpoint.base_url, hosts=settings.LEHIA_MODEL_HOSTS)
    return Target(
        endpoint_id=endpoint.pk,
        base_url=checked.url,
        model=endpoint.model,
        provider=Provider(endpoint.provider),
        api_key=decrypt(endpoint.api_key_encrypted),
        deadlines=Deadlines(
            connect_s=endpoint.connect_s,
            first_token_s=endpoint.first_token_s,
            between_tokens_s=endpoint.between_tokens_s,
            total_s=endpoint.total_s,
        ),
        max_in_flight=endpoint.max_in_flight,
        addresses=checked.addresses,
    )


def _servable() -> QuerySet[ModelEndpoint]:
    return ModelEndpoint.objects.filter(status=EndpointStatus.ACTIVE.value).exclude(
        health=EndpointHealth.DOWN.value
    )


def _preference(endpoint: ModelEndpoint) -> tuple[bool, int]:
    health = _ORDER.index(endpoint.health) if endpoint.health in _ORDER else len(_ORDER)
    return endpoint.status != EndpointStatus.ACTIVE.value, health
