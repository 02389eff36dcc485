"""A guest who makes an account or logs into one: everything comes along, and the tally stays exact."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connections
from django.db.models import Sum
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from arena.errors import NotYourBattle
from arena.models import Battle, Campaign, Consent, Credit, Finding, Participant, SetAnswer, User, Vote
from arena.numbers.material import Votes, material_of
from arena.selectors.judgements import Judgements
from arena.services import boards
from arena.services.judging import give_pair
from arena.services.people import declare_profile, give_consent, join_guest, withdraw_consent
from arena.services.votes import cast_vote
from arena.types import Display, Education, LanguageLevel
from inference.models import Candidate
from ranking.filters import ExclusionReason
from ranking.raters import RaterTest
from ranking.selectors import load_tally
from ranking.types import Criterion, Outcome
from tests.arena.builders import answered_set, begin, finish, make_campaign, make_participant

pytestmark = pytest.mark.django_db
A, B, TIE = Outcome.A_BETTER, Outcome.B_BETTER, Outcome.TIE


@pytest.fixture
def campaign() -> Campaign:
    """One on whose board guests do not count."""
    found = make_campaign(candidates=3)
    Campaign.objects.update(counts_guests=False)
    found.refresh_from_db()
    return found


@pytest.fixture
def guest(campaign: Campaign) -> Participant:
    return make_participant(campaign)


def account(name: str = "ane") -> User:
    return User.objects.create_user(name, f"{name}@adibidea.eus")


def voted(participant: Participant, text: str = "Kaixo", outcome: Outcome = A) -> Vote:
    battle = finish(begin(participant, text=text))
    battle = Battle.objects.get(pk=battle.pk)
    return cast_vote(battle_id=battle.pk, participant=battle.participant, judgements=Judgements(outcome, TIE))


def n_counted(campaign: Campaign) -> set[int]:
    return {load_tally(board_id=campaign.board_id, criterion=each).n_votes for each in Criterion}


def reasons(vote: Vote) -> set[str]:
    return set(vote.exclusions.filter(lifted_at=None).values_list("reason", flat=True))


def tally_is_exact() -> None:
    call_command("rebuild_tally", check=True)


def test_the_first_guest_becomes_the_accounts_participant_and_the_board_gains_the_votes(
    campaign: Campaign, guest: Participant, capsys: pytest.CaptureFixture[str]
) -> None:
    vote = voted(guest)
    assert n_counted(campaign) == {0}
    own = join_guest(guest_id=guest.pk, user=account())
    vote.refresh_from_db()
    assert (own.pk, own.is_guest) == (guest.pk, False)
    assert (vote.counted, reasons(vote)) == (True, set())
    assert n_counted(campaign) == {1}
    tally_is_exact()


def test_where_guests_count_nothing_moves(guest: Participant, campaign: Campaign) -> None:
    Campaign.objects.update(counts_guests=True)
    voted(guest)
    join_guest(guest_id=guest.pk, user=account())
    assert n_counted(campaign) == {1}
    tally_is_exact()


def test_a_later_guests_battles_votes_and_consents_move_to_the_account(
    campaign: Campaign, guest: Participant
) -> None:
    user = account()
    own = join_guest(guest_id=guest.pk, user=user)
    mine = voted(own)
    later = make_participant(campaign)
    Consent.objects.create(participant=later, version="2025-01", language="es", is_14_or_older=True)
    declare_profile(participant_id=later.pk, level=LanguageLevel.B, education=None)
    theirs, open_battle = voted(later, "Agur"), begin(later, text="Zer moduz?").battle
    assert join_guest(guest_id=later.pk, user=user) == own
    open_battle.refresh_from_db()
    assert open_battle.participant == own
    assert set(Vote.objects.filter(participant=own)) == {mine, theirs}
    assert set(own.consents.values_list("version", "language")) == {
        (campaign.consent_version, "eu"),
        ("2025-01", "es"),
    }
    assert not Participant.objects.filter(pk=later.pk).exists()
    assert n_counted(campaign) == {2}
    tally_is_exact()


def test_everything_that_points_at_a_participant_is_moved_or_known() -> None:
    """Whoever adds a table that points at participants says in ``join_guest`` what becomes of its rows."""
    pointing = {relation.related_model.__name__ for relation in Participant._meta.related_objects}
    assert pointing == {
        "Battle",
        "Vote",
        "Credit",
        "Consent",
        "CheckResult",
        "Finding",
        "TicketHolder",
        "ModerationEntry",
        "Report",
        "SpanFeedback",
    }


def test_votes_keep_the_level_of_their_day_and_the_account_keeps_its_own_words(
    campaign: Campaign, guest: Participant
) -> None:
    user = account()
    own = join_guest(guest_id=guest.pk, user=user)
    declare_profile(participant_id=own.pk, level=LanguageLevel.C, education=None)
    later = make_participant(campaign)
    Participant.objects.filter(pk=later.pk).update(display=Display.UNPACED.value)
    declare_profile(participant_id=later.pk, level=LanguageLevel.A, education=Education.BACHELOR)
    vote = voted(Participant.objects.get(pk=later.pk))
    own = join_guest(guest_id=later.pk, user=user)
    vote.refresh_from_db()
    assert (vote.language_level, vote.education) == ("A1-A2", "Bachelor")
    assert (own.language_level, own.education, own.display) == ("C1-C2", "Bachelor", "unpaced")


def test_other_reasons_than_being_a_guest_stay(campaign: Campaign, guest: Participant) -> None:
    voted(guest, "Kaixo")
    Campaign.objects.update(votes_per_hour=1)
    rushed = voted(guest, "Agur")
    assert reasons(rushed) == {"guest", "rate"}
    join_guest(guest_id=guest.pk, user=account())
    assert reasons(rushed) == {"rate"}
    assert n_counted(campaign) == {1}
    tally_is_exact()


@pytest.mark.parametrize(
    ("mark", "reason"), [("flagged_at", ExclusionReason.FLAGGED_USER), ("held_at", ExclusionReason.HELD)]
)
def test_a_marked_guest_takes_the_mark_along_and_the_accounts_votes_follow(
    campaign: Campaign, guest: Participant, mark: str, reason: ExclusionReason
) -> None:
    user = account()
    own = join_guest(guest_id=guest.pk, user=user)
    before = voted(own)
    assert n_counted(campaign) == {1}
    marked = make_participant(campaign)
    since = timezone.now() - timedelta(hours=1)
    Participant.objects.filter(pk=marked.pk).update(**{mark: since})
    theirs = voted(Participant.objects.get(pk=marked.pk), "Agur")
    own = join_guest(guest_id=marked.pk, user=user)
    assert getattr(own, mark) == since
    assert reasons(before) == reasons(theirs) == {reason.value}
    assert n_counted(campaign) == {0}
    tally_is_exact()


def test_a_marked_account_holds_a_clean_guests_votes_back(campaign: Campaign, guest: Participant) -> None:
    user = account()
    own = join_guest(guest_id=guest.pk, user=user)
    Participant.objects.filter(pk=own.pk).update(flagged_at=timezone.now())
    clean = make_participant(campaign)
    vote = voted(clean)
    join_guest(guest_id=clean.pk, user=user)
    assert reasons(vote) == {"flagged_user"}
    assert n_counted(campaign) == {0}


def test_findings_come_along_and_one_that_both_have_stays_one(campaign: Campaign, guest: Participant) -> None:
    user = account()
    own = join_guest(guest_id=guest.pk, user=user)
    later = make_participant(campaign)
    first, second = list(RaterTest)[:2]
    for who, test in ((own, first), (later, first), (later, second)):
        Finding.objects.create(
            board=campaign.board, participant=who, test=test.value, statistic=5, p=0.001, q=0.01, n_votes=50
        )
    join_guest(guest_id=later.pk, user=user)
    assert sorted(own.findings.values_list("test", flat=True)) == sorted([first.value, second.value])


def judged(judge: Participant, outcome: Outcome = A) -> Vote:
    pair = give_pair(participant_id=judge.pk, campaign=Campaign.objects.get())
    return cast_vote(battle_id=pair.pk, participant=judge, judgements=Judgements(outcome, TIE))


def raters(campaign: Campaign) -> int:
    material = material_of(campaign.board)
    assert isinstance(material, Votes)
    return int(material.sound.sum())


def test_nobody_agrees_with_themselves_once_a_guest_joins(campaign: Campaign, guest: Participant) -> None:
    """The guest judged the account's battle, and both of them that of somebody else."""
    user = account()
    own = join_guest(guest_id=None, user=user)
    give_consent(participant_id=own.pk, campaign=campaign, language="eu", is_14_or_older=True)
    mine = voted(own, "Nirea")
    on_mine = judged(guest)
    assert on_mine.battle.origin == mine.battle
    voted(make_participant(campaign), "Beste batena")
    first, second = judged(own), judged(guest)
    assert first.battle.origin == second.battle.origin
    assert raters(campaign) == 2, "guests do not count here"
    waiting = voted(own, "Nirea berriro")
    pair = give_pair(participant_id=guest.pk, campaign=campaign)
    assert pair.origin == waiting.battle
    join_guest(guest_id=guest.pk, user=user)
    assert reasons(mine) == reasons(waiting) == set()
    assert reasons(first) == {"rejudged"}
    assert reasons(on_mine) == reasons(second) == {"rejudged", "duplicate_prompt"}
    later = cast_vote(battle_id=pair.pk, participant=own, judgements=Judgements(B, TIE))
    assert reasons(later) == {"rejudged", "duplicate_prompt"}
    credited = Vote.objects.filter(participant=own, credited=True)
    assert set(credited) == {mine, waiting, first}
    assert Credit.objects.filter(participant=own).aggregate(n=Sum("amount"))["n"] == 3
    assert raters(campaign) == 3
    tally_is_exact()


def test_of_a_prompts_pair_that_both_judged_the_first_vote_stands(
    campaign: Campaign, guest: Participant
) -> None:
    Candidate.objects.filter(pk__in=Candidate.objects.values("pk")[2:]).update(name="Hirugarrena")
    campaign.candidates.set(Candidate.objects.exclude(name="Hirugarrena"))
    answered_set(campaign, "Zer da Korrika?")
    SetAnswer.objects.filter(candidate__name="Hirugarrena").delete()
    user = account()
    own = join_guest(guest_id=None, user=user)
    give_consent(participant_id=own.pk, campaign=campaign, language="eu", is_14_or_older=True)
    first, second = judged(own), judged(guest)
    assert second.battle.twin == first.battle
    join_guest(guest_id=guest.pk, user=user)
    assert (reasons(first), reasons(second)) == ({"prompt_set"}, {"prompt_set", "duplicate_prompt"})


def test_somebody_elses_participant_is_left_alone(campaign: Campaign, guest: Participant) -> None:
    theirs = join_guest(guest_id=guest.pk, user=account("ane"))
    mine = join_guest(guest_id=theirs.pk, user=account("miren"))
    assert mine.pk != theirs.pk
    assert Participant.objects.get(pk=theirs.pk).user == User.objects.get(username="ane")


def test_an_account_without_a_guest_gets_a_participant_once(campaign: Campaign) -> None:
    user = account()
    first = join_guest(guest_id=None, user=user)
    assert join_guest(guest_id=None, user=user) == first
    assert Participant.objects.count() == 1


def test_a_withdrawn_guest_stays_withdrawn_on_the_account(campaign: Campaign, guest: Participant) -> None:
    vote = voted(guest)
    withdraw_consent(participant_id=guest.pk, takes_votes=True)
    own = join_guest(guest_id=guest.pk, user=account())
    assert reasons(vote) == {"withdrawn"}
    assert not own.consents.filter(withdrawn_at=None).exists()
    assert n_counted(campaign) == {0}


@pytest.mark.django_db(transaction=True)
def test_votes_cast_while_a_guest_joins_are_stored_once_and_the_tally_stays_exact() -> None:
    """Each vote is in time and comes along, or is refused since the battle is somebody else's by now; nobody waits in a circle."""
    campaign = make_campaign()
    Campaign.objects.update(counts_guests=False, guest_open_battles=50)
    user, guest = account(), make_participant(campaign)
    own = join_guest(guest_id=make_participant(campaign).pk, user=user)
    battles = [finish(begin(guest, text=f"Galdera {n}")) for n in range(8)]

    def cast(battle: Battle) -> bool:
        try:
            cast_vote(battle_id=battle.pk, participant=guest, judgements=Judgements(A, TIE))
        except NotYourBattle:
            return False
        finally:
            connections.close_all()
        return True

    def join() -> bool:
        try:
            join_guest(guest_id=guest.pk, user=user)
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(4) as pool:
        votes = [pool.submit(cast, battle) for battle in battles[:4]]
        joined = pool.submit(join)
        votes += [pool.submit(cast, battle) for battle in battles[4:]]
    assert joined.result()
    stored = sum(vote.result() for vote in votes)
    assert Vote.objects.filter(participant=own, counted=True).count() == stored
    assert n_counted(campaign) == {stored}
    assert boards.rebuild(board=campaign.board, check=True)


class AnyWayIn(TestCase):
    """Whoever votes as a guest or logged in, in whatever order they join: the tally equals a count of the votes."""

    @settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(st.sampled_from(["vote", "guest vote", "join", "new guest"]), max_size=6))
    def test_the_tally_stays_exact(self, steps: list[str]) -> None:
        campaign = make_campaign()
        Campaign.objects.update(counts_guests=False)
        user = account()
        own = join_guest(guest_id=make_participant(campaign).pk, user=user)
        guest = make_participant(campaign)
        mine = theirs = 0
        for at, step in enumerate(steps):
            if step == "vote":
                voted(own, f"Nirea {at}", B)
                mine += 1
            elif step == "guest vote":
                voted(guest, f"Gonbidatuarena {at}")
                theirs += 1
            elif step == "join":
                join_guest(guest_id=guest.pk, user=user)
                guest, mine, theirs = make_participant(campaign), mine + theirs, 0
            else:
                guest, theirs = make_participant(campaign), 0
            assert n_counted(campaign) == {mine}
        assert boards.rebuild(board=campaign.board, check=True)
