"""How often somebody may ask: each token, and each address without one, across processes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from pytest_django.fixtures import Settings

from arena import settings as site
from arena.models import RateWindow
from arena.services import limits
from arena.tasks import prune_api
from tests.arena.api.callers import assert_problem, token

pytestmark = pytest.mark.django_db
NOW = datetime(2046, 3, 19, 10, 0, 20, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    settings.LEHIA_API_PER_ADDRESS, settings.LEHIA_API_PER_TOKEN = 2, 3
    at(monkeypatch, NOW)


def at(monkeypatch: pytest.MonkeyPatch, moment: datetime) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: moment)


def asked(client: Client, times: int, secret: str = "", address: str = "192.0.2.1") -> list[int]:
    sent = {"Authorization": f"Bearer {secret}"} if secret else {}
    return [client.get("/api/v1/boards", headers=sent, REMOTE_ADDR=address).status_code for _ in range(times)]


def test_an_address_that_asks_too_often_is_told_how_long_to_wait(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert asked(client, 3) == [200, 200, 429]
    answer = client.get("/api/v1/nowhere", REMOTE_ADDR="192.0.2.1")  # what is not there counts too
    assert "2 requests a minute" in assert_problem(answer, 429)["detail"]
    assert answer.headers["Retry-After"] == "40"
    assert asked(client, 1, address="192.0.2.2") == [200]
    at(monkeypatch, NOW + timedelta(seconds=40))
    assert asked(client, 1) == [200]


def test_a_household_of_ipv6_addresses_is_one(client: Client) -> None:
    assert asked(client, 2, address="2001:db8::1") == [200, 200]
    assert asked(client, 1, address="2001:db8::ffff:2") == [429]
    assert asked(client, 1, address="2001:db8:0:1::1") == [200]


def test_a_token_has_a_limit_of_its_own_wherever_it_is_used(client: Client) -> None:
    one, other = token().secret, token().secret
    assert asked(client, 2) == [200, 200]
    assert asked(client, 2, one) + asked(client, 2, one, address="192.0.2.9") == [200, 200, 200, 429]
    assert asked(client, 1, other) == [200]


def test_guesses_at_tokens_count_for_the_address_that_makes_them(client: Client) -> None:
    assert asked(client, 3, "lehia_asmatua") == [401, 401, 429]
    assert asked(client, 1) == [429]


def test_behind_our_proxies_it_is_the_visitor_who_counts(client: Client, settings: Settings) -> None:
    settings.LEHIA_PROXIES = 1
    sent = [
        client.get("/api/v1/boards", headers={"X-Forwarded-For": f"198.51.100.7, {last}"}).status_code
        for last in ("192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2")
    ]
    assert sent == [200, 200, 429, 200]
    assert client.get("/api/v1/boards").status_code == 200  # past the proxy: no address that can be trusted


def test_no_address_is_stored(client: Client) -> None:
    asked(client, 1)
    assert "192.0.2.1" not in str(RateWindow.objects.values().get())


@pytest.mark.django_db(transaction=True)
def test_processes_that_count_at_once_lose_nothing() -> None:
    def count(_: int) -> bool:
        try:
            return limits.seconds_to_wait("somebody", most=10) is None
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(count, range(24))) == 10
    assert 10 < RateWindow.objects.get().requests <= 24, (
        "those beyond are refused from memory, as soon as it is known"
    )


def test_counts_that_are_over_are_forgotten_by_beat(monkeypatch: pytest.MonkeyPatch) -> None:
    limits.seconds_to_wait("somebody", most=1)
    at(monkeypatch, NOW + timedelta(hours=3))
    limits.seconds_to_wait("somebody", most=1)
    assert prune_api() == 1
    assert RateWindow.objects.get().minute == datetime(2046, 3, 19, 13, 0, tzinfo=UTC)
    assert "arena.tasks.prune_api" in {each["task"] for each in site.CELERY_BEAT_SCHEDULE.values()}
