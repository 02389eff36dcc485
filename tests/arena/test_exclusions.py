"""The ledger: what speaks against a vote, and what the tally makes of it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from arena import sessions
from arena.days import midnight
from arena.models import Battle, Campaign, Exclusion, Participant, Turn, User, Vote
from arena.selectors import mine
from arena.selectors.judgements import Judgements
from arena.services import boards, exclusions
from arena.services.exclusions import STILL_CREDITED, exclude, flag_participant, lift, unflag_participant
from arena.services.votes import cast_vote
from arena.types import ExclusionSource, Side
from inference.models import Candidate
from ranking.filters import ExclusionReason
from ranking.selectors import load_tally
from ranking.types import Criterion, Outcome
from tests.arena.builders import begin, complete, finish, make_campaign, make_participant, ready_battle

pytestmark = pytest.mark.django_db
A, TIE = Outcome.A_BETTER, Outcome.TIE
SPANISH = "Hoy hace muy buen tiempo y queremos ir al monte con los amigos, pero no sabemos qué camino tomar."


@pytest.fixture
def campaign() -> Campaign:
    return make_campaign()


@pytest.fixture
def volunteer(campaign: Campaign) -> Participant:
    return make_participant(campaign)


def vote_on(battle: Battle) -> Vote:
    return cast_vote(battle_id=battle.pk, participant=battle.participant, judgements=Judgements(A, TIE))


def reasons(vote: Vote) -> set[str]:
    return set(vote.exclusions.filter(lifted_at=None).values_list("reason", flat=True))


def n_votes(campaign: Campaign) -> set[int]:
    return {load_tally(board_id=campaign.board_id, criterion=each).n_votes for each in Criterion}


def answered(volunteer: Participant, *, prompt: str, text: str) -> Battle:
    return finish(begin(volunteer, text=prompt), complete(Side.A, text), complete(Side.B, "Bai."))


def test_an_ordinary_vote_counts_and_nothing_speaks_against_it(
    campaign: Campaign, volunteer: Participant
) -> None:
    vote = vote_on(ready_battle(volunteer))
    assert (vote.counted, vote.credited, reasons(vote)) == (True, True, set())
    assert n_votes(campaign) == {1}


@pytest.mark.parametrize(("counts", "reason"), [(True, set()), (False, {"guest"})])
def test_guests_count_only_where_the_campaign_says_so(
    campaign: Campaign, volunteer: Participant, counts: bool, reason: set[str]
) -> None:
    Campaign.objects.update(counts_guests=counts)
    vote = vote_on(ready_battle(volunteer))
    assert reasons(vote) == reason
    assert vote.credited
    assert n_votes(campaign) == {int(counts)}


def test_an_account_counts_where_guests_do_not(campaign: Campaign, volunteer: Participant) -> None:
    Campaign.objects.update(counts_guests=False)
    volunteer.user = User.objects.create(username="kide")
    volunteer.save()
    assert vote_on(ready_battle(volunteer)).counted


def test_a_hasty_vote_is_kept_and_enters_nothing(campaign: Campaign, volunteer: Participant) -> None:
    Campaign.objects.update(too_fast_ms=60_000)
    vote = vote_on(ready_battle(volunteer))
    assert (vote.counted, vote.credited, reasons(vote)) == (False, False, {"too_fast"})
    assert n_votes(campaign) == {0}
    assert vote.judgements.count() == 2


def test_a_leak_and_another_language_are_thanked_but_not_counted(
    campaign: Campaign, volunteer: Participant
) -> None:
    prompt = "Zer egin dezakegu gaur arratsaldean mendian?"
    leak = vote_on(answered(volunteer, prompt="Nor zara?", text="ChatGPT naiz."))
    foreign = vote_on(answered(volunteer, prompt=prompt, text=SPANISH))
    named = vote_on(answered(volunteer, prompt="Nola?", text=f"{Candidate.objects.all()[0].name} naiz."))
    assert [reasons(vote) for vote in (leak, foreign, named)] == [
        {"identity_leak"},
        {"wrong_language"},
        {"identity_leak"},
    ]
    assert all(vote.credited and not vote.counted for vote in (leak, foreign, named))


def test_the_same_question_to_the_same_two_counts_once(campaign: Campaign, volunteer: Participant) -> None:
    first = vote_on(answered(volunteer, prompt="Kaixo!", text="Bai"))
    again = vote_on(answered(volunteer, prompt="kaixo", text="Bai"))
    other = vote_on(answered(volunteer, prompt="Agur", text="Bai"))
    assert [reasons(vote) for vote in (first, again, other)] == [set(), {"duplicate_prompt"}, set()]


def test_votes_beyond_the_hours_limit_do_not_count(campaign: Campaign, volunteer: Participant) -> None:
    Campaign.objects.update(votes_per_hour=2)
    votes = [vote_on(answered(volunteer, prompt=f"Galdera {n}", text="Bai")) for n in range(3)]
    assert [reasons(vote) for vote in votes] == [set(), set(), {"rate"}]
    Vote.objects.update(created_at=votes[0].created_at - timedelta(hours=2))
    assert reasons(vote_on(answered(volunteer, prompt="Eta orain?", text="Bai"))) == set()


def test_a_flagged_volunteers_votes_stop_counting_past_and_future(
    campaign: Campaign, volunteer: Participant
) -> None:
    first, other = vote_on(ready_battle(volunteer)), vote_on(ready_battle(make_participant(campaign)))
    assert flag_participant(participant=volunteer, source=ExclusionSource.STAFF) == 1
    later = vote_on(answered(volunteer, prompt="Agur", text="Bai"))
    for vote in (first, later):
        vote.refresh_from_db()
        assert (vote.counted, vote.credited, reasons(vote)) == (False, False, {"flagged_user"})
    assert n_votes(campaign) == {1}
    assert unflag_participant(participant=volunteer) == 2
    assert n_votes(campaign) == {3}
    assert Exclusion.objects.filter(lifted_at__isnull=False).count() == 2
    assert reasons(other) == set()


def test_one_reason_stands_once_and_the_database_says_so(campaign: Campaign, volunteer: Participant) -> None:
    vote = vote_on(ready_battle(volunteer))
    for _ in range(2):
        exclude(vote_id=vote.pk, reason=ExclusionReason.WITHDRAWN, source=ExclusionSource.VOLUNTEER)
    assert vote.exclusions.count() == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        Exclusion.objects.create(vote=vote, reason="withdrawn", source="staff")
    with pytest.raises(IntegrityError), transaction.atomic():
        Exclusion.objects.create(vote=vote, reason="whim", source="staff")


def test_a_failed_exclusion_leaves_vote_and_tally_together(
    campaign: Campaign, volunteer: Participant, monkeypatch: pytest.MonkeyPatch
) -> None:
    vote = vote_on(ready_battle(volunteer))

    def breaks(**_: object) -> None:
        raise IntegrityError("scripted")

    monkeypatch.setattr(exclusions, "record", breaks)
    with pytest.raises(IntegrityError):
        exclude(vote_id=vote.pk, reason=ExclusionReason.WITHDRAWN, source=ExclusionSource.STAFF)
    vote.refresh_from_db()
    assert vote.counted
    assert reasons(vote) == set()


def revealed(client: Client, battle: Battle) -> str:
    sessions_of = client.session
    sessions.remember_participant(sessions_of, battle.participant_id)
    sessions_of.save()
    address = reverse("vote", args=[battle.pk])
    answer = client.post(address, {"content": "a_better", "language": "tie"}, follow=True)
    return answer.content.decode()


@pytest.mark.parametrize(
    ("prompt", "text", "says"),
    [
        ("Nor zara?", "ChatGPT naiz.", "Eredu batek bere izena edo egilearena esan du."),
        ("Zer egin dezakegu gaur arratsaldean mendian?", SPANISH, "Erantzun bat ez zegoen euskaraz."),
    ],
)
def test_a_leak_and_another_language_are_told_at_once(
    campaign: Campaign, volunteer: Participant, client: Client, prompt: str, text: str, says: str
) -> None:
    page = revealed(client, answered(volunteer, prompt=prompt, text=text))
    assert "ez da sailkapenean sartuko" in page
    assert says in page
    assert "ez du ezer mugitu" in page
    assert "Zure botoarekin" not in page


SILENT = [
    ExclusionReason.TOO_FAST,
    ExclusionReason.RATE,
    ExclusionReason.FAILED_CONTROL,
    ExclusionReason.HELD,
    ExclusionReason.FLAGGED_USER,
]


@pytest.mark.parametrize("reason", SILENT)
def test_the_reveal_is_the_same_whether_haste_or_suspicion_speaks_against_the_vote(
    campaign: Campaign, volunteer: Participant, client: Client, reason: ExclusionReason
) -> None:
    for n in range(3):
        vote_on(answered(make_participant(campaign), prompt=f"Galdera {n}", text="Bai"))
    battle = answered(volunteer, prompt="Azkar", text="Bai")
    counted = re.sub(r'value="[^"]*"', "", revealed(client, battle))
    exclude(vote_id=battle.vote.pk, reason=reason, source=ExclusionSource.RULE)
    page = client.get(reverse("battle", args=[battle.pk])).content.decode()
    assert n_votes(campaign) == {3}
    assert re.sub(r'value="[^"]*"', "", page) == counted


def test_haste_is_told_once_the_week_is_over_without_which_or_how_many(
    campaign: Campaign, volunteer: Participant, client: Client
) -> None:
    vote = vote_on(answered(volunteer, prompt="Azkar", text="Bai"))
    exclude(vote_id=vote.pk, reason=ExclusionReason.TOO_FAST, source=ExclusionSource.RULE)
    monday = midnight() - timedelta(days=timezone.localtime().weekday())
    told = {}
    for days in (-8, -7, -1, 0):
        Vote.objects.update(created_at=monday + timedelta(days=days, hours=1))
        told[days] = mine.was_hasty_last_week(volunteer)
    assert told == {-8: False, -7: True, -1: True, 0: False}
    session = client.session
    sessions.remember_participant(session, volunteer.pk)
    session.save()
    Vote.objects.update(created_at=monday - timedelta(days=1))
    assert "azkarregi eman ziren" in client.get("/me/").content.decode()


class AnyHistory(TestCase):
    """Whatever is excluded and lifted in whatever order, the tally equals a count of the votes that stand."""

    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(
        st.lists(
            st.tuples(st.integers(0, 2), st.sampled_from(list(ExclusionReason)), st.booleans()), max_size=12
        )
    )
    def test_the_tally_follows_the_ledger(self, steps: list[tuple[int, ExclusionReason, bool]]) -> None:
        campaign = make_campaign()
        volunteer = make_participant(campaign)
        votes = [vote_on(answered(volunteer, prompt=f"Galdera {n}", text="Bai")) for n in range(3)]
        standing: dict[int, set[ExclusionReason]] = {0: set(), 1: set(), 2: set()}
        for place, reason, out in steps:
            if out:
                exclude(vote_id=votes[place].pk, reason=reason, source=ExclusionSource.STAFF)
                standing[place].add(reason)
            else:
                lift(vote_id=votes[place].pk, reason=reason)
                standing[place].discard(reason)
        for place, vote in enumerate(votes):
            vote.refresh_from_db()
            assert vote.counted is not bool(standing[place])
            assert vote.credited is (standing[place] <= STILL_CREDITED)
        assert n_votes(campaign) == {sum(not each for each in standing.values())}
        assert boards.rebuild(board=campaign.board, check=True)
        assert Turn.objects.count() == 3


def test_staff_exclude_and_flag_in_the_admin_and_the_board_follows(
    campaign: Campaign, volunteer: Participant, admin_client: Client
) -> None:
    vote = vote_on(ready_battle(volunteer))
    votes, people = reverse("admin:arena_vote_changelist"), reverse("admin:arena_participant_changelist")
    steps = [
        (votes, "withdraw", vote.pk, 0),
        (votes, "restore", vote.pk, 1),
        (votes, "fail_control", vote.pk, 0),
        (votes, "pass_control", vote.pk, 1),
        (people, "flag", volunteer.pk, 0),
        (people, "unflag", volunteer.pk, 1),
    ]
    for address, action, chosen, counted in steps:
        answer = admin_client.post(
            address, {"action": action, "_selected_action": [str(chosen)]}, follow=True
        )
        assert answer.status_code == 200
        assert n_votes(campaign) == {counted}, action
    said = Exclusion.objects.get(reason="withdrawn")
    assert said.staff is not None
    assert said.source == "staff"
    page = admin_client.get(reverse("admin:arena_vote_change", args=[vote.pk])).content.decode()
    assert "failed_control" in page


def test_staff_who_may_only_look_cannot_exclude(
    campaign: Campaign, volunteer: Participant, client: Client
) -> None:
    vote = vote_on(ready_battle(volunteer))
    looker = User.objects.create_user("begirale", password="x" * 12, is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_vote"))
    client.force_login(looker)
    address = reverse("admin:arena_vote_changelist")
    client.post(address, {"action": "withdraw", "_selected_action": [str(vote.pk)]})
    assert reasons(vote) == set()
