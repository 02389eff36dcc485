"""The Basque check: asked by the campaign, kept with the vote as it was that day."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from arena import sessions
from arena.errors import CheckNeeded
from arena.models import Campaign, CheckQuestion, CheckResult, Participant, User, Vote
from arena.selectors.judgements import Judgements
from arena.selectors.takeout import about
from arena.services.checks import answer_check, seed_starter_questions
from arena.services.erasure import erase_participant
from arena.services.people import join_guest
from arena.services.votes import cast_vote
from arena.types import BasqueCheck, BattleStatus
from ranking.types import Outcome
from tests.arena.builders import make_campaign, make_participant, ready_battle

pytestmark = pytest.mark.django_db
VERDICT = Judgements(content=Outcome.A_BETTER, language=Outcome.A_BETTER, overall=None)


@pytest.fixture
def campaign() -> Campaign:
    made = make_campaign()
    made.basque_check = BasqueCheck.REQUIRED.value
    made.save()
    assert seed_starter_questions(made) == 10
    assert seed_starter_questions(made) == 0
    return made


@pytest.fixture
def guest(campaign: Campaign) -> Participant:
    return make_participant(campaign)


def right_ones(campaign: Campaign, wrong: int = 0) -> dict[int, int]:
    chosen = {each.pk: each.right for each in campaign.check_questions.all()}
    for key in list(chosen)[:wrong]:
        chosen[key] = chosen[key] % 2 + 1
    return chosen


def browser_of(participant: Participant) -> Client:
    client = Client()
    session: Any = client.session
    sessions.remember_participant(session, participant.pk)
    session.save()
    return client


def test_a_vote_waits_for_a_required_check_and_keeps_its_result(
    campaign: Campaign, guest: Participant
) -> None:
    battle = ready_battle(guest)
    with pytest.raises(CheckNeeded):
        cast_vote(battle_id=battle.pk, participant=guest, judgements=VERDICT)
    battle.refresh_from_db()
    assert battle.status == BattleStatus.READY.value
    answer_check(participant_id=guest.pk, campaign=campaign, chosen=right_ones(campaign, wrong=3))
    vote = cast_vote(battle_id=battle.pk, participant=guest, judgements=VERDICT)
    assert (vote.check_right, vote.check_asked) == (7, 10)


@pytest.mark.parametrize("headers", [{}, {"X-Requested-With": "fetch"}], ids=["page", "fetch"])
def test_a_vote_that_waits_for_the_check_leads_there(
    campaign: Campaign, guest: Participant, headers: dict[str, str]
) -> None:
    verdict = {"content": "tie", "language": "tie"}
    address = f"/battle/{ready_battle(guest).pk}/vote/"
    answer = browser_of(guest).post(address, verdict, headers=headers)
    assert answer.status_code == 403
    assert 'href="/check/"' in answer.content.decode()


@pytest.mark.parametrize("mode", [BasqueCheck.NONE, BasqueCheck.OFFERED])
def test_nobody_else_is_held_up(campaign: Campaign, guest: Participant, mode: BasqueCheck) -> None:
    Campaign.objects.update(basque_check=mode.value)
    vote = cast_vote(battle_id=ready_battle(guest).pk, participant=guest, judgements=VERDICT)
    assert (vote.check_right, vote.check_asked) == (None, None)


def test_a_campaign_without_questions_holds_nobody_up(campaign: Campaign, guest: Participant) -> None:
    CheckQuestion.objects.all().delete()
    assert cast_vote(battle_id=ready_battle(guest).pk, participant=guest, judgements=VERDICT).pk
    assert browser_of(guest).get(reverse("check")).status_code == 404


def test_the_first_of_a_day_and_the_last_of_the_days_stands(campaign: Campaign, guest: Participant) -> None:
    for wrong in (4, 0):
        answer_check(participant_id=guest.pk, campaign=campaign, chosen=right_ones(campaign, wrong))
    assert list(CheckResult.objects.values_list("right", flat=True)) == [6]
    first = cast_vote(battle_id=ready_battle(guest).pk, participant=guest, judgements=VERDICT)
    CheckResult.objects.update(day="2026-01-01")
    answer_check(participant_id=guest.pk, campaign=campaign, chosen=right_ones(campaign))
    later = cast_vote(battle_id=ready_battle(guest).pk, participant=guest, judgements=VERDICT)
    first.refresh_from_db()
    assert (first.check_right, later.check_right) == (6, 10)


def test_a_check_is_answered_whole(campaign: Campaign, guest: Participant) -> None:
    with pytest.raises(ValueError, match="whole"):
        answer_check(participant_id=guest.pk, campaign=campaign, chosen={})


@pytest.mark.parametrize(("options", "right"), [(["bat"], 1), (["bat", "bi"], 3), (["bat", "bi"], 0)])
def test_the_database_holds_no_question_without_a_right_option(
    campaign: Campaign, options: list[str], right: int
) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        campaign.check_questions.create(position=99, text="Zer?", options=options, right=right)


def test_the_page_asks_again_for_what_is_missing_and_then_tells_how_many(
    campaign: Campaign, guest: Participant
) -> None:
    browser, chosen = browser_of(guest), right_ones(campaign)
    assert reverse("check") in browser.get(reverse("start")).content.decode()
    some = {str(key): option for key, option in list(chosen.items())[:9]}
    refused = browser.post(reverse("check"), some)
    assert refused.status_code == 422
    assert refused.content.decode().count(" checked") == 9
    assert browser.post(reverse("check"), {str(key): n for key, n in chosen.items()}).status_code == 302
    assert "10" in browser.get(reverse("check")).content.decode()
    assert reverse("check") not in browser.get(reverse("start")).content.decode()


def test_the_refused_vote_says_where_the_check_is(campaign: Campaign, guest: Participant) -> None:
    battle = ready_battle(guest)
    given = {"content": "a_better", "language": "a_better"}
    said = browser_of(guest).post(reverse("vote", args=[battle.pk]), given)
    assert said.status_code == 403
    assert "/check/" in said.content.decode()


def test_results_are_taken_out_moved_and_forgotten(campaign: Campaign, guest: Participant) -> None:
    answer_check(participant_id=guest.pk, campaign=campaign, chosen=right_ones(campaign))
    cast_vote(battle_id=ready_battle(guest).pk, participant=guest, judgements=VERDICT)
    own = Participant.objects.create(user=User.objects.create(username=str(uuid.uuid4())))
    assert own.user is not None
    join_guest(guest_id=guest.pk, user=own.user)
    (told,) = about(own)["basque_checks"]
    assert (told["right"], told["asked"]) == (10, 10)
    erase_participant(participant_id=own.pk)
    assert not CheckResult.objects.exists()
    assert Vote.objects.get().check_right is None


class Results(TestCase):
    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(data=st.data(), questions=st.lists(st.integers(2, 5), min_size=1, max_size=12))
    def test_a_result_counts_each_question_once_and_no_second_try_of_a_day_changes_it(
        self, data: st.DataObject, questions: list[int]
    ) -> None:
        """*questions* are numbers of options. Keys of no question, say of another campaign's, count for nothing."""
        campaign = make_campaign()
        guest = make_participant(campaign)
        rights = [data.draw(st.integers(1, options)) for options in questions]
        asked = [
            campaign.check_questions.create(
                position=place, text=f"{place}?", options=[str(n) for n in range(options)], right=right
            ).pk
            for place, (options, right) in enumerate(zip(questions, rights, strict=True))
        ]
        tries = [
            {key: data.draw(st.integers(1, options)) for key, options in zip(asked, questions, strict=True)}
            for _ in range(2)
        ]
        tries[0] |= {max(asked) + 1: 1}
        results = [
            answer_check(participant_id=guest.pk, campaign=campaign, chosen=chosen) for chosen in tries
        ]
        expected = sum(tries[0][key] == right for key, right in zip(asked, rights, strict=True))
        assert [(each.right, each.asked) for each in results] == [(expected, len(asked))] * 2
        assert CheckResult.objects.count() == 1
        del tries[1][data.draw(st.sampled_from(asked))]
        with pytest.raises(ValueError, match="whole"):
            answer_check(participant_id=guest.pk, campaign=campaign, chosen=tries[1])


def as_shown(page: Any) -> dict[str, Any]:
    """What the admin's form of a page would send back untouched."""
    inlines = [each.formset for each in page.context["inline_admin_formsets"]]
    forms = [page.context["adminform"].form]
    for formset in inlines:
        forms += [formset.management_form, *formset.forms]
    sent: dict[str, Any] = {}
    for each in (field for form in forms for field in form):
        value = each.value()
        if isinstance(value, bool):
            sent |= {each.html_name: "on"} if value else {}
        elif value is not None:
            sent[each.html_name] = each.field.widget.format_value(value) if each.is_hidden else value
    return sent


def test_staff_write_questions_and_one_without_a_right_option_is_refused_in_words(
    admin_client: Client, campaign: Campaign
) -> None:
    CheckQuestion.objects.all().delete()
    address = reverse("admin:arena_campaign_change", args=[campaign.pk])
    prefix = "check_questions"
    sent = as_shown(admin_client.get(address)) | {
        f"{prefix}-TOTAL_FORMS": 1,
        f"{prefix}-0-campaign": campaign.pk,
        f"{prefix}-0-position": 1,
        f"{prefix}-0-text": "Nola esaten da?",
        f"{prefix}-0-options": "bat\nbi\nhiru",
    }
    for right, options in ((4, "bat\nbi\nhiru"), (0, "bat\nbi\nhiru"), (1, "bat")):
        refused = admin_client.post(
            address, sent | {f"{prefix}-0-right": right, f"{prefix}-0-options": options}
        )
        assert refused.status_code == 200
        assert "errornote" in refused.content.decode()
    assert not CheckQuestion.objects.exists()
    saved = admin_client.post(address, sent | {f"{prefix}-0-right": 3})
    assert saved.status_code == 302
    made = CheckQuestion.objects.get()
    assert (made.campaign, made.options, made.right) == (campaign, ["bat", "bi", "hiru"], 3)


def test_staff_add_the_starters_by_an_action_where_there_are_no_questions(
    admin_client: Client, campaign: Campaign
) -> None:
    address = reverse("admin:arena_campaign_changelist")
    for _ in range(2):
        CheckQuestion.objects.filter(position__gt=1).delete()
        admin_client.post(address, {"action": "seed", "_selected_action": [campaign.pk]})
        assert campaign.check_questions.count() == 1, "there was one"
    CheckQuestion.objects.all().delete()
    admin_client.post(address, {"action": "seed", "_selected_action": [campaign.pk]})
    assert campaign.check_questions.count() == 10
