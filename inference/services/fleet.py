"""A fleet's endpoints, made known to the site."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db import transaction

from inference import manifest as manifests
from inference.crypto import decrypt
from inference.errors import BadManifest, KeyUnreadable
from inference.fleet.config import Engine
from inference.fleet.servers import Endpoint
from inference.models import ModelEndpoint
from inference.services import add_endpoint, register_candidate, rotate_key
from inference.types import Provider

_PROVIDERS = {Engine.VLLM: Provider.VLLM, Engine.TRANSFORMERS: Provider.TRANSFORMERS}


@dataclass(frozen=True, slots=True)
class Registered:
    """What became of one endpoint; ``is_new`` where it was not there before."""

    candidate: str
    endpoint: ModelEndpoint
    is_new: bool
    key_file: str | None


def register_fleet(*, endpoints: Iterable[Endpoint], keys: Mapping[str | None, str]) -> list[Registered]:
    """Register every candidate of a fleet where it is served, all of them or none.

    A candidate with a manifest is registered by it, another one by its name. A new endpoint takes its limits from the fleet; one that is there
    keeps what staff have set. *keys* are by key file. Repeating it changes nothing, but a key that differs replaces the stored one.

    Raises
    ------
    BadManifest, EndpointNotAllowed
        Nothing is registered.
    InferenceError
        Where a server does not take the new key; the others are registered.
    """
    with transaction.atomic():
        found = [_register(each, keys.get(each.key_file, "")) for each in endpoints]
    for each in found:
        key = keys.get(each.key_file, "")
        if key and not _holds(each.endpoint, key):
            rotate_key(
                endpoint_id=each.endpoint.pk, api_key=key
            )  # asks the server, so outside the transaction
    return found


def _register(served: Endpoint, api_key: str) -> Registered:
    provider = _PROVIDERS[served.engine]
    known = set(ModelEndpoint.objects.filter(candidate__code=served.code).values_list("pk", flat=True))
    if served.manifest is None:
        endpoint = add_endpoint(
            base_url=served.base_url,
            model=served.model_name,
            name=served.code,
            api_key=api_key,
            provider=provider,
        )
    else:
        endpoint = register_candidate(
            manifest=_manifest(served), base_url=served.base_url, api_key=api_key, provider=provider
        )
    is_new = endpoint.pk not in known
    if is_new:
        limits = {"context_tokens": served.context, "max_in_flight": served.sequences}
        ModelEndpoint.objects.filter(pk=endpoint.pk).update(**limits)
        endpoint.refresh_from_db()
    return Registered(served.code, endpoint, is_new, served.key_file)


def _holds(endpoint: ModelEndpoint, key: str) -> bool:
    try:
        return decrypt(endpoint.api_key_encrypted) == key
    except KeyUnreadable:
        return False


def _manifest(served: Endpoint) -> dict[str, object]:
    """The manifest with the server's name for the model: the folder that it names is the server's, or another machine's."""
    if served.manifest is None:
        raise BadManifest(f"{served.code} has no manifest")
    found = manifests.read(served.manifest)
    if found["code"] != served.code:
        raise BadManifest(
            f"{served.manifest}: it is {found['code']}, and the fleet's file calls it {served.code}; they must agree"
        )
    if served.is_adapter != ("adapter_of" in found):
        kind = "a model of its own" if served.is_adapter else "an adapter"
        raise BadManifest(f"{served.manifest}: {served.code} is {kind}; the fleet's file has it elsewhere")
    return {**found, "model_folder": served.model_name}
