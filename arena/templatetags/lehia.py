"""What templates need beside Django's own filters."""

from __future__ import annotations

from datetime import date, datetime

from django import template
from django.utils import formats, timezone
from django.utils.translation import get_language

from arena.dates import basque_date

register = template.Library()


@register.filter
def long_date(value: date | datetime) -> str:
    """The date in the reader's language; Basque by its own rule, which no format string can express."""
    day = timezone.localtime(value).date() if isinstance(value, datetime) else value
    if (get_language() or "eu").startswith("eu"):
        return basque_date(day)
    return formats.date_format(day, "DATE_FORMAT")


@register.filter
def name_of(names: dict[str, str], code: str) -> str:
    """A candidate's display name; models of imported boards are called what they are called there."""
    return names.get(code, code)
