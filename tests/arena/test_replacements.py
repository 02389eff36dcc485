"""A side that dies in the first turn goes to another candidate."""

from __future__ import annotations

from collections import Counter
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.urls import reverse

from arena.errors import Refused
from arena.models import Answer, Battle, Campaign, Participant, Replacement, Turn
from arena.services import battles, turns
from arena.services.people import prefer_display
from arena.types import Display, RefusalCode, Side
from inference.models import Candidate, ModelEndpoint, UserUsage
from inference.types import EndpointStatus, GenerationRequest
from tests.arena.builders import RUNNER, begin, complete, failed, finish, make_campaign, make_participant
from tests.arena.test_pages import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign() -> Campaign:
    return make_campaign(candidates=4)


@pytest.fixture
def volunteer(campaign: Campaign) -> Participant:
    return make_participant(campaign)


def replaced(turn: Turn, side: Side = Side.A, *, runner_id: UUID = RUNNER) -> GenerationRequest | None:
    return battles.replace_side(
        battle_id=turn.battle_id, turn_id=turn.pk, side=side, runner_id=runner_id, code="connect"
    )


@pytest.mark.parametrize("side", Side)
def test_another_candidate_takes_the_side_by_a_draw_of_its_own(volunteer: Participant, side: Side) -> None:
    turn = begin(volunteer)
    before = turn.battle
    request = replaced(turn, side)
    after = Battle.objects.get(pk=before.pk)
    died, stood = (
        (before.candidate_a, before.candidate_b)
        if side is Side.A
        else (before.candidate_b, before.candidate_a)
    )
    now, still = (
        (after.candidate_a, after.candidate_b) if side is Side.A else (after.candidate_b, after.candidate_a)
    )
    assert request is not None
    assert still == stood
    assert now not in {died, stood}
    assert request.target.model == now.endpoints.get().model
    row = Replacement.objects.get(battle=after)
    assert (row.side, row.candidate, row.error_code) == (side.value, died, "connect")
    assert row.endpoint == died.endpoints.get()
    assert row.propensity == pytest.approx(1 / 2)
    assert (after.propensity, after.draw_seed) == (before.propensity, before.draw_seed)


def test_the_answer_is_asked_afresh_with_a_seed_of_its_own(volunteer: Participant) -> None:
    turn = begin(volunteer)
    before = Answer.objects.get(turn=turn, side="A")
    request = replaced(turn)
    after = Answer.objects.get(turn=turn, side="A")
    assert request is not None
    assert (after.pk, after.attempt, after.status) == (before.pk, 2, "pending")
    assert after.seed == request.sampling.seed != before.seed
    assert request.request_id == f"{after.pk}-2"
    assert [message.content for message in request.messages][-1] == "Kaixo"


def test_a_side_is_replaced_twice_by_somebody_new_and_then_stays_dead(volunteer: Participant) -> None:
    turn = begin(volunteer)
    assert replaced(turn) is not None
    assert replaced(turn) is not None
    assert replaced(turn) is None
    battle = Battle.objects.get(pk=turn.battle_id)
    seats = [row.candidate for row in battle.replacements.all()] + [battle.candidate_a, battle.candidate_b]
    assert len(set(seats)) == 4


def test_where_nobody_else_is_at_work_the_side_stays_dead() -> None:
    turn = begin(make_participant(make_campaign(candidates=2)))
    assert replaced(turn) is None
    assert not Replacement.objects.exists()


def test_the_standing_side_need_not_be_fit_for_new_battles(volunteer: Participant) -> None:
    turn = begin(volunteer)
    turn.battle.candidate_b.endpoints.update(status=EndpointStatus.DISABLED.value)
    assert replaced(turn) is not None
    assert Battle.objects.get(pk=turn.battle_id).candidate_b == turn.battle.candidate_b


def test_only_the_first_turn_is_replaced(volunteer: Participant) -> None:
    battle = finish(begin(volunteer), complete(Side.A), complete(Side.B))
    assert replaced(begin(volunteer, battle)) is None


def test_a_battle_that_was_left_or_taken_away_is_not_touched(volunteer: Participant) -> None:
    turn = begin(volunteer)
    assert replaced(turn, runner_id=uuid4()) is None
    battles.abandon(participant_id=volunteer.pk, battle_id=turn.battle_id)
    assert replaced(turn) is None
    finished = begin(volunteer)
    finish(finished, complete(Side.A), failed(Side.B))
    assert replaced(finished, Side.B) is None
    assert not Replacement.objects.exists()


def test_a_canary_is_drawn_for_its_share_and_not_otherwise(
    campaign: Campaign, volunteer: Participant
) -> None:
    canary = ModelEndpoint.objects.order_by("pk")[0]
    canary.status, canary.canary_share = EndpointStatus.CANARY.value, 0.5
    canary.save()
    campaign.guest_open_battles = 1000
    campaign.save()
    drawn = [begin(make_participant(campaign)).battle for _ in range(40)]
    met = Counter(each for battle in drawn for each in (battle.candidate_a, battle.candidate_b))
    assert 0 < met[canary.candidate] < 40
    ModelEndpoint.objects.filter(pk=canary.pk).update(canary_share=0)
    drawn = [begin(make_participant(campaign)).battle for _ in range(20)]
    assert canary.candidate not in {
        each for battle in drawn for each in (battle.candidate_a, battle.candidate_b)
    }


def test_a_shadow_is_never_drawn(campaign: Campaign) -> None:
    ModelEndpoint.objects.exclude(pk=ModelEndpoint.objects.order_by("pk")[0].pk).update(
        status=EndpointStatus.SHADOW.value
    )
    with pytest.raises(Refused) as caught:
        begin(make_participant(campaign))
    assert caught.value.code is RefusalCode.NO_MODELS


def test_who_used_up_the_days_tokens_is_refused_until_tomorrow(
    campaign: Campaign, volunteer: Participant
) -> None:
    turn = begin(volunteer)
    plan = battles.begin_turn(
        participant_id=make_participant(campaign).pk,
        battle_id=None,
        text="Kaixo",
        key=uuid4(),
        runner_id=RUNNER,
    ).plan
    assert plan is not None
    assert {request.user for request in plan.requests.values()} != {turns.user_of(volunteer.pk)}
    today = turn.created_at.date()
    used = UserUsage.objects.create(
        user=turns.user_of(volunteer.pk), day=today, tokens=campaign.tokens_per_day
    )
    with pytest.raises(Refused) as caught:
        begin(volunteer)
    assert caught.value.code is RefusalCode.TOO_MANY_TOKENS
    UserUsage.objects.filter(pk=used.pk).update(tokens=campaign.tokens_per_day - 1)
    begin(volunteer)


def test_a_battle_keeps_how_its_answers_appear(campaign: Campaign, volunteer: Participant) -> None:
    assert begin(volunteer).battle.display == "paced"
    prefer_display(participant_id=volunteer.pk, display=Display.UNPACED)
    assert begin(volunteer).battle.display == "unpaced"
    prefer_display(participant_id=volunteer.pk, display=Display.WHOLE)
    assert begin(volunteer).battle.display == "whole"
    campaign.display = Display.UNPACED.value
    campaign.save()
    assert begin(make_participant(campaign)).battle.display == "unpaced"


def test_less_motion_means_whole_answers_until_the_volunteer_chooses(volunteer: Participant) -> None:
    assert begin(volunteer, still=True).battle.display == "whole"
    prefer_display(participant_id=volunteer.pk, display=Display.PACED)
    assert begin(volunteer, still=True).battle.display == "paced"


def test_the_start_page_switches_how_answers_appear(client: Client, volunteer: Participant) -> None:
    address = reverse("prefer_display")
    client.post(address, {"display": "unpaced"})  # nobody to remember it for
    assert "unpaced" not in client.get("/").content.decode()
    signed_in(client, volunteer)
    assert 'value="unpaced"' in client.get("/").content.decode()
    client.post(address, {"display": "unpaced"})
    page = client.get("/").content.decode()
    assert 'value="paced"' in page
    assert 'value="whole"' in page
    client.post(address, {"display": "sideways"})
    volunteer.refresh_from_db()
    assert volunteer.display == "unpaced"


def test_reasoning_is_told_with_the_vote_and_not_before(client: Client, volunteer: Participant) -> None:
    battle = finish(begin(volunteer))
    Answer.objects.filter(turn__battle=battle, side="B").update(reasoning="isilean pentsatua")
    signed_in(client, volunteer)
    page = reverse("battle", args=[battle.pk])
    assert "isilean pentsatua" not in client.get(page).content.decode()
    client.post(f"{page}vote/", {"content": "tie", "language": "tie", "overall": ""})
    assert client.get(page).content.decode().count("isilean pentsatua") == 1
    assert Candidate.objects.count() == 4
