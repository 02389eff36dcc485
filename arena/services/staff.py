"""The first member of staff."""

from __future__ import annotations

import secrets

from django.db import IntegrityError, transaction

from arena.models import User


def ensure_admin(*, username: str = "admin") -> str | None:
    """Make the first superuser with a fresh password and return it; ``None`` where any superuser exists.

    Only the hash is stored: who misses the password sets a new one with ``manage.py changepassword``.
    """
    if User.objects.filter(is_superuser=True).exists():
        return None
    password = secrets.token_urlsafe(12)
    try:
        with transaction.atomic():
            User.objects.create_superuser(username=username, password=password)
    except IntegrityError:
        return None  # another process was first, or the name is taken by someone who is not staff
    return password
