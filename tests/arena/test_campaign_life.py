"""Campaigns as staff lead them and volunteers meet them: prepared, opened, paused, closed, one after the other."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from arena.errors import AccountNeeded, CampaignNotReady, CampaignOver, IllegalMove, Refused
from arena.models import Battle, Campaign, CampaignText, Participant, User
from arena.selectors.campaigns import current_campaign, listed, texts_of
from arena.selectors.judgements import Judgements
from arena.selectors.pools import pool_now
from arena.services import battles
from arena.services.campaigns import close_campaign, open_campaign, pause_campaign
from arena.services.people import join_guest
from arena.services.staff import ensure_admin
from arena.services.votes import cast_vote
from arena.types import CampaignPhase, CampaignProblem, RefusalCode, Registration, Side
from inference.models import Candidate
from ranking.models import Board
from ranking.types import BoardKind, Outcome
from tests.arena.builders import RUNNER, begin, failed, finish, make_campaign, make_participant, ready_battle

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def default() -> Campaign:
    return make_campaign(candidates=4)


def prepared(slug: str = "udaberria", *, begins: int = -1, ends: int = 24, **fields: object) -> Campaign:
    """A dated campaign with all that it needs; hours from now."""
    board = Board.objects.create(slug=slug, name=slug, kind=BoardKind.LIVE.value)
    campaign = Campaign.objects.create(
        slug=slug,
        name=slug.capitalize(),
        board=board,
        consent_version=current_campaign().consent_version,
        opens_at=timezone.now() + begins * HOUR,
        closes_at=timezone.now() + ends * HOUR,
        too_fast_ms=0,
        **fields,
    )
    CampaignText.objects.create(campaign=campaign, language="eu", title="Udaberriko kanpaina")
    return campaign


def opened(slug: str = "udaberria", **fields: object) -> Campaign:
    return open_campaign(campaign_id=prepared(slug, **fields).pk)  # type: ignore[arg-type]  # as prepared takes them


def vote_on(battle: Battle) -> None:
    judged = Judgements(Outcome.A_BETTER, Outcome.TIE)
    cast_vote(battle_id=battle.pk, participant=battle.participant, judgements=judged)


def refusal(participant: Participant, battle: Battle | None = None) -> RefusalCode:
    with pytest.raises(Refused) as caught:
        begin(participant, battle)
    return caught.value.code


def test_a_dated_campaign_takes_over_and_the_default_one_goes_on_afterwards(default: Campaign) -> None:
    assert current_campaign() == default
    first, later = opened("lehena", ends=2), opened("bigarrena", begins=2, ends=4)
    assert current_campaign() == first
    battle = ready_battle(make_participant(first))
    assert battle.campaign == first
    Campaign.objects.filter(pk=first.pk).update(closes_at=timezone.now())
    assert current_campaign() == default
    Campaign.objects.filter(pk=later.pk).update(opens_at=timezone.now())
    assert current_campaign() == later


def test_each_has_its_own_pool_and_board(default: Campaign) -> None:
    campaign = opened(counts_guests=True)
    chosen = list(Candidate.objects.order_by("code")[:2])
    campaign.candidates.set(chosen)
    assert set(pool_now(campaign).candidates) == {each.code for each in chosen}
    assert len(pool_now(default).candidates) == 4
    battle = ready_battle(make_participant(campaign))
    assert {battle.candidate_a, battle.candidate_b} == set(chosen)
    vote_on(battle)
    assert campaign.board.cells.filter(criterion="overall").exists()
    assert not default.board.cells.exists()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"opens_at": None}, CampaignProblem.NO_DATES),
        ({"opens_at": timezone.now() - 3 * HOUR, "closes_at": timezone.now() - HOUR}, CampaignProblem.ENDED),
    ],
    ids=["no dates", "ended"],
)
def test_what_lacks_is_said(default: Campaign, change: dict[str, object], problem: CampaignProblem) -> None:
    campaign = prepared()
    Campaign.objects.filter(pk=campaign.pk).update(**change)
    with pytest.raises(CampaignNotReady) as caught:
        open_campaign(campaign_id=campaign.pk)
    assert caught.value.problems == (problem,)


def test_all_that_lacks_is_said_at_once(default: Campaign) -> None:
    opened("lehena")
    campaign = prepared("bigarrena")
    campaign.texts.all().delete()
    campaign.candidates.set(Candidate.objects.all()[:1])
    with pytest.raises(CampaignNotReady) as caught:
        open_campaign(campaign_id=campaign.pk)
    assert set(caught.value.problems) == {
        CampaignProblem.OVERLAPS,
        CampaignProblem.NO_TEXT,
        CampaignProblem.FEW_CANDIDATES,
    }


def test_the_database_holds_dates_in_order_and_for_what_is_open(default: Campaign) -> None:
    campaign = opened()
    for change in ({"closes_at": campaign.opens_at}, {"opens_at": None}, {"status": "beste"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Campaign.objects.filter(pk=campaign.pk).update(**change)


def test_a_pause_stops_messages_and_keeps_votes(default: Campaign) -> None:
    campaign = opened()
    volunteer = make_participant(campaign)
    ready, broken = ready_battle(volunteer), begin(volunteer)
    finish(broken, failed(Side.A), failed(Side.B))
    pause_campaign(campaign_id=campaign.pk)
    assert current_campaign() == campaign
    assert refusal(volunteer) is refusal(volunteer, ready) is RefusalCode.CAMPAIGN_PAUSED
    with pytest.raises(Refused, match="campaign_paused"):
        battles.retry_side(
            participant_id=volunteer.pk, battle_id=broken.battle_id, side=Side.A, runner_id=RUNNER
        )
    vote_on(ready)
    open_campaign(campaign_id=campaign.pk)
    begin(volunteer)


def test_after_the_end_answered_battles_are_voted_for_an_hour(default: Campaign) -> None:
    campaign = opened()
    volunteer = make_participant(campaign)
    one, other = ready_battle(volunteer), ready_battle(volunteer)
    close_campaign(campaign_id=campaign.pk)
    campaign.refresh_from_db()
    assert campaign.phase_at(timezone.now()) is CampaignPhase.OVER
    assert refusal(volunteer, one) is RefusalCode.CAMPAIGN_OVER
    vote_on(one)
    now = timezone.now()
    Campaign.objects.filter(pk=campaign.pk).update(opens_at=now - 3 * HOUR, closes_at=now - HOUR)
    with pytest.raises(CampaignOver):
        vote_on(other)
    with pytest.raises(IllegalMove):
        open_campaign(campaign_id=campaign.pk)


def test_the_default_campaign_is_paused_but_never_closed(default: Campaign) -> None:
    with pytest.raises(IllegalMove):
        close_campaign(campaign_id=default.pk)
    volunteer = make_participant(default)
    pause_campaign(campaign_id=default.pk)
    assert refusal(volunteer) is RefusalCode.CAMPAIGN_PAUSED
    open_campaign(campaign_id=default.pk)
    begin(volunteer)


def test_votes_may_need_an_account_and_the_battle_comes_along(default: Campaign) -> None:
    campaign = opened(registration=Registration.VOTE.value)
    guest = make_participant(campaign)
    battle = ready_battle(guest)
    with pytest.raises(AccountNeeded):
        vote_on(battle)
    join_guest(guest_id=guest.pk, user=User.objects.create_user("maite"))
    vote_on(Battle.objects.get(pk=battle.pk))


def test_the_first_message_may_need_one(default: Campaign) -> None:
    campaign = opened(registration=Registration.BATTLE.value)
    guest = make_participant(campaign)
    assert refusal(guest) is RefusalCode.ACCOUNT_NEEDED
    begin(join_guest(guest_id=guest.pk, user=User.objects.create_user("maite")))


def test_texts_fall_back_to_basque_and_to_the_name(default: Campaign) -> None:
    campaign = prepared()
    assert texts_of(campaign, "fr").title == "Udaberriko kanpaina"
    CampaignText.objects.create(campaign=campaign, language="fr", title="Printemps")
    assert texts_of(campaign, "fr").title == "Printemps"
    assert texts_of(default, "eu").title == "Lehia"


def test_pages_show_goal_days_and_what_is_asked(client: Client, default: Campaign) -> None:
    campaign = opened(goal=12_890)
    campaign.texts.update(
        introduction="Bi aste euskaraz.", prizes="Liburu bat", content_question="Nork daki gehiago?"
    )
    vote_on(ready_battle(make_participant(campaign)))
    page = client.get(reverse("campaign", args=[campaign.slug])).content.decode()
    for said in ("Udaberriko kanpaina", "Bi aste euskaraz.", "Liburu bat", "12.890", 'max="12890" value="1"'):
        assert said in page
    start = client.get("/").content.decode()
    for said in ("Bi aste euskaraz.", "Nork daki gehiago?", "12.890"):
        assert said in start
    assert "Udaberriko kanpaina" in client.get(reverse("campaigns")).content.decode()


def test_the_list_says_what_each_is_in_the_language_of_who_reads(client: Client, default: Campaign) -> None:
    now, later = opened("neguan"), opened("udan", begins=48, ends=72)
    now.texts.create(language="es", title="Campaña de invierno")
    later.texts.update(title="Udakoa")
    found = {each.slug: (each.title, each.phase) for each in listed("es")}
    assert found == {
        "udan": ("Udakoa", CampaignPhase.COMING),
        "neguan": ("Campaña de invierno", CampaignPhase.RUNNING),
        "lehia": ("Lehia", CampaignPhase.RUNNING),
    }
    page = client.get(reverse("campaigns")).content.decode()
    assert page.index("laster") < page.index("martxan")


def test_a_campaign_explains_its_questions_counts_its_days_and_says_thanks(
    client: Client, default: Campaign
) -> None:
    campaign = opened(ends=50)
    campaign.texts.update(content_help="Edukia bakarrik.", language_help="Idazkera.", thanks="Mila esker!")
    start = client.get("/").content.decode()
    assert all(said in start for said in ("Edukia bakarrik.", "Idazkera.", "3 egun falta dira."))
    assert "Mila esker!" not in client.get(reverse("campaign", args=[campaign.slug])).content.decode()
    Campaign.objects.filter(pk=campaign.pk).update(closes_at=timezone.now() + HOUR)
    assert "Azken eguna du." in client.get("/").content.decode()
    close_campaign(campaign_id=campaign.pk)
    assert "Mila esker!" in client.get(reverse("campaign", args=[campaign.slug])).content.decode()


def test_what_is_in_preparation_does_not_exist_yet(client: Client, default: Campaign) -> None:
    campaign = prepared()
    assert client.get(reverse("campaign", args=[campaign.slug])).status_code == 404
    assert campaign.name not in client.get(reverse("campaigns")).content.decode()


def test_a_volunteer_is_told_of_a_pause_and_of_the_end(client: Client, default: Campaign) -> None:
    campaign = opened()
    pause_campaign(campaign_id=campaign.pk)
    told = "ez du mezu berririk hartzen une honetan"
    assert told in client.get("/").content.decode()
    close_campaign(campaign_id=campaign.pk)
    assert told not in client.get("/").content.decode()
    assert "amaitu da" in client.get(reverse("campaign", args=[campaign.slug])).content.decode()


def test_staff_open_pause_and_close_in_the_admin(client: Client, default: Campaign) -> None:
    ensure_admin()
    client.force_login(User.objects.get(is_superuser=True))
    address = reverse("admin:arena_campaign_changelist")
    campaign = prepared()

    def act(name: str) -> str:
        asked = {"action": name, "_selected_action": [str(campaign.pk)]}
        answer = client.post(address, asked, follow=True).content.decode()
        campaign.refresh_from_db()
        return answer

    campaign.texts.all().delete()
    assert "euskaraz" in act("open")
    assert campaign.status == "draft"
    CampaignText.objects.create(campaign=campaign, language="eu", title="Udaberria")
    for step, status in (("open", "open"), ("pause", "paused"), ("open", "open"), ("close", "closed")):
        act(step)
        assert campaign.status == status
    assert "errorlist" not in act("open")
    assert campaign.status == "closed"
    change = reverse("admin:arena_campaign_change", args=[campaign.pk])
    assert client.post(change, {"name": "Beste"}).status_code == 403


def test_a_campaign_that_was_open_keeps_its_code(client: Client, default: Campaign) -> None:
    ensure_admin()
    client.force_login(User.objects.get(is_superuser=True))
    campaign = prepared()
    address = reverse("admin:arena_campaign_change", args=[campaign.pk])
    assert 'name="slug"' in client.get(address).content.decode()
    open_campaign(campaign_id=campaign.pk)
    page = client.get(address)
    fields = page.context["adminform"].form.fields
    assert "slug" not in fields
    assert campaign.slug in page.content.decode()
