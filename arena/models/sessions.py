"""Sessions that say whose they are, so that all of somebody's can be ended at once."""

from __future__ import annotations

from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models


class Session(AbstractBaseSession):
    account_id = models.BigIntegerField(null=True, db_index=True)
    participant_id = models.UUIDField(null=True, db_index=True)

    @classmethod
    def get_session_store_class(cls) -> type[SessionBase]:
        from arena.session_store import SessionStore  # which needs this model

        return SessionStore
