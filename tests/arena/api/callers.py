"""Who asks the API in tests."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import Any

from django.test import Client
from django.utils import timezone

from arena.api.document import operations_of
from arena.api.site import api
from arena.models import ApiToken, User
from arena.services.tokens import Issued, issue
from arena.types import ApiScope

_numbers = count(1)
ROOT = "/api/v1"


def researcher() -> User:
    number = next(_numbers)
    return User.objects.create_user(f"ikertzailea-{number}", email=f"ikertzailea{number}@adibidea.eus")


def token(*scopes: ApiScope, owner: User | None = None) -> Issued:
    expires_at = timezone.now() + timedelta(days=1)
    return issue(owner=owner or researcher(), name="proba", scopes=scopes, expires_at=expires_at)


def expired(*scopes: ApiScope) -> Issued:
    made = token(*scopes)
    now = timezone.now()
    ApiToken.objects.filter(pk=made.token.pk).update(
        created_at=now - timedelta(days=2), expires_at=now - timedelta(seconds=1)
    )
    return made


def get(client: Client, path: str, secret: str = "", **headers: str) -> Any:
    """The answer to a GET of *path* under the API's root, with this token if one is given."""
    sent = {"Authorization": f"Bearer {secret}"} if secret else {}
    return client.get(f"{ROOT}{path}", headers={**sent, **headers})


def operations() -> dict[str, dict[str, Any]]:
    """What the API describes, by name."""
    return {each["operationId"]: each for each in operations_of(api.get_openapi_schema())}


def assert_problem(answer: Any, status: int) -> dict[str, Any]:
    """The one form of refusals: nothing of the site's inside in it."""
    assert answer.status_code == status, answer.content
    assert answer.headers["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body.keys() == {"type", "title", "status", "detail", "errors"}
    assert body["status"] == status
    assert body["detail"]
    assert "Traceback" not in answer.content.decode()
    return body
