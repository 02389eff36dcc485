"""While a battle is open nothing public moves with it: whoever compares pages before and after learns nothing."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.plugin import DjangoDbBlocker

from arena.models import Battle, Campaign, Participant, RateWindow
from arena.selectors.judgements import Judgements
from arena.services import boards
from arena.services.judging import give_pair
from arena.services.votes import cast_vote
from ranking.types import Outcome
from tests.arena.builders import answered_set, begin, finish, make_campaign, make_participant, ready_battle
from tests.arena.crawler import api_addresses
from tests.arena.test_pages import signed_in
from tests.worlds import made_once

pytestmark = pytest.mark.django_db

# What may differ: snapshots, their times and what is summed over both (the history is a list of these), form tokens, how many battles were begun today.
_MOVING = re.compile(
    r"[0-9a-f]{8}-[0-9a-f-]{27}|csrfmiddlewaretoken[^>]*>|\d{4}(?:ko|-)[^<]{0,30}\d{2}:\d{2}(?::[\d.+:Z]*)?|<dd>\d+</dd>"
    r'|"checksum": "[0-9a-f]{64}"'
)
_SKIPPED = re.compile(
    r"/(?:admin|static|i18n|battle|consent|display)/|/snapshots/|/planner/|/history/|criterion=(?:content|language)"
)


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Campaign]:
    with made_once(django_db_blocker, published_campaign) as made:
        yield made


@pytest.fixture
def campaign(world: Campaign) -> Campaign:
    return Campaign.objects.select_related("board").get(pk=world.pk)


def published_campaign() -> Campaign:
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
    RateWindow.objects.all().delete()  # nobody reads so much in a minute
    waiting = deque([reverse("start"), reverse("leaderboard"), *api_addresses(client)])
    while waiting:
        address = waiting.popleft()
        key = _MOVING.sub("·", address)
        if key in pages:
            continue
        answer = client.get(address)
        body = b"".join(answer) if answer.streaming else answer.content
        pages[key] = _MOVING.sub("·", body.decode())
        if "text/html" in answer.headers["Content-Type"]:
            found = re.findall(r'href="(/[^"#]*|\?[^"#]*)', body.decode())
            base = address.partition("?")[0]
            links = ((base + each if each.startswith("?") else each).replace("&amp;", "&") for each in found)
            waiting += (each for each in links if not _SKIPPED.search(each))
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


def test_neither_a_battle_under_way_nor_a_pair_that_somebody_judges_moves_a_public_page(
    client: Client, campaign: Campaign
) -> None:
    other = ready_battle(make_participant(campaign))
    volunteer, judge = make_participant(campaign), make_participant(campaign)
    before = crawl_after_a_vote(client, other)
    assert len(before) > 30
    begin(volunteer, finish(begin(volunteer)), text="Eta orain?")
    give_pair(participant_id=judge.pk, campaign=campaign)
    after = crawl_after_a_vote(client, other)
    assert {address for address, _ in before.items() ^ after.items()} == set()


def live(volunteer: Participant) -> Battle:
    return ready_battle(volunteer)


def rejudged(volunteer: Participant) -> Battle:
    return give_pair(participant_id=volunteer.pk, campaign=Campaign.objects.get())


def of_prompts(volunteer: Participant) -> Battle:
    answered_set(Campaign.objects.get(), "Zer da Korrika?")
    Battle.objects.update(hidden_at=timezone.now())  # so that no earlier one is given
    return give_pair(participant_id=volunteer.pk, campaign=Campaign.objects.get())


@pytest.mark.parametrize(
    ("source", "open_one"), [("live", live), ("rejudged", rejudged), ("prompt_set", of_prompts)]
)
def test_the_volunteers_own_pages_name_nobody_until_the_vote(
    client: Client, campaign: Campaign, source: str, open_one: Callable[[Participant], Battle]
) -> None:
    """From the start and from judging, every page that its volunteer comes to; and what a refused vote is answered."""
    volunteer = make_participant(campaign)
    battle, browser = open_one(volunteer), signed_in(client, volunteer)
    assert battle.source == source
    names = [
        word
        for candidate in (battle.candidate_a, battle.candidate_b)
        for word in (candidate.code, candidate.name, str(candidate.pk))
    ] + [str(battle.origin_id)] * bool(battle.origin_id)
    told = [
        browser.get(reverse("start")),
        browser.get(reverse("judge")),
        browser.get(reverse("battle", args=[battle.pk]), follow=True),
        browser.post(reverse("vote", args=[battle.pk]), {}),
        browser.get(reverse("report_battle", args=[battle.pk])),
    ]
    assert [answer.status_code for answer in told] == [200, 200, 200, 422, 200]
    assert "pane-1-A" in told[2].content.decode()
    for answer in told:
        text = answer.content.decode() + str(dict(answer.headers)) + str(client.cookies)
        assert not [name for name in names if name in text]
    assert Battle.objects.get(pk=battle.pk).status == "ready"
