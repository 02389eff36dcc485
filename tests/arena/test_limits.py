"""Limits of volunteers and addresses: held by two real processes together, past their restarts, whatever ``X-Forwarded-For`` says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
from channels.db import database_sync_to_async
from django.db import connection
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone
from pytest_django import Settings

from arena.errors import Refused
from arena.line import Line
from arena.models import Battle, RateWindow
from arena.protocol import TurnFrame
from arena.services import limits
from arena.services.campaigns import ensure_default_campaign
from arena.services.limits import Doing, Limit, wait_for
from arena.types import RefusalCode
from tests.arena.attacked import attacked
from tests.arena.builders import make_campaign, make_participant, ready_battle
from tests.arena.test_processes import Site, valkey
from tests.arena.test_socket import cookie_of
from tests.valkey import Valkey

__all__ = ["valkey"]
NOW = datetime(2046, 3, 19, 10, 0, 20, tzinfo=UTC)
SMALL = Limit(2, 4)


@pytest.fixture(autouse=True)
def strict(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.LEHIA_LIMITS_SCALE = 1
    at(monkeypatch, NOW)


def at(monkeypatch: pytest.MonkeyPatch, moment: datetime) -> None:
    monkeypatch.setattr(timezone, "now", lambda: moment)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LIMITS", dict.fromkeys(Doing, SMALL))


@pytest.mark.django_db
def test_a_person_has_a_limit_and_an_address_another(small: None) -> None:
    def ask(person: str, address: str = "192.0.2.1") -> int | None:
        return wait_for(Doing.VOTE, person=person, address=address)

    assert [ask("a"), ask("a"), ask("a")] == [None, None, 40]
    assert [ask("b"), ask("b")] == [None, 40]  # the address's fifth, a refused one counted too
    assert ask("c", "192.0.2.1") == 40
    assert ask("c", "198.51.100.1") is None


@pytest.mark.django_db
def test_ipv6_counts_by_its_network(small: None) -> None:
    asked = [wait_for(Doing.VOTE, person=None, address=f"2001:db8::{n}") for n in range(1, 6)]
    assert asked == [None] * 4 + [40]
    assert wait_for(Doing.VOTE, person=None, address="2001:db8:0:1::1") is None


@pytest.mark.django_db
def test_each_doing_has_a_window_of_its_own(monkeypatch: pytest.MonkeyPatch, small: None) -> None:
    monkeypatch.setitem(limits.LIMITS, Doing.REPORT, Limit(1, 9, limits.HOUR))
    assert [wait_for(Doing.REPORT, person="a", address="") for _ in range(2)] == [None, 3580]
    assert wait_for(Doing.VOTE, person="a", address="") is None
    at(monkeypatch, NOW + timedelta(minutes=59, seconds=39))
    assert wait_for(Doing.REPORT, person="a", address="") == 1
    at(monkeypatch, NOW + timedelta(minutes=59, seconds=40))
    assert wait_for(Doing.REPORT, person="a", address="") is None


@pytest.mark.django_db
def test_whoever_floods_is_refused_without_a_query(small: None, django_assert_num_queries: Any) -> None:
    for _ in range(5):
        wait_for(Doing.VOTE, person=None, address="192.0.2.1")
    with django_assert_num_queries(0):
        assert wait_for(Doing.VOTE, person="a", address="192.0.2.1") == 40
    with django_assert_num_queries(1):
        assert wait_for(Doing.VOTE, person="a", address="192.0.2.9") is None


@pytest.mark.django_db
def test_what_is_remembered_of_floods_is_bounded(small: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_SHUT", 3)
    for host in range(9):
        for _ in range(5):
            wait_for(Doing.VOTE, person=None, address=f"192.0.2.{host}")
    assert len(limits._shut) == 3


@pytest.mark.django_db
def test_no_address_and_nobody_is_stored(small: None) -> None:
    wait_for(Doing.VOTE, person="somebody", address="192.0.2.1")
    assert "192.0.2" not in str(stored := list(RateWindow.objects.values()))
    assert "somebody" not in str(stored)


@pytest.mark.django_db(transaction=True)
def test_a_vote_beyond_the_limit_is_refused_in_the_visitors_language(client: Client, small: None) -> None:
    battle = ready_battle(participant := make_participant(make_campaign()))
    client.cookies["sessionid"] = cookie_of(participant)
    vote = {"content": "tie", "language": "tie"}
    address = reverse("vote", args=[battle.pk])
    assert [client.post(address, {"content": "x"}).status_code for _ in range(2)] == [422, 422]
    for language, says in (
        ("eu", "40 segundo"),
        ("es", "40 segundos"),
        ("fr", "40 secondes"),
        ("en", "40 seconds"),
    ):
        for headers in ({}, {"X-Requested-With": "fetch"}):
            answer = client.post(address, vote, headers={"Accept-Language": language, **headers})
            assert answer.status_code == HTTPStatus.TOO_MANY_REQUESTS
            assert answer.headers["Retry-After"] == "40"
            assert says in answer.content.decode()
    assert not Battle.objects.filter(status="voted")


def forms() -> Iterator[str]:
    """Every route's name."""

    def names(patterns: list[Any]) -> Iterator[str]:
        for each in patterns:
            if isinstance(each, URLResolver):
                yield from names(each.url_patterns)
            elif isinstance(each, URLPattern) and each.name:
                yield each.name

    yield from names(get_resolver().url_patterns)


def test_routes_that_have_limits_of_their_own_exist() -> None:
    from arena.limiting import _BY_NAME, _READS_COUNTED

    assert _BY_NAME.keys() | _READS_COUNTED.keys() <= set(forms())
    assert any(name.startswith("account_") for name in forms())
    assert any(name.startswith("mfa_") for name in forms())


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["/display/", "/accounts/login/", "/consent/", "/i18n/setlang/", "/admin/logout/"]
)
def test_whatever_writes_is_counted(client: Client, small: None, path: str) -> None:
    ensure_default_campaign()
    statuses = [client.post(path, {"next": "/"}).status_code for _ in range(5)]
    assert statuses[-1] == 429 not in statuses[:-1]


@pytest.mark.django_db
def test_reading_pages_is_not_counted(client: Client, small: None) -> None:
    ensure_default_campaign()
    assert {client.get("/about/").status_code for _ in range(9)} == {200}


@pytest.mark.django_db(transaction=True)
async def test_messages_are_counted_whatever_carries_them(small: None) -> None:
    participant = await database_sync_to_async(lambda: make_participant(ensure_default_campaign()))()
    line = Line(participant.pk, address="192.0.2.1")
    codes = []
    for _ in range(3):
        with pytest.raises(Refused) as caught:
            await line.take(TurnFrame(text="", key=uuid4()))
        codes.append((caught.value.code, caught.value.retry_s))
    assert codes == [(RefusalCode.EMPTY, None)] * 2 + [(RefusalCode.TOO_FAST, 40)]


# --- over the network


def settings_of(proxies: int) -> dict[str, str]:
    return {"LEHIA_PROXIES": str(proxies), "LEHIA_LIMITS_SCALE": "1", "LEHIA_API_PER_ADDRESS": "1"}


@contextmanager
def sites(repository: Path, valkey: Valkey, proxies: int) -> Iterator[list[Site]]:
    env = settings_of(proxies)
    with attacked(repository, valkey, **env) as one, attacked(repository, valkey, **env) as other:
        yield [one, other]


async def asked(made: list[Site], forwarded: Callable[[int], str], count: int) -> list[int]:
    """Statuses of requests to the API, by turns of both processes."""
    async with aiohttp.ClientSession() as http:
        statuses = []
        for n in range(count):
            headers = {"X-Forwarded-For": forwarded(n)} if forwarded(n) else {}
            async with http.get(f"{made[n % 2].address}/api/v1/boards", headers=headers) as answer:
                statuses.append(answer.status)
        return statuses


def requests_counted() -> list[int]:
    """By whom, over all windows: a minute may have ended meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(requests) FROM arena_ratewindow GROUP BY key ORDER BY 1")
        return [int(n) for (n,) in cursor.fetchall()]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "proxies", [pytest.param(0, marks=pytest.mark.security), 1, pytest.param(2, marks=pytest.mark.security)]
)
async def test_a_made_up_forwarded_for_changes_no_limit_and_two_processes_count_as_one(
    repository: Path, valkey: Valkey, proxies: int
) -> None:
    """What our proxies add stays the same; what stands before it is another each time."""
    added = ", ".join(["198.51.100.9", "10.0.0.2"][:proxies])

    def made_up(n: int) -> str:
        return ", ".join(filter(None, [f"203.0.113.{n}", f"2001:db8:{n}::1", added]))

    await database_sync_to_async(ensure_default_campaign)()
    with sites(repository, valkey, proxies) as made:
        statuses = await asked(made, made_up, 12)
        assert statuses.count(200) in {1, 2}, "one, and one more if a minute ended meanwhile"
        assert statuses.count(429) == 12 - statuses.count(200)
        (before,) = await database_sync_to_async(requests_counted)()
        if proxies:
            neighbours = [added.replace(".9", f".{n + 10}") for n in range(4)]
            assert await asked(made, neighbours.__getitem__, 4) == [200] * 4
    await database_sync_to_async(RateWindow.objects.filter(requests=1).delete)()
    with attacked(repository, valkey, **settings_of(proxies)) as again:
        await asked([again, again], made_up, 1)
        assert sum(await database_sync_to_async(requests_counted)()) > before, (
            "past a restart, the same key counts on"
        )
        assert len(await database_sync_to_async(requests_counted)()) == 1
