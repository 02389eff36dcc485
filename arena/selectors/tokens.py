"""Reads of the API's tokens."""

from __future__ import annotations

import hashlib

from django.utils import timezone

from arena.models import ApiToken


def digest_of(secret: str) -> str:
    """What is kept of a token: 32 random bytes need no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def good_token(secret: str) -> ApiToken | None:
    """The token of which this is the secret, with its owner; ``None`` where it opens nothing (any more). One query."""
    token = ApiToken.objects.select_related("owner").filter(digest=digest_of(secret)).first()
    return token if token is not None and token.is_good_at(timezone.now()) else None
