"""All that is stored encrypted, encrypted anew, so that an old key of ``LEHIA_FIELD_KEYS`` can go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from allauth.mfa.models import Authenticator
from django.db import models, transaction

from arena.models import ExportKey
from inference import crypto
from inference.errors import KeyUnreadable
from inference.services.keys import Reencrypted, rotate_field_keys

_SEEDS = {Authenticator.Type.TOTP: "secret", Authenticator.Type.RECOVERY_CODES: "seed"}


def rotate(*, dry_run: bool = False) -> dict[str, Reencrypted]:
    """Encrypt everything with the first of the keys, by what it is. Repeating it changes nothing, and goes on where it was cut off.

    Endpoints are one transaction, every other row one of its own.
    """
    factors = Authenticator.objects.filter(type__in=_SEEDS)
    return {
        "endpoints": rotate_field_keys(dry_run=dry_run),
        "exports": _rotated(ExportKey.objects.all(), _renew_export_key, dry_run),
        "second_factors": _rotated(factors, _renew_factor, dry_run),
    }


def _rotated(found: models.QuerySet[Any], renew: Callable[[Any], bool], dry_run: bool) -> Reencrypted:
    current = rewritten = unreadable = 0
    for key in found.order_by("pk").values_list("pk", flat=True):
        with transaction.atomic():
            row = found.select_for_update(of=("self",)).filter(pk=key).first()
            if row is None:
                continue  # it was deleted meanwhile
            try:
                changed = renew(row)
            except KeyUnreadable:
                unreadable += 1
                continue
            if changed and not dry_run:
                row.save()
        current, rewritten = current + (not changed), rewritten + changed
    return Reencrypted(current, rewritten, unreadable)


def _renew_export_key(key: ExportKey) -> bool:
    old, key.token = key.token, crypto.renewed(key.token)
    return old != key.token


def _renew_factor(factor: Authenticator) -> bool:
    name = _SEEDS[factor.type]
    old = factor.data[name]
    factor.data[name] = crypto.renewed(old)
    return bool(old != factor.data[name])
