"""Candidates and endpoints: registered, added, switched."""

from __future__ import annotations

from hashlib import sha256
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify

from inference import manifest as manifests
from inference.allow_list import check_endpoint_url
from inference.crypto import encrypt
from inference.errors import BadManifest, IllegalTransition
from inference.models import Candidate, ModelEndpoint
from inference.types import EndpointHealth, EndpointStatus, Provider
from inference.wizard.transitions import may_become

_FROM_MANIFEST = (
    *("name", "revision", "description", "backbone", "training_data", "licence", "maker"),
    "system_prompt_mode",
)
_NOT_PROBED = {EndpointStatus.DISABLED, EndpointStatus.RETIRED}
_IN_USE_OR_OFF = (EndpointStatus.ACTIVE.value, EndpointStatus.DISABLED.value)


def register_candidate(
    *,
    manifest: dict[str, Any],
    base_url: str,
    api_key: str = "",
    provider: Provider = Provider.TRANSFORMERS,
) -> ModelEndpoint:
    """Create or update a candidate from its manifest and give it an endpoint at *base_url*.

    Repeating it changes nothing. At a new address the old endpoints are retired, not removed: answers point to them. A candidate that was
    switched off stays off at its new address. A server knows a model by its folder, but an adapter, which it holds beside its backbone, by
    the candidate's code. The licence of its answers is taken from the manifest; where that leaves it out, it follows from the model's when the
    candidate is made, and what an admin sets later stays.

    Raises
    ------
    BadManifest, EndpointNotAllowed
    """
    manifests.check(manifest)
    if "adapter_of" in manifest and provider is Provider.TRANSFORMERS:
        raise BadManifest(
            f"{manifest['code']} is an adapter, which only vllm serves beside its backbone {manifest['adapter_of']['name']}"
        )
    url = check_endpoint_url(base_url, hosts=settings.LEHIA_MODEL_HOSTS)
    fields = _fields_of(manifest)
    made_with = fields | {"outputs_licence": manifests.outputs_licence(manifest).value}
    with transaction.atomic():
        candidate, _ = Candidate.objects.update_or_create(
            code=manifest["code"], defaults=fields, create_defaults=made_with
        )
        status = EndpointStatus.DISABLED if _is_switched_off(candidate) else EndpointStatus.ACTIVE
        endpoint, made = ModelEndpoint.objects.get_or_create(
            candidate=candidate,
            base_url=url,
            model=manifest["code" if "adapter_of" in manifest else "model_folder"],
            defaults={
                "provider": provider.value,
                "status": status.value,
                **key_fields(api_key),
            },
        )
        others = candidate.endpoints.exclude(pk=endpoint.pk)
        others.filter(status__in=_IN_USE_OR_OFF).update(status=EndpointStatus.RETIRED.value)
        if not made and endpoint.status == EndpointStatus.RETIRED.value:
            endpoint.status = status.value
            endpoint.health = EndpointHealth.UNKNOWN.value
            endpoint.save(update_fields=["status", "health"])
    return endpoint


def _fields_of(manifest: dict[str, Any]) -> dict[str, Any]:
    names = (*_FROM_MANIFEST, *({"outputs_licence"} & manifest.keys()))
    return {name: manifest[name] for name in names} | {**manifest["sampling"], "manifest": manifest}


def _is_switched_off(candidate: Candidate) -> bool:
    statuses = set(candidate.endpoints.values_list("status", flat=True))
    return EndpointStatus.DISABLED.value in statuses and EndpointStatus.ACTIVE.value not in statuses


def add_endpoint(
    *, base_url: str, model: str, name: str = "", api_key: str = "", provider: Provider = Provider.OPENAI
) -> ModelEndpoint:
    """Add a server by its address; the candidate is made from the model's name where it is new.

    Raises
    ------
    EndpointNotAllowed
    """
    url = check_endpoint_url(base_url, hosts=settings.LEHIA_MODEL_HOSTS)
    shown = shown_name(name or model)
    code = code_of(shown)
    with transaction.atomic():
        candidate, _ = Candidate.objects.get_or_create(code=code, defaults={"name": shown})
        endpoint, _ = ModelEndpoint.objects.get_or_create(
            candidate=candidate,
            base_url=url,
            model=model,
            defaults={"provider": provider.value, **key_fields(api_key)},
        )
    return endpoint


def shown_name(text: str) -> str:
    """How people see a model that is only known by its name or folder on the server."""
    return (text.rstrip("/").rpartition("/")[2] or text)[:120]


def code_of(name: str) -> str:
    """A code for the candidate of that name; a name of other letters only still gets one."""
    return slugify(name)[:80] or f"model-{sha256(name.encode()).hexdigest()[:12]}"


def key_fields(api_key: str) -> dict[str, Any]:
    """The fields of an endpoint that hold its key and when it was set."""
    return {
        "api_key_encrypted": encrypt(api_key),
        "key_set_at": timezone.now() if api_key else None,
    }


def set_endpoint_status(*, endpoint_id: UUID, status: EndpointStatus) -> None:
    """Switch an endpoint along :data:`inference.wizard.transitions.TRANSITIONS`. Locks its row.

    What is switched on is probed afresh before anybody trusts its health. Staying as it is changes nothing.

    Raises
    ------
    IllegalTransition
    """
    with transaction.atomic():
        endpoint = ModelEndpoint.objects.select_for_update().get(pk=endpoint_id)
        old = EndpointStatus(endpoint.status)
        if old is status:
            return
        if not may_become(old, status):
            raise IllegalTransition(old.value, status.value)
        endpoint.status = status.value
        if old in _NOT_PROBED:
            endpoint.health = EndpointHealth.UNKNOWN.value
        endpoint.save(update_fields=["status", "health"])
