"""Planted words are on no page of anybody else, and in no answer of the API."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from arena import sessions
from arena.models import Turn, User
from arena.services import people
from arena.types import ApiScope
from tests.arena.api.callers import token
from tests.arena.builders import make_participant
from tests.arena.canaries.world import NICKNAME, Reader, World, leaks
from tests.arena.exports.made import voted
from tests.arena.releases.made import held

pytestmark = pytest.mark.django_db(transaction=True)


def of_battles(world: World) -> list[str]:
    """Addresses that are theirs alone."""
    ids = [world.planted.voted.pk, world.planted.running.battle_id, world.published.pk]
    names = ("battle", "battle_line", "feedback", "report_battle", "judged_pair", "vote")
    return [reverse(name, args=[each]) for name in names for each in ids]


def guest() -> Client:
    client = Client()
    session = client.session
    sessions.remember_participant(session, make_participant().pk)
    session.save()
    return client


def volunteer() -> Client:
    """With an account, and battles of their own."""
    client, user = Client(), User.objects.create_user("jon", "jon@adibidea.eus")
    own = people.join_guest(guest_id=make_participant().pk, user=user)
    voted(own, text="Jonena")
    client.force_login(user)
    session = client.session
    sessions.remember_participant(session, own.pk)
    session.save()
    return client


def researcher() -> Client:
    made = token(*ApiScope)
    client = Client(headers={"Authorization": f"Bearer {made.secret}"})
    assert made.token.owner is not None
    client.force_login(made.token.owner)
    return client


def test_no_page_of_anybody_else_shows_one(world: World, caplog: pytest.LogCaptureFixture) -> None:
    held()
    addresses = ("/", "/me/", "/data/", "/status/", "/campaigns/", "/metrics", "/healthz", "/readyz")
    for somebody in (guest, volunteer, researcher):
        read = Reader(somebody()).go(*addresses, *of_battles(world))
        assert len(read) > 40
        told = {address: found for address, text in read.items() if (found := leaks(text, but=(NICKNAME,)))}
        assert told == {}, somebody.__name__
        assert all(NICKNAME not in text or "/campaigns/" in address for address, text in read.items())
    assert leaks(caplog.text) == []


def test_the_api_tells_none_whatever_a_token_may_read(world: World) -> None:
    held()
    document = Client().get("/api/v1/openapi.json").json()
    known = {
        "slug": "lehia",
        "board": "lehia",
        "code": Turn.objects.select_related("battle__candidate_a").first().battle.candidate_a.code,  # type: ignore[union-attr]  # there is one
    }
    addresses = [
        re.sub(r"\{(\w+)\}", lambda name: known.get(name[1], "1"), path) for path in document["paths"]
    ]
    for scopes in ((), (ApiScope.CANDIDATES,), (ApiScope.VOTES,), tuple(ApiScope)):
        reader = Reader(Client(headers={"Authorization": f"Bearer {token(*scopes).secret}"}))
        read = reader.go("/api/v1/token", *addresses)
        assert sum(text.startswith("200") for text in read.values()) >= 4
        assert {address: found for address, text in read.items() if (found := leaks(text))} == {}, scopes
