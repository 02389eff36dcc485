"""Adding an endpoint step by step: a draft, its model and candidate, the checks, and the status at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import asdict
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from inference.allow_list import check_endpoint_url, checked_url
from inference.crypto import decrypt
from inference.errors import (
    CandidateExists,
    ChecksMissing,
    EndpointExists,
    EndpointNotAllowed,
    HostUnknown,
    KeyUnreadable,
)
from inference.health.look import ServerSight, look_at_server
from inference.health.types import Detail, Hindrance
from inference.models import Candidate, EndpointCheck, EndpointDraft, ModelEndpoint
from inference.selectors import target_of
from inference.services.endpoints import code_of, key_fields, set_endpoint_status, shown_name
from inference.services.probes import probe_endpoint
from inference.types import EndpointHealth, EndpointStatus, Provider, SystemPromptMode, Target
from inference.wizard.identity import identity
from inference.wizard.smoke import smoke
from inference.wizard.template import template
from inference.wizard.types import CheckOutcome, CheckStep, Finding

STEP_S = 55.0  # proxies give up after a minute
_DRAFTS_KEPT = timedelta(days=1)
_HIDDEN = "•••"
_OUTCOME_OF = {
    EndpointHealth.LIVE: CheckOutcome.PASSED,
    EndpointHealth.DEGRADED: CheckOutcome.WARNED,
    EndpointHealth.DOWN: CheckOutcome.FAILED,
}
_SERVING = {EndpointStatus.CANARY, EndpointStatus.ACTIVE}


def start_draft(*, base_url: str, provider: Provider, api_key: str = "") -> EndpointDraft:
    """Look at a server that has no model here yet, and remember it. Takes 8 s at most.

    Raises
    ------
    EndpointNotAllowed
    """
    url = check_endpoint_url(base_url, hosts=settings.LEHIA_MODEL_HOSTS)
    draft = EndpointDraft(
        base_url=url, provider=provider.value, api_key_encrypted=key_fields(api_key)["api_key_encrypted"]
    )
    draft.seen = _look_at(draft)
    draft.save()
    return draft


def look_again(*, draft_id: UUID) -> EndpointDraft:
    """As :func:`start_draft`, for a server that was seen before."""
    draft = EndpointDraft.objects.get(pk=draft_id)
    draft.seen = _look_at(draft)
    draft.save(update_fields=["seen"])
    return draft


def adopt_draft(
    *,
    draft_id: UUID,
    model: str,
    candidate: Candidate | None,
    name: str = "",
    context_tokens: int | None = None,
) -> ModelEndpoint:
    """Make an endpoint of a draft, as a shadow. Without a candidate one is made, named *name* or else like the model.

    Raises
    ------
    EndpointNotAllowed, EndpointExists, CandidateExists
    """
    draft = EndpointDraft.objects.get(pk=draft_id)
    url = check_endpoint_url(draft.base_url, hosts=settings.LEHIA_MODEL_HOSTS)
    with transaction.atomic():
        if candidate is None:
            candidate = _new_candidate(shown_name(name or model))
        if candidate.endpoints.filter(base_url=url, model=model).exists():
            raise EndpointExists(f"{candidate.code} has this endpoint already")
        endpoint = ModelEndpoint.objects.create(
            candidate=candidate,
            base_url=url,
            model=model,
            provider=draft.provider,
            status=EndpointStatus.SHADOW.value,
            context_tokens=context_tokens,
            api_key_encrypted=draft.api_key_encrypted,
            key_set_at=draft.created_at if draft.api_key_encrypted else None,
        )
        draft.delete()
    return endpoint


def _new_candidate(name: str) -> Candidate:
    candidate, is_new = Candidate.objects.get_or_create(code=code_of(name), defaults={"name": name})
    if not is_new:
        raise CandidateExists(candidate.code)
    return candidate


def run_check(*, endpoint_id: UUID, step: CheckStep) -> EndpointCheck:
    """Make one check and store what it found; earlier findings stay. Ends within 55 s."""
    endpoint = ModelEndpoint.objects.select_related("candidate").get(pk=endpoint_id)
    is_server = step is CheckStep.SERVER
    finding = _server(probe_endpoint(endpoint_id=endpoint_id)) if is_server else _ask(endpoint, step)
    return EndpointCheck.objects.create(
        endpoint=endpoint, step=step.value, outcome=finding.outcome.value, detail=finding.detail
    )


def open_endpoint(
    *,
    endpoint_id: UUID,
    status: EndpointStatus,
    canary_share: float | None = None,
    system_prompt_mode: SystemPromptMode | None = None,
    has_read_warnings: bool = False,
) -> ModelEndpoint:
    """Give the endpoint a status at the end of its checks.

    To serve volunteers, every check must have been made and none failed; where one warned, *has_read_warnings* must be set. *system_prompt_mode* goes to the
    candidate.

    Raises
    ------
    ChecksMissing, IllegalTransition
    """
    endpoint = ModelEndpoint.objects.select_related("candidate").get(pk=endpoint_id)
    if status in _SERVING and (missing := missing_checks(endpoint, has_read_warnings=has_read_warnings)):
        raise ChecksMissing(tuple(step.value for step in missing))
    with transaction.atomic():
        set_endpoint_status(endpoint_id=endpoint_id, status=status)
        if canary_share is not None:
            ModelEndpoint.objects.filter(pk=endpoint_id).update(canary_share=canary_share)
        if system_prompt_mode is not None:
            Candidate.objects.filter(pk=endpoint.candidate_id).update(
                system_prompt_mode=system_prompt_mode.value
            )
    endpoint.refresh_from_db()
    return endpoint


def last_checks(endpoint: ModelEndpoint) -> dict[CheckStep, EndpointCheck]:
    """The newest check of each step that was made. One query."""
    rows = endpoint.checks.order_by("step", "-at", "-pk").distinct("step")
    return {CheckStep(row.step): row for row in rows}


def missing_checks(endpoint: ModelEndpoint, *, has_read_warnings: bool) -> list[CheckStep]:
    """Steps that hinder the endpoint from serving, in their order."""
    good = {CheckOutcome.PASSED.value} | ({CheckOutcome.WARNED.value} if has_read_warnings else set())
    last = last_checks(endpoint)
    return [step for step in CheckStep if step not in last or last[step].outcome not in good]


def prune_drafts() -> int:
    """Forget drafts older than a day, with their keys. Returns how many."""
    removed, _ = EndpointDraft.objects.filter(created_at__lt=timezone.now() - _DRAFTS_KEPT).delete()
    return removed


def _look_at(draft: EndpointDraft) -> dict[str, Any]:
    api_key = decrypt(draft.api_key_encrypted)
    checked = checked_url(draft.base_url, hosts=settings.LEHIA_MODEL_HOSTS)
    target = Target(
        endpoint_id=draft.pk,
        base_url=checked.url,
        addresses=checked.addresses,
        model="",
        provider=Provider(draft.provider),
        api_key=api_key,
    )
    sight: ServerSight = asyncio.run(look_at_server(target))
    found = {
        "steps": [step.as_json() for step in sight.steps],
        "served": [asdict(each) for each in sight.served],
        "load": sight.load.as_json() if sight.load else None,
    }
    return scrubbed(found, api_key)


def _server(endpoint: ModelEndpoint) -> Finding:
    outcome = _OUTCOME_OF.get(EndpointHealth(endpoint.health), CheckOutcome.UNCHECKED)
    if "hindrance" in endpoint.probe:
        outcome = CheckOutcome.UNCHECKED
    return Finding(outcome, {"health": endpoint.health, "said": endpoint.health_detail, **endpoint.probe})


def _ask(endpoint: ModelEndpoint, step: CheckStep) -> Finding:
    try:
        target = target_of(endpoint)
    except KeyUnreadable:
        return Finding(CheckOutcome.FAILED, {"said": Detail.KEY_UNREADABLE.value})
    except HostUnknown:
        return Finding(CheckOutcome.UNCHECKED, {"said": Hindrance.RESOLVER.value})
    except EndpointNotAllowed:
        return Finding(CheckOutcome.FAILED, {"said": Detail.REFUSED.value})
    finding = asyncio.run(_bounded(_asked(endpoint, step, target)))
    return Finding(finding.outcome, scrubbed(finding.detail, target.api_key))


def _asked(endpoint: ModelEndpoint, step: CheckStep, target: Target) -> Coroutine[Any, Any, Finding]:
    if step is CheckStep.SMOKE:
        return smoke(target)
    if step is CheckStep.TEMPLATE:
        return template(target, context_tokens=endpoint.context_tokens)
    of = endpoint.candidate
    return identity(
        target, names=(of.name, of.code, of.maker, of.backbone, endpoint.model.rpartition("/")[2])
    )


async def _bounded(check: Coroutine[Any, Any, Finding]) -> Finding:
    try:
        async with asyncio.timeout(STEP_S):
            return await check
    except TimeoutError:
        return Finding(CheckOutcome.FAILED, {"said": "timeout"})


def scrubbed(found: dict[str, Any], secret: str) -> dict[str, Any]:
    """*found* without the key, which a server may have echoed."""
    return {key: _scrubbed(value, secret) for key, value in found.items()} if secret else found


def _scrubbed(found: Any, secret: str) -> Any:
    if isinstance(found, str):
        return found.replace(secret, _HIDDEN)
    if isinstance(found, dict):
        return {key: _scrubbed(value, secret) for key, value in found.items()}
    if isinstance(found, list):
        return [_scrubbed(each, secret) for each in found]
    return found
