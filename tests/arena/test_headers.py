"""The headers of whatever the site answers: pages, the admin, accounts, the API, files, refusals and errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from arena.models import User
from arena.services.campaigns import ensure_default_campaign
from tests.arena.builders import make_campaign, make_participant, ready_battle
from tests.arena.crawler import api_addresses, crawl
from tests.arena.test_socket import cookie_of

pytestmark = pytest.mark.django_db
POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "font-src": "'self'",
    "connect-src": "'self'",
    "manifest-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
}
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def check(answer: Any, what: str) -> None:
    directives = (each.split(maxsplit=1) for each in answer.headers["Content-Security-Policy"].split("; "))
    assert {name: value for name, value in directives} == POLICY, what  # noqa: C416  # pairs become a dict
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS, what
    assert "camera=()" in answer.headers["Permissions-Policy"], what
    assert "Server" not in answer.headers, what
    if answer.streaming and not answer.is_async:
        b"".join(answer)  # a file, which is closed once it is read


class Checking(Client):
    """Looks at the headers of all that it is answered."""

    seen = 0

    def request(self, **request: Any) -> Any:
        answer = super().request(**request)
        check(answer, str(request.get("PATH_INFO")))
        self.seen += 1
        return answer


def test_all_pages_of_a_volunteer_have_them() -> None:
    participant = make_participant(make_campaign())
    battle = ready_battle(participant)
    client = Checking()
    client.cookies["sessionid"] = cookie_of(participant)
    crawl(client, "/", follow=lambda path: not path.startswith("/leaderboard/") and "?" not in path)
    client.get(reverse("battle", args=[battle.pk]))
    client.post(reverse("vote", args=[battle.pk]), {"content": "tie"})
    for address in api_addresses(client):
        client.get(address)
    assert client.seen > 20


def test_the_admin_has_them() -> None:
    ensure_default_campaign()
    client = Checking()
    client.force_login(User.objects.create_superuser("maite"))
    assert client.get(reverse("admin:index")).status_code == 200
    for model in admin.site._registry:
        base = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        assert client.get(reverse(f"{base}_changelist")).status_code == 200
        if model._meta.managed:
            client.get(reverse(f"{base}_add"))


def pages() -> Iterator[tuple[str, str, int]]:
    yield from (
        ("GET", path, 200) for path in ("/accounts/login/", "/accounts/signup/", "/accounts/login/code/")
    )
    yield from (
        ("GET", path, 200)
        for path in ("/api/explore/", "/api/v1/openapi.json", "/healthz", "/manifest.webmanifest")
    )
    yield from (
        ("GET", path, 404) for path in ("/nowhere", "/static/nowhere", "/api/v1/nowhere", "/data/nowhere/")
    )
    yield from (
        ("GET", "/static/css/base.css", 200),
        ("GET", "/static/js/battle.js", 200),
        ("GET", "/metrics", 403),
    )
    yield from (("GET", "/consent/", 405), ("GET", "/me/data.json", 404), ("POST", "/api/v1/boards", 405))


@pytest.mark.parametrize(("method", "path", "status"), list(pages()))
def test_accounts_files_and_refusals_have_them(method: str, path: str, status: int) -> None:
    ensure_default_campaign()
    answer = Checking().generic(method, path, headers={"X-Forwarded-For": "192.0.2.1"})
    assert answer.status_code == status


def test_a_forged_form_a_wrong_host_and_a_redirect_to_https_have_them(settings: Settings) -> None:
    ensure_default_campaign()
    assert Checking(enforce_csrf_checks=True).post("/consent/").status_code == 403
    assert Checking().get("/", headers={"Host": "adibidea.eus"}).status_code == 400
    settings.SECURE_SSL_REDIRECT = True
    assert Checking().get("/").status_code == 301


def test_an_error_of_ours_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    ensure_default_campaign()

    def broken(_request: HttpRequest) -> HttpResponse:
        raise RuntimeError("planned")

    from arena.urls import urlpatterns

    (about,) = (each for each in urlpatterns if getattr(each, "name", "") == "about")
    view: Callable[[HttpRequest], HttpResponse] = broken
    monkeypatch.setattr(about, "callback", view)
    assert Checking(raise_request_exception=False).get("/about/").status_code == 500
