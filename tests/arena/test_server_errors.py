"""Pages of requests that failed: in the visitor's language, also where the database is what failed."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.db import OperationalError
from django.test import Client
from django.utils.html import escape
from django.utils.translation import gettext, override

from arena.selectors import campaigns
from arena.session_store import SessionStore

LANGUAGES = [code for code, _ in settings.LANGUAGES]


def page(language: str, path: str = "/") -> str:
    client = Client(raise_request_exception=False)
    client.cookies["django_language"] = language
    client.cookies["sessionid"] = "a" * 32
    answer = client.get(path)
    assert answer.status_code == 500
    return str(answer.content.decode())


def is_told_in(language: str, body: str) -> bool:
    with override(language):
        return f'<html lang="{language}">' in body and escape(gettext("Something went wrong")) in body


def away(*_: object, **__: object) -> None:
    raise OperationalError("the connection is lost")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_view_that_fails_is_told_in_the_visitors_language(
    monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    monkeypatch.setattr(campaigns, "current_campaign", away)
    assert is_told_in(language, page(language))


@pytest.mark.parametrize("language", LANGUAGES)
def test_sessions_that_cannot_be_read_are_told_in_the_visitors_language(
    monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    monkeypatch.setattr(SessionStore, "load", away)
    assert is_told_in(language, page(language, "/me/"))


@pytest.mark.django_db
@pytest.mark.parametrize("fields", [1, settings.DATA_UPLOAD_MAX_NUMBER_FIELDS + 1])
def test_a_form_sent_nowhere_is_not_found_however_long_it_is(fields: int) -> None:
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.cookies["csrftoken"] = "a" * 32
    assert client.post("/battle/1/vote/", {f"f{n}": "x" for n in range(fields)}).status_code == 404
