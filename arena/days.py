"""Days as volunteers live them: in the site's time zone."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone


def midnight() -> datetime:
    """When today began."""
    return timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
