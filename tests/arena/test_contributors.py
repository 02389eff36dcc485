"""The board of contributors: only who wishes so, under a nickname, with numbers that tell nothing of a single vote."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from arena import sessions
from arena.errors import NicknameTaken
from arena.forms import NicknameForm
from arena.models import Campaign, Participant, Vote
from arena.selectors.contributions import contributors
from arena.selectors.takeout import about
from arena.services.erasure import erase_participant
from arena.services.exclusions import exclude
from arena.services.people import choose_nickname, drop_nickname
from arena.types import ExclusionSource
from ranking.filters import ExclusionReason
from tests.arena.builders import make_campaign, make_participant
from tests.arena.crowds import earn


@pytest.fixture
def campaign(db: None) -> Campaign:
    return make_campaign(candidates=0)


def shown(campaign: Campaign) -> list[tuple[str, int]]:
    return [(each.nickname, each.credited) for each in contributors(campaign)]


def name(participant: Participant, nickname: str) -> None:
    choose_nickname(participant_id=participant.pk, nickname=nickname)


def browser_of(participant: Participant) -> Client:
    client = Client()
    session = client.session
    sessions.remember_participant(session, participant.pk)
    session.save()
    return client


def test_only_who_wishes_so_is_there_and_leaves_at_once(campaign: Campaign) -> None:
    ane, jon, _ = earn(campaign, 3, 5, 9)
    assert shown(campaign) == []
    name(ane, "Ane")
    name(jon, "Otsoa")
    assert shown(campaign) == [("Otsoa", 5), ("Ane", 3)]
    drop_nickname(participant_id=jon.pk)
    assert shown(campaign) == [("Ane", 3)]
    erase_participant(participant_id=ane.pk)
    assert shown(campaign) == []


def test_of_equals_who_got_there_first_comes_first(campaign: Campaign) -> None:
    late, early = earn(campaign, 4, 4)
    name(late, "Berandu")
    name(early, "Goiz")
    assert shown(campaign) == [("Berandu", 4), ("Goiz", 4)], "they voted in turn"
    last = Vote.objects.filter(participant=late).latest("created_at")
    Vote.objects.filter(pk=last.pk).update(created_at=last.created_at + timedelta(hours=1))
    assert shown(campaign) == [("Goiz", 4), ("Berandu", 4)]


def test_todays_votes_show_tomorrow_and_what_is_not_credited_never(campaign: Campaign) -> None:
    [ane] = earn(campaign, 3)
    name(ane, "Ane")
    today, faulty = Vote.objects.order_by("created_at")[:2]
    Vote.objects.filter(pk=today.pk).update(created_at=timezone.now())
    assert shown(campaign) == [("Ane", 2)]
    exclude(vote_id=faulty.pk, reason=ExclusionReason.TOO_FAST, source=ExclusionSource.STAFF)
    assert shown(campaign) == [("Ane", 1)]


def test_one_query_however_many(
    campaign: Campaign, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for at, each in enumerate(earn(campaign, *[2] * 9)):
        name(each, f"Lagun {at}")
    with django_assert_num_queries(1):
        assert len(contributors(campaign)) == 9


def test_a_nickname_is_somebodys_alone_and_a_guest_has_none(campaign: Campaign) -> None:
    ane, jon = earn(campaign, 1, 1)
    name(ane, "Otsoa")
    name(ane, "Otsoa")
    with pytest.raises(NicknameTaken):
        name(jon, "OTSOA")
    guest = make_participant(campaign)
    with pytest.raises(Participant.DoesNotExist):
        name(guest, "Gonbidatua")
    with pytest.raises(IntegrityError, match="of_an_account"), transaction.atomic():
        Participant.objects.filter(pk=guest.pk).update(nickname="Gonbidatua")
    drop_nickname(participant_id=ane.pk)
    name(jon, "OTSOA")


@pytest.mark.parametrize("said", ["Ane", "ane-miren", "Ñabarra 2", "D'Artagnan", "Ａｎｅ", "  Ane   Miren "])
def test_what_a_nickname_may_be(said: str) -> None:
    form = NicknameForm({"nickname": said})
    assert form.is_valid(), form.errors
    assert form.cleaned_data["nickname"] == " ".join(form.cleaned_data["nickname"].split())


@pytest.mark.parametrize(
    "said", ["", "A", "a" * 25, "ane@adibidea.eus", "adibidea.eus", "a/b", "<b>ane</b>", "-ane", "ane_"]
)
def test_what_it_may_not_be(said: str) -> None:
    assert not NicknameForm({"nickname": said}).is_valid()


@given(st.text(max_size=30))
def test_no_nickname_holds_an_address_or_markup(said: str) -> None:
    form = NicknameForm({"nickname": said})
    if form.is_valid():
        assert not set(form.cleaned_data["nickname"]) & set('@./:<>&"\n')


def test_my_page_puts_on_the_board_and_takes_off(campaign: Campaign) -> None:
    ane, jon = earn(campaign, 12, 1)
    name(jon, "Otsoa")
    browser, address = browser_of(ane), reverse("nickname")
    page = reverse("campaign", args=[campaign.slug])
    assert browser.post(address, {"nickname": "ane@adibidea.eus"}).status_code == 422
    taken = browser.post(address, {"nickname": "otsoa"})
    assert (taken.status_code, "Beste norbaitek" in taken.content.decode()) == (422, True)
    assert browser.post(address, {"nickname": "Izarra"}).status_code == 302
    assert "Izarra" in Client().get(page).content.decode()
    assert 'value="Izarra"' in browser.get(reverse("me")).content.decode()
    assert about(Participant.objects.get(pk=ane.pk))["participant"]["nickname"] == "Izarra"
    assert browser.post(address, {"remove": "1", "nickname": ""}).status_code == 302
    assert "Izarra" not in Client().get(page).content.decode()


def test_a_guest_is_not_asked(campaign: Campaign) -> None:
    browser = browser_of(make_participant(campaign))
    assert reverse("nickname") not in browser.get(reverse("me")).content.decode()
    assert browser.post(reverse("nickname"), {"nickname": "Izarra"}).status_code == 422
    assert not Participant.objects.exclude(nickname="").exists()


def test_staff_take_a_nickname_off(campaign: Campaign, admin_client: Client) -> None:
    [ane] = earn(campaign, 3)
    name(ane, "Itsusia")
    chosen = {"action": "drop_nickname", "_selected_action": [ane.pk]}
    admin_client.post(reverse("admin:arena_participant_changelist"), chosen)
    assert shown(campaign) == []
