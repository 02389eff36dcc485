"""Keys of endpoints: replaced once the server took the new one, and encrypted anew."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from inference.crypto import renewed
from inference.errors import KeyNotTaken, KeyUnreadable, StreamErrorCode
from inference.models import EndpointDraft, ModelEndpoint
from inference.services.endpoints import key_fields
from inference.services.probes import seen

_TAKEN = {"", StreamErrorCode.EMPTY.value}


@dataclass(frozen=True, slots=True)
class Reencrypted:
    """How many keys the first of ``LEHIA_FIELD_KEYS`` holds already, how many it was given, and how many none of them can read."""

    current: int
    rewritten: int
    unreadable: int


def rotate_key(*, endpoint_id: UUID, api_key: str) -> ModelEndpoint:
    """Replace the endpoint's key once a probe with the new one succeeded; the empty one removes it.

    Takes as long as a probe, 25 s at most. The old key need not be readable.

    Raises
    ------
    KeyNotTaken
        Nothing was changed. Its ``code`` is that of the probe.
    """
    endpoint = ModelEndpoint.objects.get(pk=endpoint_id)
    fields = key_fields(api_key)
    endpoint.api_key_encrypted = fields["api_key_encrypted"]  # so far only here, for the probe
    for _, sight in seen([endpoint]):
        code = sight.hindrance.value if sight.hindrance else sight.error
        if code not in _TAKEN:
            raise KeyNotTaken(code)
    ModelEndpoint.objects.filter(pk=endpoint_id).update(**fields)
    endpoint.key_set_at = fields["key_set_at"]
    return endpoint


def rotate_field_keys(*, dry_run: bool = False) -> Reencrypted:
    """Encrypt every stored key of an endpoint with the first of ``LEHIA_FIELD_KEYS``. Repeating it changes nothing; locks the rows that it reads."""
    current = rewritten = unreadable = 0
    with transaction.atomic():
        for model in (ModelEndpoint, EndpointDraft):
            for row in model._default_manager.select_for_update().exclude(api_key_encrypted=""):
                try:
                    anew = renewed(row.api_key_encrypted)
                except KeyUnreadable:
                    unreadable += 1
                    continue
                if anew == row.api_key_encrypted:
                    current += 1
                    continue
                rewritten += 1
                if not dry_run:
                    model._default_manager.filter(pk=row.pk).update(api_key_encrypted=anew)
    return Reencrypted(current, rewritten, unreadable)
