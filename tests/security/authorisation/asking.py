"""Requests one by one, each in a world that the others have not changed, and what came of them beside what was to come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.files import File
from django.db import transaction
from django.test import Client

from tests.security.authorisation.people import Somebody
from tests.security.authorisation.routes import name_of

LED = ">"
"""Before the name of the route to which an answer leads."""
FAR_AWAY = "203.0.113.9"
OTHER_METHODS = ("PUT", "PATCH", "DELETE")


@dataclass
class Asked:
    """What was asked, and what was unexpected."""

    requests: Counter[str] = field(default_factory=Counter)
    unexpected: list[str] = field(default_factory=list)

    def note(self, role: str, what: str, *, expected: str, came: str) -> None:
        self.requests[role] += 1
        if came != expected:
            self.unexpected.append(f"{role} {what}: {came}, expected {expected}")

    @property
    def listed(self) -> str:
        return "\n".join(self.unexpected)

    def __str__(self) -> str:
        return f"{len(self.requests)} roles, {sum(self.requests.values())} requests, {len(self.unexpected)} unexpected"


class Browser:
    """One for everybody in turn: each request comes from a browser as it was left, and what is written for it is taken back."""

    def __init__(self) -> None:
        self._client = Client(raise_request_exception=False, REMOTE_ADDR=FAR_AWAY)

    def ask(
        self,
        who: Somebody,
        method: str,
        address: str,
        data: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        self._client.cookies.clear()
        if who.cookie:
            self._client.cookies["sessionid"] = who.cookie
        for each in (data or {}).values():
            if isinstance(each, File):
                each.seek(0)  # a file that somebody sent before
        send = getattr(self._client, method.lower())
        with transaction.atomic():
            answer = send(address, *([data or {}] if method in {"GET", "POST"} else []), headers=headers)
            if answer.streaming and not answer.is_async:
                assert b"".join(answer)
            transaction.set_rollback(True)
        return answer


def told(answer: Any) -> str:
    """As the tables write it: a status, or where it leads."""
    if answer.status_code in {301, 302, 303, 307, 308}:
        return LED + name_of(answer.headers["Location"])
    return str(answer.status_code)
