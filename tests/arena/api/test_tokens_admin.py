"""Tokens in the admin: who may issue them, that each is shown once, and what is seen of it afterwards."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from arena.models import ApiToken, User
from arena.selectors.tokens import digest_of
from arena.types import ApiScope
from tests.arena.api.callers import assert_problem, get, researcher, token

pytestmark = pytest.mark.django_db
LIST = "/admin/arena/apitoken/"


def staff(client: Client, *permissions: str) -> Client:
    person = User.objects.create_user("langilea", password="pasahitz luzea", is_staff=True)
    for name in permissions:
        person.user_permissions.add(Permission.objects.get(content_type__app_label="arena", codename=name))
    client.force_login(person)
    return client


def form(owner: str) -> dict[str, object]:
    return {"owner": owner, "name": "tesia", "scopes": ["candidates"], "days": 30}


def test_a_token_is_shown_once_and_opens_what_was_ticked(client: Client) -> None:
    admin = staff(client, "view_apitoken", "add_apitoken")
    owner = researcher()
    answer = admin.post(f"{LIST}add/", form(owner.email.upper()))
    shown = re.search(r'<code id="token">([^<]+)</code>', answer.content.decode())
    assert shown
    assert "no-store" in answer.headers["Cache-Control"]
    made = ApiToken.objects.get()
    assert (made.owner, made.name, made.scopes) == (owner, "tesia", ["candidates"])
    assert made.digest == digest_of(shown[1])
    assert (made.expires_at - made.created_at).days in {29, 30}
    for page in (LIST, f"{LIST}{made.pk}/change/", f"{LIST}{made.pk}/history/"):
        assert shown[1] not in admin.get(page).content.decode()
    assert get(Client(), "/token", shown[1]).json()["scopes"] == ["candidates"]


@pytest.mark.parametrize(
    "wrong",
    [{"owner": "inor"}, {"scopes": ["everything"]}, {"days": 0}, {"days": 9999}, {"name": ""}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_a_form_that_is_not_right_issues_nothing(client: Client, wrong: dict[str, object]) -> None:
    admin = staff(client, "view_apitoken", "add_apitoken")
    answer = admin.post(f"{LIST}add/", {**form(researcher().username), **wrong})
    assert answer.status_code == 200
    assert "errorlist" in answer.content.decode()
    assert not ApiToken.objects.exists()


def test_two_accounts_of_one_address_are_nobody_in_particular(client: Client) -> None:
    first, second = researcher(), researcher()
    User.objects.filter(pk=second.pk).update(email=first.email)
    admin = staff(client, "view_apitoken", "add_apitoken")
    admin.post(f"{LIST}add/", form(first.email))
    assert not ApiToken.objects.exists()


def test_who_may_only_look_issues_and_revokes_nothing(client: Client) -> None:
    made = token()
    admin = staff(client, "view_apitoken")
    assert admin.get(f"{LIST}add/").status_code == 403
    assert admin.post(f"{LIST}add/", form(researcher().username)).status_code == 403
    admin.post(LIST, {"action": "revoke", "_selected_action": [made.token.pk]})
    assert ApiToken.objects.get().revoked_at is None


def test_a_revoked_token_opens_nothing_from_then_on(client: Client) -> None:
    made = token(ApiScope.VOTES)
    assert get(Client(), "/token", made.secret).status_code == 200
    admin = staff(client, "view_apitoken", "change_apitoken")
    admin.post(LIST, {"action": "revoke", "_selected_action": [made.token.pk]})
    assert_problem(get(Client(), "/token", made.secret), 401)
    history = admin.get(f"{LIST}{made.token.pk}/history/").content.decode()
    assert "revoked" in history


def test_use_is_shown_by_day_and_scope(client: Client) -> None:
    made = token(ApiScope.CANDIDATES)
    for _ in range(3):
        get(Client(), "/boards", made.secret)
    get(Client(), "/candidates/nobody/provenance", made.secret)  # not answered, and so not counted
    admin = staff(client, "view_apitoken", "view_apitokenuse")
    page = admin.get(f"{LIST}{made.token.pk}/change/").content.decode()
    assert re.search(r"field-requests[^>]*>\s*<p>3</p>", page)
    assert made.token.prefix in admin.get(LIST).content.decode()
