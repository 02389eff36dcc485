"""Who may read what: every route, whoever asks; tokens from their issue to their end."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from arena.models import ApiToken, ApiTokenUse
from arena.services.tokens import MARK, Issued, issue, revoke
from arena.types import ApiScope
from tests.arena.api.callers import assert_problem, expired, get, operations, researcher, token
from tests.arena.api.worlds import World

pytestmark = pytest.mark.django_db
OPERATIONS = operations()


SCOPED: dict[str, str] = {name: each["x-scope"] for name, each in OPERATIONS.items() if "x-scope" in each}


def statuses(answers: dict[str, Any]) -> dict[str, int]:
    return {name: answer.status_code for name, answer in answers.items()}


def revoked(*scopes: ApiScope) -> Issued:
    made = token(*scopes)
    revoke(token_id=made.token.pk)
    return made


def of_nobody_active(*scopes: ApiScope) -> Issued:
    made = token(*scopes)
    assert made.token.owner is not None
    made.token.owner.is_active = False
    made.token.owner.save()
    return made


def of_somebody_deleted(*scopes: ApiScope) -> Issued:
    made = token(*scopes)
    assert made.token.owner is not None
    made.token.owner.delete()
    return made


def test_the_addresses_of_these_tests_are_all_routes_there_are(world: World) -> None:
    assert world.addresses.keys() == OPERATIONS.keys()


def test_without_a_token_only_what_is_public_is_read(client: Client, world: World) -> None:
    answers = {name: get(client, address) for name, address in world.addresses.items()}
    assert statuses(answers) == {name: 401 if name in SCOPED else 200 for name in OPERATIONS}
    for name in SCOPED:
        assert_problem(answers[name], 401)
        assert answers[name].headers["WWW-Authenticate"] == 'Bearer realm="lehia"'


def test_a_token_of_all_other_scopes_does_not_open_a_route(client: Client, world: World) -> None:
    others = {
        scope: token(*(each for each in ApiScope if each.value != scope)).secret for scope in SCOPED.values()
    }
    answers = {name: get(client, world.addresses[name], others[scope]) for name, scope in SCOPED.items()}
    assert statuses(answers) == {name: 403 if scope else 200 for name, scope in SCOPED.items()}
    for name, scope in SCOPED.items():
        assert not scope or scope in assert_problem(answers[name], 403)["detail"]
    assert set(ApiTokenUse.objects.values_list("scope", flat=True)) <= {""}


def test_the_right_scope_opens_a_route_and_the_use_is_counted(client: Client, world: World) -> None:
    made = token(*ApiScope)
    for name in OPERATIONS:
        needed = SCOPED.get(name, "")
        exact = token(*([ApiScope(needed)] if needed else []))
        for secret in (made.secret, exact.secret, exact.secret):
            assert get(client, world.addresses[name], secret).status_code == 200, name
        used = ApiTokenUse.objects.get(token=exact.token)
        assert (used.scope, used.requests, used.day) == (needed, 2, timezone.now().date())
    assert sum(each.requests for each in made.token.uses.all()) == len(OPERATIONS)


@pytest.mark.parametrize("made_by", [revoked, expired, of_nobody_active, of_somebody_deleted])
def test_a_token_that_is_over_opens_nothing_at_all(
    client: Client, world: World, made_by: Callable[..., Issued]
) -> None:
    secret = made_by(*ApiScope).secret
    answers = {name: get(client, address, secret) for name, address in world.addresses.items()}
    assert statuses(answers) == dict.fromkeys(OPERATIONS, 401)
    for answer in answers.values():
        assert_problem(answer, 401)
        assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    assert not ApiTokenUse.objects.exists()


@pytest.mark.parametrize(
    "sent", ["Bearer", "Bearer ", "Basic YTpi", "lehia_x", "Bearer lehia_x y", "Bearer ñ\x00"]
)
def test_what_is_no_token_is_refused_on_public_routes_too(client: Client, sent: str) -> None:
    assert_problem(client.get("/api/v1/boards", headers={"Authorization": sent}), 401)


def test_only_a_hash_of_a_token_is_kept() -> None:
    made = token()
    kept = ApiToken.objects.values().get()
    assert made.secret not in str(kept)
    assert made.secret.startswith(kept["prefix"])
    assert len(made.secret) - len(kept["prefix"]) > 30  # what is shown tells little of it
    assert token().secret != made.secret


def test_a_revoked_token_stays_revoked_since_then() -> None:
    made = revoked()
    first = ApiToken.objects.get().revoked_at
    revoke(token_id=made.token.pk)
    assert first is not None
    assert ApiToken.objects.get().revoked_at == first


def test_the_database_refuses_a_scope_that_there_is_not_and_a_token_without_an_end() -> None:
    made = token()
    for wrong in ({"scopes": ["everything"]}, {"expires_at": made.token.created_at}):
        with pytest.raises(IntegrityError), transaction.atomic():
            ApiToken.objects.filter(pk=made.token.pk).update(**wrong)


def test_a_token_is_told_what_it_may_read(client: Client) -> None:
    ends = timezone.now() + timedelta(days=9)
    made = issue(owner=researcher(), name="koadernoa", scopes=[ApiScope.VOTES], expires_at=ends)
    told = get(client, "/token", made.secret).json()
    assert told == {
        "prefix": made.token.prefix,
        "name": "koadernoa",
        "scopes": ["votes"],
        "expires_at": ends.isoformat(),
        "requests_per_minute": 1_000_000,
    }


def test_the_scopes_table_of_the_documentation_is_what_the_api_asks_for(repository: Path) -> None:
    text = (repository / "docs" / "api.md").read_text()
    told = dict(re.findall(r"^\| `(/[^`]*)` \| ([^|]*) \|", text, re.MULTILINE))
    words = {None: "everybody", "": "any token"}
    asked = {
        each["x-path"].removeprefix("/api/v1"): words.get(each.get("x-scope"), f"`{each.get('x-scope')}`")
        for each in OPERATIONS.values()
    }
    assert told == asked
    assert MARK in text
