"""Writes down what a restored backup has to be made to forget again."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils import timezone

from arena import erasure_log
from arena.erasure_log import Deed, Line


def note(deed: Deed, **about: Any) -> None:
    """Add a line to the log, as the last step of the transaction that does the deed: what cannot be written down is not done.

    Where the transaction fails after that, the line stays, of what somebody asked for. Raises ``OSError``.
    """
    erasure_log.append(settings.LEHIA_ERASURE_LOG, Line(at=timezone.now(), deed=deed, **about))
