"""What is refused is told in one way, wherever it was asked."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.http import HttpRequest
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from arena import errors
from arena.models import Battle, Campaign, Participant, User, Vote
from arena.refusals import REFUSALS, of_messages
from arena.services.judging import give_pair
from arena.services.people import join_guest
from arena.types import RefusalCode
from arena.views.visitor import own_battle
from tests.arena.builders import answered_set, make_campaign, make_participant, ready_battle
from tests.arena.test_pages import FETCH, VOTE, signed_in

_OUT_OF_DATE = {RefusalCode.NOT_FOUND, RefusalCode.BAD_FRAME}


@pytest.fixture
def campaign(db: None) -> Campaign:
    return make_campaign()


@pytest.fixture
def guest(campaign: Campaign) -> Participant:
    return make_participant(campaign)


def prompt_pair(judge: Participant, campaign: Campaign) -> Battle:
    answered_set(campaign, "Zer da Korrika?")
    return give_pair(participant_id=judge.pk, campaign=campaign)


def test_every_refusal_has_its_text() -> None:
    votes = set(errors.VoteRefused.__subclasses__()) - {errors.NotYourBattle}
    assert set(REFUSALS) == votes | (set(RefusalCode) - _OUT_OF_DATE)
    assert all(400 <= refusal.status < 600 and refusal.text for refusal in REFUSALS.values())


def test_the_page_of_a_battle_holds_every_text_of_a_refused_frame(client: Client, campaign: Campaign) -> None:
    page = client.get(reverse("start")).content.decode()
    told = of_messages()
    assert set(told) == {*set(RefusalCode) - _OUT_OF_DATE - {RefusalCode.NOTHING_TO_JUDGE}, "other"}
    for code, text in told.items():
        assert f'data-text="refused-{code}">{escape(str(text))}</span>' in page


@pytest.mark.parametrize("headers", [FETCH, {}])
def test_a_guest_who_joins_while_a_vote_is_under_way_is_sent_again_and_then_votes(
    client: Client, guest: Participant, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str]
) -> None:
    battle, browser = ready_battle(guest), signed_in(client, guest)
    user = User.objects.create_user("ane", "ane@adibidea.eus")
    own = join_guest(guest_id=None, user=user)

    def joining(request: HttpRequest, battle_id: UUID) -> Battle:
        found = own_battle(request, battle_id)
        join_guest(guest_id=guest.pk, user=user)
        return found

    monkeypatch.setattr("arena.views.battles.own_battle", joining)
    assert browser.post(reverse("vote", args=[battle.pk]), VOTE, headers=headers).status_code == 404
    assert not Vote.objects.exists()
    monkeypatch.undo()
    again = signed_in(client, own).post(reverse("vote", args=[battle.pk]), VOTE, headers=headers)
    assert again.status_code == (200 if headers else 302)
    assert Vote.objects.get().participant == own


def test_a_pair_of_a_prompt_set_says_so_before_a_refused_vote_and_after(
    client: Client, campaign: Campaign, guest: Participant
) -> None:
    pair, browser = prompt_pair(guest, campaign), signed_in(client, guest)
    asked, of_somebody = "Galdera:", "Norbaitek idatzi zuen:"
    refused = browser.post(reverse("vote", args=[pair.pk]), VOTE | {"content": ""})
    assert refused.status_code == 422
    pages = [
        browser.get(reverse("judged_pair", args=[pair.pk])),
        refused,
        browser.post(reverse("vote", args=[pair.pk]), VOTE, follow=True),
    ]
    for page in pages:
        assert asked in page.content.decode()
        assert of_somebody not in page.content.decode()
