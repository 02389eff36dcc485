"""A campaign's raffle from the promise to the draw: who takes part, what is frozen, what is published and what stays private."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from arena import sessions
from arena.errors import RaffleRefused
from arena.models import Campaign, CampaignText, Draw, Participant, TicketHolder, User, Vote
from arena.raffle import faults
from arena.selectors.mine import my_standing
from arena.selectors.raffles import entrants, published
from arena.selectors.takeout import about
from arena.services.exclusions import exclude
from arena.services.people import join_guest
from arena.services.raffles import commit_to_raffle, draw_raffle
from arena.types import CampaignStatus, ExclusionSource, RaffleProblem
from ranking.filters import ExclusionReason
from ranking.models import Board
from ranking.types import BoardKind
from tests.arena.builders import make_campaign, make_participant
from tests.arena.crowds import earn

HOUR = timedelta(hours=1)


def running() -> Campaign:
    make_campaign(candidates=0)
    now = timezone.now()
    campaign = Campaign.objects.create(
        slug="zozketa",
        name="Zozketa",
        board=Board.objects.create(slug="zozketa", name="Zozketa", kind=BoardKind.LIVE.value),
        consent_version="1",
        status=CampaignStatus.OPEN.value,
        opens_at=now - 100 * HOUR,
        closes_at=now + HOUR,
    )
    CampaignText.objects.create(
        campaign=campaign, language="eu", title="Neguko kanpaina", prizes="Liburu bat"
    )
    return campaign


def ended(campaign: Campaign, hours_ago: float = 2) -> None:
    Campaign.objects.filter(pk=campaign.pk).update(closes_at=timezone.now() - hours_ago * HOUR)
    campaign.refresh_from_db()


@pytest.fixture
def campaign(db: None) -> Campaign:
    return running()


def drawn(campaign: Campaign, prizes: int = 2) -> Draw:
    commit_to_raffle(campaign_id=campaign.pk, prizes=prizes)
    ended(campaign)
    return draw_raffle(campaign_id=campaign.pk)


def refused(campaign: Campaign) -> RaffleProblem:
    with pytest.raises(RaffleRefused) as refusal:
        draw_raffle(campaign_id=campaign.pk)
    return refusal.value.problem


def test_the_seed_is_promised_before_the_end_and_drawn_once_no_vote_can_come(campaign: Campaign) -> None:
    earn(campaign, 25)
    assert refused(campaign) is RaffleProblem.NOT_COMMITTED
    promised = commit_to_raffle(campaign_id=campaign.pk, prizes=1)
    assert refused(campaign) is RaffleProblem.TOO_EARLY
    ended(campaign, hours_ago=0.5)
    assert refused(campaign) is RaffleProblem.TOO_EARLY, "answered battles can still be voted"
    ended(campaign)
    draw = draw_raffle(campaign_id=campaign.pk)
    assert (draw.seed, draw.commitment) == (promised.seed, promised.commitment)
    assert draw_raffle(campaign_id=campaign.pk).drawn_at == draw.drawn_at
    assert faults(json.loads(json.dumps(published(draw)))) == []


def test_no_seed_is_chosen_to_suit_the_tickets(campaign: Campaign) -> None:
    commit_to_raffle(campaign_id=campaign.pk, prizes=1)
    with pytest.raises(RaffleRefused, match="there_already"):
        commit_to_raffle(campaign_id=campaign.pk, prizes=1)
    other = Campaign.objects.exclude(pk=campaign.pk).get()
    Campaign.objects.filter(pk=other.pk).update(closes_at=timezone.now() - HOUR)
    with pytest.raises(RaffleRefused, match="too_late"):
        commit_to_raffle(campaign_id=other.pk, prizes=1)


def test_accounts_with_ten_credited_votes_take_part_and_who_was_first_comes_first(campaign: Campaign) -> None:
    ten, nine, thirty, fifteen, guest, staff = earn(campaign, 10, 9, 30, 15, 40, 40)
    Participant.objects.filter(pk=guest.pk).update(user=None)
    assert staff.user is not None
    User.objects.filter(pk=staff.user.pk).update(is_staff=True)
    found = entrants(campaign)
    assert [(each.participant_id, each.tickets) for each in found] == [
        (ten.pk, 1), (fifteen.pk, 1), (thirty.pk, 3)
    ]  # fmt: skip
    assert nine.pk not in {each.participant_id for each in found}


def test_a_guests_votes_take_part_once_they_join_an_account(campaign: Campaign) -> None:
    account, guest = earn(campaign, 5, 5)
    Participant.objects.filter(pk=guest.pk).update(user=None)
    assert entrants(campaign) == []
    assert account.user is not None
    join_guest(guest_id=guest.pk, user=account.user)
    assert [(each.participant_id, each.credited) for each in entrants(campaign)] == [(account.pk, 10)]


class Frozen(TestCase):
    @settings(max_examples=15)
    @given(
        st.lists(st.integers(1, 32), min_size=1, max_size=4),
        st.integers(1, 3),
        st.data(),
    )
    def test_tickets_are_tens_of_credits_and_stay_after_the_draw(
        self, credited: list[int], prizes: int, data: st.DataObject
    ) -> None:
        campaign = running()
        people = earn(campaign, *credited)
        draw = drawn(campaign, prizes)
        before = published(draw)
        votes = list(Vote.objects.order_by("created_at"))
        for vote in data.draw(st.lists(st.sampled_from(votes), max_size=12, unique=True)):
            exclude(vote_id=vote.pk, reason=ExclusionReason.TOO_FAST, source=ExclusionSource.STAFF)
        held = {each.participant_id: each.tickets for each in draw.holders.all()}
        assert held == {each.pk: n // 10 for each, n in zip(people, credited, strict=True) if n >= 10}
        assert [my_standing(each, campaign).tickets for each in people] == [n // 10 for n in credited]
        assert published(Draw.objects.get()) == before
        assert faults(before) == []
        assert len(before["winners"]) == min(prizes, len(held))


def test_before_the_draw_tickets_move_with_the_ledger(campaign: Campaign) -> None:
    [volunteer] = earn(campaign, 20)
    assert my_standing(volunteer, campaign).tickets == 2
    vote = Vote.objects.filter(participant=volunteer).earliest("created_at")
    exclude(vote_id=vote.pk, reason=ExclusionReason.TOO_FAST, source=ExclusionSource.STAFF)
    assert my_standing(volunteer, campaign).tickets == 1


def test_the_database_lets_nobody_rewrite_a_draw(campaign: Campaign) -> None:
    earn(campaign, 20, 10)
    promised = commit_to_raffle(campaign_id=campaign.pk, prizes=1)
    for change in ({"seed": "beste"}, {"commitment": "beste"}, {"prizes": 2}):
        with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
            Draw.objects.update(**change)
    ended(campaign)
    draw_raffle(campaign_id=campaign.pk)
    winner = TicketHolder.objects.get(place=1)
    for statement in (
        "UPDATE arena_draw SET drawn_at = NULL",
        "DELETE FROM arena_draw",
        "UPDATE arena_ticketholder SET tickets = 2, credited = 20",
        "UPDATE arena_ticketholder SET place = NULL, ticket = NULL",
        "DELETE FROM arena_ticketholder",
        "INSERT INTO arena_ticketholder (draw_id, participant_id, position, pseudonym, credited, tickets) "
        f"SELECT {promised.pk}, id, 9, 'nor', 10, 1 FROM arena_participant LIMIT 1",
    ):
        with (
            pytest.raises(DatabaseError, match="never changed"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
    winner.refresh_from_db()


@pytest.mark.parametrize(("credited", "tickets"), [(20, 1), (19, 2), (9, 0)])
def test_the_database_knows_how_many_votes_a_ticket_takes(
    campaign: Campaign, credited: int, tickets: int
) -> None:
    draw = commit_to_raffle(campaign_id=campaign.pk, prizes=1)
    with pytest.raises(IntegrityError, match="tickets_are_tens"), transaction.atomic():
        TicketHolder.objects.create(
            draw=draw,
            participant=make_participant(campaign),
            position=1,
            pseudonym="a",
            credited=credited,
            tickets=tickets,
        )


# What everybody sees


def page(client: Client, campaign: Campaign, **query: str) -> str:
    return client.get(reverse("draw", args=[campaign.slug]), query).content.decode()


def test_the_page_promises_before_and_shows_all_after(client: Client, campaign: Campaign) -> None:
    assert client.get(reverse("draw", args=[campaign.slug])).status_code == 404
    earn(campaign, 25, 12, 9)
    promised = commit_to_raffle(campaign_id=campaign.pk, prizes=1)
    before = page(client, campaign) + page(client, campaign, format="json")
    assert promised.commitment in before
    assert promised.seed not in before
    assert client.get(reverse("draw", args=[campaign.slug]), {"format": "csv"}).status_code == 404
    ended(campaign)
    draw_raffle(campaign_id=campaign.pk)
    told: dict[str, Any] = json.loads(page(client, campaign, format="json"))
    assert faults(told) == []
    rows = list(csv.DictReader(io.StringIO(page(client, campaign, format="csv"))))
    assert [(row["pseudonym"], int(row["tickets"])) for row in rows] == [
        (each["pseudonym"], each["tickets"]) for each in told["holders"]
    ]
    shown = page(client, campaign)
    assert all(each in shown for each in (promised.seed, told["winners"][0]["pseudonym"], "Liburu bat"))


def test_nothing_public_tells_who_a_pseudonym_is_and_the_owner_is_told(
    client: Client, campaign: Campaign
) -> None:
    people = earn(campaign, 25, 12)
    drawn(campaign)
    seen = "".join(page(client, campaign, **query) for query in ({}, {"format": "json"}, {"format": "csv"}))
    assert not re.search("adibidea|kontua", seen)
    assert not any(each.pk.hex in seen.replace("-", "") for each in people)
    own = TicketHolder.objects.get(participant=people[0])
    session = client.session
    sessions.remember_participant(session, people[0].pk)
    session.save()
    assert f"{own.pseudonym} zara" in page(client, campaign)
    assert about(people[0])["raffles"] == [
        {"campaign": "zozketa", "pseudonym": own.pseudonym, "tickets": 2, "place": own.place}
    ]


def test_staff_promise_and_draw_in_the_admin_and_the_seed_stays_hidden(
    admin_client: Client, campaign: Campaign
) -> None:
    [winner] = earn(campaign, 10)
    added = admin_client.post(reverse("admin:arena_draw_add"), {"campaign": campaign.pk, "prizes": "1"})
    draw = Draw.objects.get()
    assert (added.status_code, draw.prizes) == (302, 1)
    address = reverse("admin:arena_draw_change", args=[draw.pk])
    assert draw.seed not in admin_client.get(address).content.decode()
    again = admin_client.post(reverse("admin:arena_draw_add"), {"campaign": campaign.pk, "prizes": "3"})
    assert again.status_code == 200
    action = {"action": "draw", "_selected_action": [draw.pk]}
    listing = reverse("admin:arena_draw_changelist")
    early = admin_client.post(listing, action, follow=True).content.decode()
    assert "errorlist" in early or 'class="error"' in early
    ended(campaign)
    admin_client.post(listing, action)
    draw.refresh_from_db()
    assert draw.drawn_at is not None
    assert winner.user is not None
    assert winner.user.email in admin_client.get(address).content.decode()


def test_who_may_only_look_sees_no_address(client: Client, campaign: Campaign) -> None:
    from django.contrib.auth.models import Permission

    [winner] = earn(campaign, 10)
    draw = drawn(campaign)
    looker = User.objects.create_user("begirale", is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_draw"))
    client.force_login(looker)
    text = client.get(reverse("admin:arena_draw_change", args=[draw.pk])).content.decode()
    assert draw.commitment in text
    assert winner.user is not None
    assert winner.user.email not in text


def said(campaign: str, **options: object) -> dict[str, Any]:
    out = io.StringIO()
    call_command("draw_raffle", campaign=campaign, stdout=out, **options)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def test_the_command_draws_and_checks(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    earn(campaign, 10, 20)
    commit_to_raffle(campaign_id=campaign.pk, prizes=1)
    with pytest.raises(CommandError, match="too_early"):
        said("zozketa")
    with pytest.raises(CommandError, match="no draw") as refusal:
        said("zozketa", check=True)
    assert refusal.value.returncode == 2
    with pytest.raises(CommandError, match="no campaign"):
        said("ez-dago")
    ended(campaign)
    assert faults(said("zozketa")) == []
    assert said("zozketa", check=True) == {"ok": True, "faults": []}
    monkeypatch.setattr("arena.selectors.raffles._wins", lambda *_: [])
    with pytest.raises(SystemExit):
        said("zozketa", check=True)
