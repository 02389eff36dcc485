"""Planted words are in no error page, error mail and log line."""

from __future__ import annotations

import logging

import pytest
from django.core import mail
from django.db import IntegrityError, connection
from django.urls import reverse
from pytest_django.fixtures import Settings

from arena.models import Turn
from tests.arena.canaries.world import World, leaks

pytestmark = pytest.mark.django_db(transaction=True)


def test_neither_error_pages_nor_their_mails_nor_logs_hold_one(
    world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A row that the database refuses, told by it in full, while they send what is theirs."""
    settings.ADMINS = [("Arduraduna", "arduraduna@adibidea.eus")]
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"

    def refused(**_: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO arena_turn (id, index, text, key, created_at, battle_id, language) "
                "SELECT gen_random_uuid(), 0, text, gen_random_uuid(), now(), battle_id, '' FROM arena_turn WHERE text ILIKE '%xagu%' LIMIT 1"
            )

    monkeypatch.setattr("arena.views.me.people_services.choose_nickname", refused)
    world.planted.client.raise_request_exception = False
    handler = logging.getLogger("django").handlers
    assert any(type(each).__name__ == "AdminEmailHandler" for each in handler)
    answer = world.planted.client.post(
        reverse("nickname") + "?bila=xagubila",
        {"nickname": "Xagubesteizena"},
        headers={"User-Agent": "Xagunabigatzailea", "X-Forwarded-For": "xagu-ip"},
    )
    assert answer.status_code == 500
    sent = [
        (str(each.body), [str(part) for part in getattr(each, "alternatives", [])], each.subject)
        for each in mail.outbox
    ]
    assert "turn_index_from_one" in str(sent)
    assert "turn_index_from_one" in caplog.text
    for told in (answer.content.decode(), str(sent), caplog.text):
        assert leaks(told) == []


def test_whoever_logs_a_refused_row_leaves_it_out(world: World, caplog: pytest.LogCaptureFixture) -> None:
    try:
        Turn.objects.filter(pk=world.planted.running.pk).update(index=0)
    except IntegrityError as error:
        assert leaks(str(error)), "the database tells it"
        logging.getLogger("celery.app.trace").exception("failed")
        logging.getLogger("uvicorn.error").exception("failed", exc_info=error)
    assert caplog.text.count("turn_index_from_one") >= 2
    assert leaks(caplog.text) == []


@pytest.mark.parametrize(
    "name", ["openai._base_client", "anthropic._base_client", "httpx2", "httpcore2.http11"]
)
def test_libraries_that_log_what_they_send_keep_still_at_debug(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    assert not logging.getLogger(name).isEnabledFor(logging.INFO)
