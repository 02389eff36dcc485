"""Reads of sessions."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.utils import timezone

from arena.models import Session
from arena.selectors.people import in_good_standing

Claim = tuple[str, UUID]
"""A session's key, and whose it was when somebody came in with it."""


def standing_claims(claims: Collection[Claim]) -> set[Claim]:
    """Those whose session goes on and is still theirs, and who are neither banned nor erased nor switched off. Two queries."""
    keys = [key for key, _ in claims]
    sessions = Session.objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
    owned = set(sessions.values_list("session_key", "participant_id")) & set(claims)
    welcome = set(
        in_good_standing()
        .filter(pk__in=[owner for _, owner in owned], banned_at=None)
        .values_list("pk", flat=True)
    )
    return {(key, owner) for key, owner in owned if owner in welcome}
