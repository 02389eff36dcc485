"""Who a session belongs to: the one key that ties a browser to its participant."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any
from uuid import UUID

_KEY = "participant"


def participant_id(session: MutableMapping[str, Any]) -> UUID | None:
    raw = session.get(_KEY)
    return UUID(raw) if raw else None


def remember_participant(session: MutableMapping[str, Any], participant: UUID) -> None:
    session[_KEY] = str(participant)
