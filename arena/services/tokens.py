"""Tokens of the API: issued, revoked, and their use counted by day."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.utils import timezone

from arena.models import ApiToken, User
from arena.selectors.tokens import digest_of
from arena.types import ApiScope

MARK = "lehia_"
"""What every token begins with, so that a scanner for secrets knows one."""
SHOWN = len(MARK) + 6

_COUNT = """
INSERT INTO arena_apitokenuse (token_id, scope, day, requests) VALUES (%s, %s, %s, 1)
ON CONFLICT (token_id, scope, day) DO UPDATE SET requests = arena_apitokenuse.requests + 1
"""


@dataclass(frozen=True, slots=True)
class Issued:
    """A new token, and the only sight of its secret."""

    token: ApiToken
    secret: str


def issue(*, owner: User, name: str, scopes: Collection[ApiScope], expires_at: datetime) -> Issued:
    secret = MARK + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        owner=owner,
        name=name,
        prefix=secret[:SHOWN],
        digest=digest_of(secret),
        scopes=sorted(scope.value for scope in scopes),
        expires_at=expires_at,
    )
    return Issued(token, secret)


def revoke(*, token_id: UUID) -> None:
    """At once and for good; the first time stays."""
    ApiToken.objects.filter(pk=token_id, revoked_at__isnull=True).update(revoked_at=timezone.now())


def note_use(*, token_id: UUID, scope: ApiScope | None) -> None:
    """Count one answered request of today, in UTC. One query, safe beside others."""
    day = timezone.now().date()
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [token_id, scope.value if scope else "", day])
