"""Reads of candidates and of the endpoints that serve them."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from inference.allow_list import checked_url
from inference.crypto import decrypt
from inference.models import Candidate, ModelEndpoint
from inference.selectors.traffic import open_for_requests
from inference.types import Deadlines, EndpointHealth, EndpointStatus, Provider, Target

# Live endpoints first, then those not probed yet; the newest of equals.
_ORDER = [EndpointHealth.LIVE.value, EndpointHealth.UNKNOWN.value, EndpointHealth.DEGRADED.value]
_AT_WORK = (EndpointStatus.ACTIVE.value, EndpointStatus.CANARY.value)


def servable_candidates() -> list[Candidate]:
    """Candidates with an active endpoint that may be asked, by code.

    It is not known to be down, its circuit is closed or due for a trial, and its budget of the day is not spent. One query.
    """
    return list(Candidate.objects.filter(endpoints__in=_servable()).distinct())


def canary_shares() -> dict[str, float]:
    """Candidates whose only endpoints that may be asked are canaries, by code, each with the share of battles that may draw it. One query."""
    canaries = ModelEndpoint.objects.filter(status=EndpointStatus.CANARY.value, canary_share__gt=0)
    rows = (
        open_for_requests(canaries.exclude(health=EndpointHealth.DOWN.value))
        .exclude(candidate__in=_servable().values("candidate"))
        .values_list("candidate__code", "canary_share")
        .order_by("canary_share")
    )
    return dict(rows)  # of several canaries of a candidate, the largest share


def candidates_served_outside(folder: str) -> int | None:
    """How many candidates have an active endpoint, or ``None`` where one of those serves a model of *folder*."""
    active = ModelEndpoint.objects.filter(status=EndpointStatus.ACTIVE.value)
    if active.filter(model__startswith=f"{folder}/").exists():
        return None
    return active.values("candidate").distinct().count()


def targets_for(candidate_ids: Collection[UUID], *, uniform: float = 1.0) -> dict[UUID, Target]:
    """The best endpoint of each candidate, its key decrypted: the only place where that happens.

    A canary whose share exceeds *uniform*, a number in ``[0, 1]`` that the caller draws once a battle, comes first if it may be asked. Otherwise
    active ones and canaries come before shadows and those before what is switched off; among them, one that may be asked before one whose circuit is
    open or whose budget is spent, an active one before a canary, then by health. A candidate whose endpoints are all down or disabled still gets one of
    them, so that a battle under way fails with a typed error on that side instead of here. Two queries, however many candidates.

    Raises
    ------
    ModelEndpoint.DoesNotExist
        A candidate never had an endpoint.
    EndpointNotAllowed
        An address left the allow-list since it was stored.
    """
    wanted = ModelEndpoint.objects.filter(candidate_id__in=candidate_ids)
    open_ones = set(open_for_requests(wanted).values_list("pk", flat=True))
    endpoints: dict[UUID, list[ModelEndpoint]] = {each: [] for each in candidate_ids}
    for endpoint in wanted.order_by("-created_at"):
        endpoints[endpoint.candidate_id].append(endpoint)
    if without := [str(each) for each, found in endpoints.items() if not found]:
        raise ModelEndpoint.DoesNotExist(f"no endpoint of candidate {', '.join(without)}")
    return {
        each: target_of(min(found, key=lambda endpoint: _preference(endpoint, open_ones, uniform)))
        for each, found in endpoints.items()
    }


def target_for(candidate_id: UUID, *, uniform: float = 1.0) -> Target:
    """One candidate's of :func:`targets_for`."""
    return targets_for([candidate_id], uniform=uniform)[candidate_id]


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
    active = ModelEndpoint.objects.filter(status=EndpointStatus.ACTIVE.value)
    return open_for_requests(active.exclude(health=EndpointHealth.DOWN.value))


def _preference(
    endpoint: ModelEndpoint, open_ones: set[UUID], uniform: float
) -> tuple[bool, bool, bool, bool, bool, int]:
    closed = endpoint.pk not in open_ones
    fit = not closed and endpoint.health != EndpointHealth.DOWN.value
    is_canary = endpoint.status == EndpointStatus.CANARY.value
    return (
        not (is_canary and fit and endpoint.canary_share > uniform),
        endpoint.status not in _AT_WORK,
        endpoint.status not in {*_AT_WORK, EndpointStatus.SHADOW.value},
        closed,
        endpoint.status != EndpointStatus.ACTIVE.value,
        _ORDER.index(endpoint.health) if endpoint.health in _ORDER else len(_ORDER),
    )
