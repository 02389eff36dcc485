"""While a battle is open nothing public moves with it: whoever compares pages before and after learns nothing."""

from __future__ import annotations

import re
from collections import deque

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from arena.models import Battle, Campaign, Participant
from arena.selectors.judgements import Judgements
from arena.services import boards
from arena.services.votes import cast_vote
from ranking.types import Outcome
from tests.arena.builders import begin, finish, make_campaign, make_participant, ready_battle
from tests.arena.test_pages import signed_in

pytestmark = pytest.mark.django_db

# What may differ: snapshots and their times (the history is a list of these), form tokens, how many battles were begun today.
_MOVING = re.compile(
    r"[0-9a-f]{8}-[0-9a-f-]{27}|csrfmiddlewaretoken[^>]*>|\d{4}(?:ko|-)[^<]{0,30}\d{2}:\d{2}(?::[\d.+:Z]*)?|<dd>\d+</dd>"
)
_SKIPPED = re.compile(
    r"/(?:admin|static|i18n|battle|consent|display)/|/snapshots/|/planner/|/history/|criterion=(?:content|language)"
)


@pytest.fixture
def campaign() -> Campaign:
    """Four candidates that have met, and been published."""
    campaign = make_campaign(candidates=4)
    for place in range(24):
        volunteer = make_participant(campaign)
        battle = finish(begin(volunteer, text=f"Galdera {place}"))
        judgements = Judgements(list(Outcome)[place % 3], Outcome.TIE)
        cast_vote(battle_id=battle.pk, participant=volunteer, judgements=judgements)
    boards.publish(campaign.board)
    return campaign


def crawl(client: Client) -> dict[str, str]:
    """Every public page and download that can be reached from the start page and the board, by address."""
    pages: dict[str, str] = {}
    waiting = deque([reverse("start"), reverse("leaderboard")])
    while waiting:
        address = waiting.popleft()
        if address in pages or _SKIPPED.search(address):
            continue
        answer = client.get(address)
        body = b"".join(answer) if answer.streaming else answer.content
        pages[address] = _MOVING.sub("·", body.decode())
        if "text/html" in answer.headers["Content-Type"]:
            found = re.findall(r'href="(/[^"#]*|\?[^"#]*)', body.decode())
            base = address.partition("?")[0]
            waiting += (
                (base + each if each.startswith("?") else each).replace("&amp;", "&") for each in found
            )
    return pages


def crawl_after_a_vote(client: Client, battle: Battle) -> dict[str, str]:
    """What the public sees once the vote of *battle* is cast and published; it is taken back afterwards."""
    outside = transaction.savepoint()
    cast_vote(
        battle_id=battle.pk,
        participant=battle.participant,
        judgements=Judgements(Outcome.A_BETTER, Outcome.A_BETTER),
    )
    boards.publish(battle.campaign.board)
    pages = crawl(client)
    transaction.savepoint_rollback(outside)
    return pages


def test_a_battle_under_way_moves_no_public_page(client: Client, campaign: Campaign) -> None:
    other = ready_battle(make_participant(campaign))
    volunteer = make_participant(campaign)
    before = crawl_after_a_vote(client, other)
    assert len(before) > 30
    begin(volunteer, finish(begin(volunteer)), text="Eta orain?")
    after = crawl_after_a_vote(client, other)
    assert before.keys() == after.keys()
    assert not {address for address, text in before.items() if text != after[address]}


def test_the_volunteers_own_pages_name_nobody_until_the_vote(client: Client, campaign: Campaign) -> None:
    volunteer: Participant = make_participant(campaign)
    battle = ready_battle(volunteer)
    signed_in(client, volunteer)
    names = [
        word
        for candidate in (battle.candidate_a, battle.candidate_b)
        for word in (candidate.code, candidate.name, str(candidate.pk))
    ]
    for address in (reverse("start"), reverse("battle", args=[battle.pk])):
        answer = client.get(address)
        told = answer.content.decode() + str(dict(answer.headers)) + str(client.cookies)
        assert not [name for name in names if name in told]
    assert Battle.objects.get(pk=battle.pk).status == "ready"
