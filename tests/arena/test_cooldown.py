"""Under attack new guests wait; everybody else goes on."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.core import signing
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from arena.models import Cooldown, Participant, User
from arena.services import cooldown
from arena.services.campaigns import ensure_default_campaign
from arena.types import CooldownMode

pytestmark = pytest.mark.django_db
NOW = datetime(2046, 3, 19, 10, 0, 20, tzinfo=UTC)
AGREED = {"adult": "on"}


@pytest.fixture(autouse=True)
def world(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    settings.LEHIA_PROXIES = 1
    ensure_default_campaign()
    Cooldown.objects.get_or_create(pk=1)
    at(monkeypatch, 0)


def at(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    moment = NOW + timedelta(seconds=seconds)
    monkeypatch.setattr(timezone, "now", lambda: moment)


def said(mode: CooldownMode) -> None:
    Cooldown.objects.update_or_create(pk=1, defaults={"mode": mode.value})


def agree(client: Client, address: str = "192.0.2.1", **more: str) -> tuple[int, str]:
    """The status, and the ticket of whoever has to wait."""
    answer = client.post(reverse("consent"), AGREED | more, headers={"X-Forwarded-For": address})
    found = re.search('name="ticket" value="([^"]*)"', answer.content.decode())
    assert (answer.status_code == 429) is (found is not None)
    if found is not None:
        assert int(answer.headers["Retry-After"]) > 0
    return answer.status_code, found[1] if found else ""


def test_as_long_as_no_more_come_than_usual_nobody_waits(settings: Settings) -> None:
    settings.LEHIA_USUAL_GUESTS = 3
    statuses = [agree(Client(), f"192.0.{n}.1")[0] for n in range(5)]
    assert statuses == [302, 302, 302, 429, 429]


def test_a_crowd_of_one_network_waits_and_others_do_not(settings: Settings) -> None:
    settings.LEHIA_USUAL_GUESTS_OF_NETWORK = 2
    assert [agree(Client(), f"192.0.2.{n}")[0] for n in range(4)] == [302, 302, 429, 429]
    assert agree(Client(), "198.51.100.1")[0] == 302
    assert [agree(Client(), f"2001:db8:0:{n}::1")[0] for n in range(3)] == [302, 302, 429]
    assert agree(Client(), "2001:db8:1::1")[0] == 302


def test_messages_beyond_what_is_usual_make_new_guests_wait_and_it_passes(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.LEHIA_USUAL_MESSAGES = 2
    for _ in range(3):
        cooldown.note_message("198.51.100.1")
    assert agree(Client())[0] == 429
    at(monkeypatch, 2 * cooldown.WINDOW.total_seconds())
    assert agree(Client())[0] == 302


def test_who_has_waited_is_let_in_once(monkeypatch: pytest.MonkeyPatch) -> None:
    said(CooldownMode.ON)
    client = Client()
    status, ticket = agree(client)
    at(monkeypatch, cooldown.WAIT_S - 1)
    assert agree(client, ticket=ticket) == (status, ticket) == (429, ticket)
    at(monkeypatch, cooldown.WAIT_S)
    assert not Participant.objects.exists()
    assert agree(client, ticket=ticket)[0] == 302
    assert Participant.objects.count() == 1
    assert agree(Client(), ticket=ticket)[0] == 429
    assert agree(client)[0] == 302, "who is here already goes on"


def test_tickets_are_neither_made_up_nor_lent_nor_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    said(CooldownMode.ON)
    _, ticket = agree(Client())
    at(monkeypatch, cooldown.WAIT_S)
    for other in (ticket[:-1] + "_", "", "x", signing.Signer(salt="other").sign("a 2403000000 192.0.2.0/24")):
        assert agree(Client(), ticket=other)[0] == 429
    assert agree(Client(), "198.51.100.1", ticket=ticket)[0] == 429
    at(monkeypatch, cooldown.TICKET_LIVES_S + 1)
    assert agree(Client(), ticket=ticket)[0] == 429


def test_of_a_network_so_many_are_let_in_a_minute(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.LEHIA_COOLDOWN_GUESTS = 2
    said(CooldownMode.ON)
    tickets = [agree(Client())[1] for _ in range(3)]
    other = agree(Client(), "198.51.100.1")[1]
    at(monkeypatch, cooldown.WAIT_S)
    assert [agree(Client(), ticket=each)[0] for each in tickets] == [302, 302, 429]
    assert agree(Client(), "198.51.100.1", ticket=other)[0] == 302
    at(monkeypatch, cooldown.WAIT_S + 60)
    assert agree(Client(), ticket=tickets[-1])[0] == 302


def test_accounts_are_let_through() -> None:
    said(CooldownMode.ON)
    client = Client()
    client.force_login(User.objects.create_user("ane"))
    assert agree(client)[0] == 302


def test_the_page_of_a_battle_is_told_without_scripts_and_with_them() -> None:
    said(CooldownMode.ON)
    assert (
        Client().post(reverse("consent"), AGREED, headers={"Accept": "application/json"}).status_code == 429
    )


def test_staff_see_it_and_switch_it(client: Client, settings: Settings) -> None:
    staff = User.objects.create_superuser("maite")
    client.force_login(staff)
    settings.LEHIA_USUAL_GUESTS = 1
    for n in range(2):
        agree(Client(), f"192.0.{n}.1")
    address = reverse("admin:arena_cooldown_change", args=[1])
    page = client.get(address).content.decode()
    assert ">2<" in page
    assert 'alt="True"' in page
    assert client.post(address, {"mode": "off"}).status_code == 302
    assert agree(Client())[0] == 302
    assert client.post(address, {"mode": "on"}).status_code == 302
    assert agree(Client())[0] == 429
    assert client.get(reverse("admin:arena_cooldown_add")).status_code == 403
    assert client.get(reverse("admin:arena_cooldown_delete", args=[1])).status_code == 403
