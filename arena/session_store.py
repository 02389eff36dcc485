"""Django's sessions in the database, each row with its account and participant. Named in ``SESSION_ENGINE``."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

from arena import sessions
from arena.models.sessions import Session


class SessionStore(DatabaseStore[Session]):
    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        return _owned(super().create_model_instance(data), data)

    async def acreate_model_instance(self, data: dict[str, Any]) -> Session:
        return _owned(await super().acreate_model_instance(data), data)


def _owned(row: Session, data: dict[str, Any]) -> Session:
    row.account_id = int(data[SESSION_KEY]) if SESSION_KEY in data else None
    row.participant_id = sessions.participant_id(data)
    return row
