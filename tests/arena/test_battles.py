"""The life of a battle in the database."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from arena.dates import basque_date
from arena.errors import IllegalMove, Refused
from arena.models import Answer, Battle, Campaign, Consent, Participant, Turn
from arena.services import battles, turns
from arena.services.people import give_consent
from arena.types import RefusalCode, Side
from inference.models import Candidate
from inference.types import EndpointStatus, Role
from ranking.models import Board
from ranking.types import BoardKind
from tests.arena.builders import (
    RUNNER,
    begin,
    complete,
    failed,
    finish,
    make_campaign,
    make_candidate,
    make_participant,
    ready_battle,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign() -> Campaign:
    return make_campaign()


@pytest.fixture
def volunteer(campaign: Campaign) -> Participant:
    return make_participant(campaign)


def refusal(
    participant: Participant | None, battle: Battle | None = None, text: str = "Kaixo"
) -> RefusalCode:
    with pytest.raises(Refused) as caught:
        battles.begin_turn(
            participant_id=participant.pk if participant else None,
            battle_id=battle.pk if battle else None,
            text=text,
            key=uuid4(),
            runner_id=RUNNER,
        )
    return caught.value.code


def copied(battle: Battle, **changes: Candidate) -> None:
    """Another battle like *battle*, left before its first turn."""
    held = {"campaign", "participant", "candidate_a", "candidate_b", "policy", "propensity", "draw_seed"}
    values = {name: getattr(battle, name) for name in held} | changes
    Battle.objects.create(status="abandoned", **values)


def test_a_first_message_opens_a_battle_with_two_pending_answers(volunteer: Participant) -> None:
    turn = begin(volunteer)
    assert turn.battle.status == "answering"
    assert turn.battle.candidate_a_id != turn.battle.candidate_b_id
    assert [answer.status for answer in turn.answers.all()] == ["pending", "pending"]


def test_the_draw_is_logged_with_its_seed_policy_and_probability(volunteer: Participant) -> None:
    battle = begin(volunteer).battle
    assert (battle.policy, battle.propensity) == ("balanced-2", 0.5)
    assert battle.draw_seed > 0


def test_a_volunteer_does_not_meet_the_same_pair_again_and_again() -> None:
    campaign = make_campaign(candidates=3)
    volunteer, stranger = make_participant(campaign), make_participant(campaign)
    first = begin(volunteer).battle
    pair = {first.candidate_a, first.candidate_b}
    for _ in range(2):
        copied(first)
        copied(first, candidate_a=first.candidate_b, candidate_b=first.candidate_a)

    drawn = begin(volunteer).battle
    weight = 1 / 36  # of a pair met five times, where one not met weighs 1
    share = (weight if {drawn.candidate_a, drawn.candidate_b} == pair else 1) / (2 + weight)
    assert drawn.propensity == pytest.approx((0.1 / 3 + 0.9 * share) / 2)
    assert begin(stranger).battle.propensity == pytest.approx(1 / 6)


def test_battles_of_another_campaign_are_not_remembered() -> None:
    campaign = make_campaign(candidates=3)
    volunteer = make_participant(campaign)
    board = Board.objects.create(slug="beste", name="Beste", kind=BoardKind.LIVE.value)
    elsewhere = Campaign.objects.create(slug="beste", name="Beste", consent_version="1", board=board)
    Battle.objects.filter(pk=begin(volunteer).battle_id).update(campaign=elsewhere)
    assert begin(volunteer).battle.propensity == pytest.approx(1 / 6)


def test_the_system_prompt_carries_todays_date_to_both_sides(volunteer: Participant) -> None:
    begun = battles.begin_turn(
        participant_id=volunteer.pk, battle_id=None, text="Kaixo", key=uuid4(), runner_id=RUNNER
    )
    assert begun.plan is not None
    prompts = [request.messages[0] for request in begun.plan.requests.values()]
    assert [prompt.role for prompt in prompts] == [Role.SYSTEM] * 2
    assert all(basque_date(timezone.localdate()) in prompt.content for prompt in prompts)


def test_each_side_is_told_its_own_earlier_answers_only(volunteer: Participant) -> None:
    battle = finish(begin(volunteer, text="Bat"), complete(Side.A, "A1"), complete(Side.B, "B1"))
    begun = battles.begin_turn(
        participant_id=volunteer.pk, battle_id=battle.pk, text="Bi", key=uuid4(), runner_id=RUNNER
    )
    assert begun.plan is not None
    said = {side: [m.content for m in request.messages[1:]] for side, request in begun.plan.requests.items()}
    assert said == {Side.A: ["Bat", "A1", "Bi"], Side.B: ["Bat", "B1", "Bi"]}


def test_without_consent_there_is_no_battle(campaign: Campaign) -> None:
    assert refusal(None) is RefusalCode.CONSENT_NEEDED
    assert refusal(Participant.objects.create()) is RefusalCode.CONSENT_NEEDED


def test_a_new_version_of_the_text_asks_for_consent_again(campaign: Campaign, volunteer: Participant) -> None:
    campaign.consent_version = "2027-01"
    campaign.save()
    assert refusal(volunteer) is RefusalCode.CONSENT_NEEDED


def test_consent_needs_the_tick_of_age_and_is_recorded_once(campaign: Campaign) -> None:
    with pytest.raises(ValueError, match="tick of age"):
        give_consent(participant_id=None, campaign=campaign, language="eu", is_14_or_older=False)
    volunteer = make_participant(campaign)
    give_consent(participant_id=volunteer.pk, campaign=campaign, language="es", is_14_or_older=True)
    consent = Consent.objects.get(participant=volunteer)
    assert (consent.language, consent.version) == ("eu", campaign.consent_version)


@pytest.mark.parametrize("text", ["", "  \n ", "a\x00b"])
def test_an_empty_message_is_refused(volunteer: Participant, text: str) -> None:
    assert refusal(volunteer, text=text) is RefusalCode.EMPTY


def test_a_long_message_is_refused(campaign: Campaign, volunteer: Participant) -> None:
    assert refusal(volunteer, text="a" * (campaign.max_prompt_chars + 1)) is RefusalCode.TOO_LONG


def test_a_resent_message_finds_its_turn(volunteer: Participant) -> None:
    key = uuid4()

    def send() -> battles.Begun:
        return battles.begin_turn(
            participant_id=volunteer.pk, battle_id=None, text="Kaixo", key=key, runner_id=RUNNER
        )

    first, second = send(), send()
    assert second == battles.Begun(first.battle_id, None)
    assert Battle.objects.count() == Turn.objects.count() == 1


def test_a_strangers_key_opens_nothing(volunteer: Participant, campaign: Campaign) -> None:
    turn = begin(volunteer)
    stranger = make_participant(campaign)
    with pytest.raises(Refused) as caught:
        battles.begin_turn(
            participant_id=stranger.pk, battle_id=None, text="Kaixo", key=turn.key, runner_id=RUNNER
        )
    assert caught.value.code is RefusalCode.BAD_FRAME


def test_no_second_turn_while_the_first_is_written(volunteer: Participant) -> None:
    assert refusal(volunteer, begin(volunteer).battle) is RefusalCode.NOT_READY


def test_turns_are_limited(campaign: Campaign, volunteer: Participant) -> None:
    campaign.max_turns = 1
    campaign.save()
    assert refusal(volunteer, ready_battle(volunteer)) is RefusalCode.TOO_MANY_TURNS


def test_a_guests_messages_are_limited_by_the_hour(campaign: Campaign, volunteer: Participant) -> None:
    campaign.guest_turns_per_hour = 1
    campaign.save()
    battle = ready_battle(volunteer)
    assert refusal(volunteer, battle) is RefusalCode.TOO_MANY_MESSAGES
    Turn.objects.update(created_at=timezone.now() - timedelta(hours=2))
    assert begin(volunteer, battle).index == 2


def test_a_guests_open_battles_are_limited(campaign: Campaign, volunteer: Participant) -> None:
    for _ in range(campaign.guest_open_battles):
        begin(volunteer)
    assert refusal(volunteer) is RefusalCode.TOO_MANY_BATTLES
    first = Battle.objects.first()
    assert first is not None
    battles.abandon(participant_id=volunteer.pk, battle_id=first.pk)
    begin(volunteer)


def test_one_candidate_makes_no_battle(volunteer: Participant) -> None:
    Battle.objects.all().delete()
    endpoint = make_candidate().endpoints.get()
    for each in type(endpoint).objects.all()[1:]:
        each.status = EndpointStatus.DISABLED.value
        each.save()
    assert refusal(volunteer) is RefusalCode.NO_MODELS


def test_a_strangers_battle_is_not_continued(volunteer: Participant, campaign: Campaign) -> None:
    battle = ready_battle(volunteer)
    assert refusal(make_participant(campaign), battle) is RefusalCode.NOT_FOUND


def test_both_complete_sides_make_a_battle_ready(volunteer: Participant) -> None:
    assert ready_battle(volunteer).status == "ready"


def test_a_failed_side_keeps_the_battle_closed_until_its_retry(volunteer: Participant) -> None:
    turn = begin(volunteer)
    battle = finish(turn, complete(Side.A), failed(Side.B))
    assert battle.status == "answering"
    plan = battles.retry_side(participant_id=volunteer.pk, battle_id=battle.pk, side=Side.B, runner_id=RUNNER)
    assert list(plan.requests) == [Side.B]
    assert plan.kept[Side.A].text == "Erantzuna"
    assert Answer.objects.get(turn=turn, side="B").attempt == 2
    assert finish(turn, complete(Side.B)).status == "ready"


def test_a_retry_draws_another_seed_under_the_same_row(volunteer: Participant) -> None:
    turn = begin(volunteer)
    battle = finish(turn, complete(Side.A), failed(Side.B))
    before = Answer.objects.get(turn=turn, side="B")
    battles.retry_side(participant_id=volunteer.pk, battle_id=battle.pk, side=Side.B, runner_id=RUNNER)
    after = Answer.objects.get(pk=before.pk)
    assert (after.status, after.error_code) == ("pending", "")
    assert after.seed != before.seed


@pytest.mark.parametrize("side", list(Side))
def test_a_complete_side_is_not_retried(volunteer: Participant, side: Side) -> None:
    battle = ready_battle(volunteer)
    with pytest.raises(Refused) as caught:
        battles.retry_side(participant_id=volunteer.pk, battle_id=battle.pk, side=side, runner_id=RUNNER)
    assert caught.value.code is RefusalCode.NOT_READY


def test_a_runner_that_lost_its_lease_stores_nothing(volunteer: Participant) -> None:
    turn = begin(volunteer)
    turns.finish_turn(turn_id=turn.pk, runner_id=uuid4(), results=[complete(Side.A), complete(Side.B)])
    assert {answer.status for answer in turn.answers.all()} == {"pending"}


def test_a_dead_process_leaves_sides_that_can_be_retried(volunteer: Participant) -> None:
    turn = begin(volunteer)
    assert turns.reap_turns() == 0
    Turn.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert turns.reap_turns() == 1
    assert {answer.status for answer in turn.answers.all()} == {"interrupted"}
    plan = battles.retry_side(
        participant_id=volunteer.pk, battle_id=turn.battle_id, side=Side.A, runner_id=RUNNER
    )
    assert set(plan.requests) == {Side.A, Side.B}


def test_a_forgotten_battle_is_closed_after_a_day(volunteer: Participant) -> None:
    battle = ready_battle(volunteer)
    yesterday = timezone.now() - turns.FORGOTTEN_AFTER - timedelta(minutes=1)
    Battle.objects.update(created_at=yesterday)
    turns.reap_turns()
    battle.refresh_from_db()
    assert battle.status == "ready"  # its last message is fresh
    Turn.objects.update(created_at=yesterday)
    turns.reap_turns()
    battle.refresh_from_db()
    assert battle.status == "abandoned"


def test_leaving_twice_changes_nothing(volunteer: Participant) -> None:
    battle = ready_battle(volunteer)
    for _ in range(2):
        battles.abandon(participant_id=volunteer.pk, battle_id=battle.pk)
    battle.refresh_from_db()
    assert battle.status == "abandoned"
    assert refusal(volunteer, battle) is RefusalCode.CLOSED


def test_nobody_is_revealed_before_the_vote(volunteer: Participant) -> None:
    with pytest.raises(IllegalMove):
        battles.reveal(ready_battle(volunteer))


def test_the_database_itself_refuses_a_complete_answer_without_text(volunteer: Participant) -> None:
    turn = begin(volunteer)
    with pytest.raises(IntegrityError, match="answer_complete_has_text_and_reason"), transaction.atomic():
        turn.answers.update(status="complete")


def test_the_database_itself_refuses_a_battle_of_one_candidate(volunteer: Participant) -> None:
    battle = begin(volunteer).battle
    with pytest.raises(IntegrityError, match="battle_two_candidates"), transaction.atomic():
        Battle.objects.filter(pk=battle.pk).update(candidate_b=battle.candidate_a)


def test_the_way_to_the_first_token_takes_few_queries(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    participant = make_participant()
    for _ in range(10):
        make_candidate()
    with django_assert_max_num_queries(20):
        turn = begin(participant)
    with django_assert_max_num_queries(10):
        battle = finish(turn)
    with django_assert_max_num_queries(18):
        begin(participant, battle)
