"""Pairs of earlier battles, judged again by others, with every model server away."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import Count, QuerySet
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from pytest_django import DjangoAssertNumQueries

from arena.errors import Refused
from arena.models import Answer, Battle, Campaign, Participant, Prompt, Vote
from arena.numbers.material import Votes, material_of
from arena.numbers.quality import shown_again
from arena.selectors import draws, judging, takeout
from arena.selectors.judgements import Judgements
from arena.selectors.judging import Least, least_judged, to_judge
from arena.selectors.languages import answers_to_basque
from arena.services.accounts import ERASED
from arena.services.battles import abandon
from arena.services.campaigns import pause_campaign
from arena.services.erasure import erase_participant
from arena.services.exclusions import exclude
from arena.services.feedback import Said, add_feedback
from arena.services.judging import give_pair
from arena.services.people import withdraw_consent
from arena.services.votes import cast_vote
from arena.types import BattleSource, ExclusionSource, FeedbackKind, RefusalCode, Side
from inference.models import ModelEndpoint
from ranking.filters import ExclusionReason
from ranking.types import Criterion, Outcome
from tests.arena.builders import answered_set, begin, complete, finish, make_campaign, make_participant
from tests.arena.test_pages import FETCH, VOTE, signed_in

pytestmark = pytest.mark.django_db
QUERIES_OF_A_PAIR = 14
A, B, TIE = Outcome.A_BETTER, Outcome.B_BETTER, Outcome.TIE


@pytest.fixture
def campaign() -> Campaign:
    return make_campaign(candidates=3)


@pytest.fixture
def judge(campaign: Campaign) -> Participant:
    return make_participant(campaign)


def voted(participant: Participant, outcome: Outcome = A, text: str = "Kaixo") -> Battle:
    battle = finish(begin(participant, text=text), complete(Side.A, "Bat"), complete(Side.B, "Bi"))
    return vote_on(battle, outcome).battle


def vote_on(battle: Battle, outcome: Outcome = A) -> Vote:
    judged = Judgements(outcome, TIE)
    return cast_vote(battle_id=battle.pk, participant=battle.participant, judgements=judged)


def given_pair(judge: Participant) -> Battle:
    return give_pair(participant_id=judge.pk, campaign=Campaign.objects.get())


def refusal(judge: Participant) -> RefusalCode:
    with pytest.raises(Refused) as caught:
        given_pair(judge)
    return caught.value.code


def texts(battle: Battle) -> dict[str, str]:
    return dict(Answer.objects.filter(turn__battle=battle).values_list("side", "text"))


def test_the_first_to_judge_a_pair_sees_the_sides_swapped_and_the_next_does_not(
    campaign: Campaign, judge: Participant
) -> None:
    origin = voted(make_participant(campaign))
    pair = given_pair(judge)
    assert (pair.source, pair.origin, pair.status) == ("rejudged", origin, "ready")
    assert (pair.candidate_a, pair.candidate_b) == (origin.candidate_b, origin.candidate_a)
    assert texts(pair) == {"A": "Bi", "B": "Bat"}
    vote_on(pair)
    again = given_pair(make_participant(campaign))
    assert again.candidate_a == origin.candidate_a
    assert texts(again) == {"A": "Bat", "B": "Bi"}


def test_a_judgement_is_credited_and_moves_no_rating(campaign: Campaign, judge: Participant) -> None:
    voted(make_participant(campaign))
    before = list(campaign.board.cells.order_by("pk").values())
    vote = vote_on(given_pair(judge))
    assert (vote.counted, vote.credited) == (False, True)
    assert [each.reason for each in vote.exclusions.all()] == ["rejudged"]
    assert list(campaign.board.cells.order_by("pk").values()) == before


def test_a_pair_stays_until_it_is_judged_or_left(campaign: Campaign, judge: Participant) -> None:
    voted(make_participant(campaign))
    pair = given_pair(judge)
    assert given_pair(judge) == pair
    abandon(participant_id=judge.pk, battle_id=pair.pk)
    assert refusal(judge) is RefusalCode.NOTHING_TO_JUDGE, "never the same twice"


def test_nobody_writes_into_a_pair(campaign: Campaign, judge: Participant) -> None:
    voted(make_participant(campaign))
    with pytest.raises(Refused, match="closed"):
        begin(judge, given_pair(judge))


def test_it_needs_consent_and_a_campaign_that_runs(campaign: Campaign, judge: Participant) -> None:
    voted(make_participant(campaign))
    stranger = Participant.objects.create()
    assert refusal(stranger) is RefusalCode.CONSENT_NEEDED
    pause_campaign(campaign_id=campaign.pk)
    assert refusal(judge) is RefusalCode.CAMPAIGN_PAUSED


@pytest.mark.parametrize(
    "reason", [ExclusionReason.IDENTITY_LEAK, ExclusionReason.MODERATED, ExclusionReason.FLAGGED_USER]
)
def test_what_tells_or_was_set_aside_is_shown_to_nobody(
    campaign: Campaign, judge: Participant, reason: ExclusionReason
) -> None:
    origin = voted(make_participant(campaign))
    pair = given_pair(judge)
    exclude(vote_id=origin.vote.pk, reason=reason, source=ExclusionSource.STAFF)
    assert refusal(judge) is RefusalCode.NOTHING_TO_JUDGE
    pair.refresh_from_db()
    assert pair.status == "abandoned"


def test_what_is_withdrawn_is_shown_no_more_and_what_is_erased_is_gone(
    campaign: Campaign, judge: Participant
) -> None:
    one, other = make_participant(campaign), make_participant(campaign)
    voted(one, text="Nirea")
    pair = given_pair(judge)
    voted(other, text="Beste bat")
    withdraw_consent(participant_id=other.pk, takes_votes=True)
    vote_on(pair)
    assert refusal(judge) is RefusalCode.NOTHING_TO_JUDGE
    erase_participant(participant_id=one.pk)
    assert [turn.text for turn in pair.turns.all()] == [ERASED]
    assert set(texts(pair).values()) == {ERASED}


@pytest.mark.parametrize("shows", [BattleSource.LIVE, BattleSource.PROMPT_SET])
def test_what_is_taken_back_while_it_is_drawn_is_given_to_nobody(
    campaign: Campaign, judge: Participant, monkeypatch: pytest.MonkeyPatch, shows: BattleSource
) -> None:
    writer = make_participant(campaign)
    if shows is BattleSource.PROMPT_SET:
        answered_set(campaign, "Zer da Korrika?")
    else:
        voted(writer)
    counted = judging._least

    def meanwhile(rows: QuerySet[Any], given: Count) -> Least[Any]:
        least = counted(rows, given)
        if least.n:
            withdraw_consent(participant_id=writer.pk, takes_votes=True)
            Prompt.objects.update(hidden_at=timezone.now())
        return least

    monkeypatch.setattr(judging, "_least", meanwhile)
    assert refusal(judge) is RefusalCode.NOTHING_TO_JUDGE
    assert not Battle.objects.filter(participant=judge).exists()


def test_copies_are_no_new_battles_for_any_count(campaign: Campaign, judge: Participant) -> None:
    for n in range(2):
        voted(make_participant(campaign), text=f"Nola dago hori {n}?")
    before = [(log.battles, log.mean) for log in draws.propensity_log(campaign.board)]
    sides, answered = (
        draws.sides_shown(campaign.board),
        list(answers_to_basque(campaign.board, until=timezone.now())),
    )
    vote_on(given_pair(judge))
    assert [(log.battles, log.mean) for log in draws.propensity_log(campaign.board)] == before
    assert draws.sides_shown(campaign.board) == sides
    assert list(answers_to_basque(campaign.board, until=timezone.now())) == answered


def test_a_download_holds_the_judgement_and_not_what_others_wrote(
    campaign: Campaign, judge: Participant
) -> None:
    voted(make_participant(campaign), text="Beste baten galdera")
    pair = vote_on(given_pair(judge)).battle
    answer = Answer.objects.get(turn__battle=pair, side="B")
    said = Said(answer.pk, 0, 2, FeedbackKind.CALQUE, comment="Nirea")
    add_feedback(battle_id=pair.pk, participant_id=judge.pk, said=said)
    [(_key, mine)] = takeout.battles_after(judge, None)
    assert (mine["source"], mine["vote"]["winner"]) == ("rejudged", "a_better")
    [turn] = mine["turns"]
    assert turn["message"] is None
    assert [(turn["answers"][side]["text"], len(turn["answers"][side]["marked"])) for side in "AB"] == [
        (None, 0),
        (None, 1),
    ]
    assert turn["answers"]["B"]["marked"][0]["comment"] == "Nirea"


def test_agreement_is_measured_on_the_same_answers_whatever_the_sides(campaign: Campaign) -> None:
    for n in range(3):
        voted(make_participant(campaign), A, text=f"Galdera {n}")
    for _ in range(3):
        judge = make_participant(campaign)
        vote_on(given_pair(judge), B)  # swapped: the same answer as A before
    material = material_of(campaign.board)
    assert isinstance(material, Votes)
    found = shown_again(material, Criterion.OVERALL)
    assert (found.n_items, found.n_judgements) == (3, 6)
    outcomes = Counter(material.table.outcomes[Criterion.OVERALL].tolist())
    assert outcomes == {A.place: 3, B.place: 3}
    assert found.nominal is None or found.nominal.value == 1


def test_the_database_knows_what_a_copy_is(campaign: Campaign, judge: Participant) -> None:
    origin = voted(make_participant(campaign))
    for change in ({"source": "rejudged"}, {"origin": origin}, {"source": "beste"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Battle.objects.filter(pk=origin.pk).update(**change)


@pytest.mark.parametrize("waiting", [2, 12])
def test_of_all_that_wait_one_is_read_and_each_can_be_drawn(
    campaign: Campaign,
    judge: Participant,
    django_assert_num_queries: DjangoAssertNumQueries,
    waiting: int,
) -> None:
    origins = {voted(make_participant(campaign), text=f"Galdera {n}").pk for n in range(waiting)}
    other = make_participant(campaign)
    origins.discard(vote_on(given_pair(other)).battle.origin_id)
    with django_assert_num_queries(1):
        least = least_judged(to_judge(judge, campaign))
    assert (least.given, least.n) == (0, waiting - 1)
    with django_assert_num_queries(least.n):
        drawn = [each.pk for place in range(least.n) if (each := least.at(place))]
    assert sorted(drawn) == sorted(origins)
    vote_on(given_pair(other))
    assert least.at(least.n - 1), "one that was given meanwhile makes room for the next"
    with django_assert_num_queries(QUERIES_OF_A_PAIR):
        give_pair(participant_id=judge.pk, campaign=campaign)


class Draws(TestCase):
    @settings(max_examples=20, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=4, max_size=14))
    def test_nobody_judges_their_own_or_one_twice_and_sides_stay_even(
        self, acts: list[tuple[int, bool]]
    ) -> None:
        """Four people write or judge in any order."""
        campaign = make_campaign(candidates=3)
        people = [make_participant(campaign) for _ in range(4)]
        for who, writes in acts:
            if writes:
                voted(people[who], text=f"Galdera {Battle.objects.count()}")
            elif to_judge(people[who], campaign).exists():
                vote_on(given_pair(people[who]))
        copies = list(Battle.objects.filter(source=BattleSource.REJUDGED.value).select_related("origin"))
        assert all(each.origin and each.origin.participant_id != each.participant_id for each in copies)
        assert len({(each.participant_id, each.origin_id) for each in copies}) == len(copies)
        for origin in Battle.objects.filter(source=BattleSource.LIVE.value):
            mine = [each for each in copies if each.origin_id == origin.pk]
            swapped = sum(each.candidate_a_id == origin.candidate_b_id for each in mine)
            assert swapped == (len(mine) + 1) // 2
        assert all(0 < each.propensity <= 1 for each in copies)


# pages


def test_a_volunteer_judges_without_scripts_and_without_model_servers(
    client: Client, campaign: Campaign, judge: Participant
) -> None:
    origin = voted(make_participant(campaign), text="Zer da Korrika?")
    ModelEndpoint.objects.update(base_url="http://127.0.0.1:1/v1", health="down")
    browser = signed_in(client, judge)
    assert browser.get(reverse("judge")).status_code == 200
    answer = browser.post(reverse("judge"), follow=True)
    page, where = answer.content.decode(), answer.redirect_chain[-1][0]
    assert "Zer da Korrika?" in page
    assert "composer" not in page
    for secret in (
        str(origin.pk),
        *(name for each in (origin.candidate_a, origin.candidate_b) for name in (each.name, each.code)),
    ):
        assert secret not in page
    pair = Battle.objects.get(source="rejudged")
    assert where == reverse("judged_pair", args=[pair.pk])
    assert browser.get(reverse("battle", args=[pair.pk]))["Location"] == where
    told = browser.post(reverse("vote", args=[pair.pk]), VOTE, follow=True).content.decode()
    assert origin.candidate_a.name in told
    assert reverse("judge") in told
    assert browser.get(where, follow=True).status_code == 200


def test_a_pair_is_its_judges_alone(client: Client, campaign: Campaign, judge: Participant) -> None:
    voted(make_participant(campaign))
    pair = given_pair(judge)
    assert pair.origin
    writer = signed_in(Client(), pair.origin.participant)
    assert writer.get(reverse("judged_pair", args=[pair.origin_id])).status_code == 404, "it is no pair"
    for path in ("judged_pair", "battle"):
        assert client.get(reverse(path, args=[pair.pk])).status_code == 404
    stranger = signed_in(Client(), make_participant(campaign))
    assert stranger.get(reverse("judged_pair", args=[pair.pk])).status_code == 404
    assert stranger.post(reverse("vote", args=[pair.pk]), VOTE, headers=FETCH).status_code == 404


def test_whoever_cannot_judge_is_told_why(client: Client, campaign: Campaign, judge: Participant) -> None:
    stranger = client.post(reverse("judge"))
    assert stranger["Location"] == f"{reverse('privacy')}?next={reverse('judge')}#give"
    browser = signed_in(Client(), judge)
    assert "zain dauden bikote guztiak" in browser.post(reverse("judge"), follow=True).content.decode()


def test_leaving_a_pair_leads_back_to_judging(client: Client, campaign: Campaign, judge: Participant) -> None:
    voted(make_participant(campaign))
    pair = given_pair(judge)
    answer = signed_in(client, judge).post(reverse("abandon", args=[pair.pk]), {"next": reverse("judge")})
    assert answer["Location"] == reverse("judge")


def test_what_was_taken_back_is_read_nowhere(client: Client, campaign: Campaign, judge: Participant) -> None:
    origin = voted(make_participant(campaign), text="Isilpekoa")
    pair, browser = given_pair(judge), signed_in(client, judge)
    vote_on(pair)
    assert "Isilpekoa" in browser.get(reverse("battle", args=[pair.pk])).content.decode()
    withdraw_consent(participant_id=origin.participant_id, takes_votes=True)
    for path in (reverse("battle", args=[pair.pk]), reverse("judged_pair", args=[pair.pk])):
        assert browser.get(path).status_code == 404
    assert browser.post(reverse("vote", args=[pair.pk]), {}).status_code == 404


def test_a_vote_without_scripts_can_say_overall(
    client: Client, campaign: Campaign, judge: Participant
) -> None:
    voted(make_participant(campaign))
    pair, browser = given_pair(judge), signed_in(client, judge)
    asked = {"content": "a_better", "language": "b_better"}
    page = browser.post(reverse("vote", args=[pair.pk]), asked)
    text = page.content.decode()
    assert page.status_code == 422
    assert "data-overall hidden" not in text
    assert "composer" not in text
    assert text.count(" checked") == 2, "what was chosen stays"
    browser.post(reverse("vote", args=[pair.pk]), asked | {"overall": "tie"})
    assert Vote.objects.get(battle=pair).winner == "tie"


def test_nobody_is_given_more_pairs_in_an_hour_than_votes(campaign: Campaign, judge: Participant) -> None:
    Campaign.objects.update(votes_per_hour=1)
    for n in range(2):
        voted(make_participant(campaign), text=f"Galdera {n}")
    abandon(participant_id=judge.pk, battle_id=given_pair(judge).pk)
    assert refusal(judge) is RefusalCode.TOO_MANY_BATTLES
