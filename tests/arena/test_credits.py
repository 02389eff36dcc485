"""The ledger of credits: written with the vote, taken back and given again with its exclusions, never changed."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import F, Sum
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from pytest_django import DjangoAssertNumQueries

from arena.models import Campaign, Credit, Participant, User, Vote
from arena.selectors.judgements import Judgements
from arena.selectors.mine import my_standing, settled
from arena.services import exclusions, people
from arena.services.credits import book
from arena.services.votes import cast_vote
from arena.types import ExclusionSource
from ranking.filters import ExclusionReason
from ranking.types import Outcome
from tests.arena.builders import a_day_passes, begin, finish, make_campaign, make_participant

LEAK, FAST = ExclusionReason.IDENTITY_LEAK, ExclusionReason.TOO_FAST
STAFF = ExclusionSource.STAFF


@pytest.fixture
def campaign(db: None) -> Campaign:
    return make_campaign()


@pytest.fixture
def volunteer(campaign: Campaign) -> Participant:
    return make_participant(campaign)


def cast(volunteer: Participant, text: str = "Kaixo") -> Vote:
    battle = finish(begin(volunteer, text=text))
    judged = Judgements(Outcome.A_BETTER, Outcome.TIE)
    return cast_vote(battle_id=battle.pk, participant=volunteer, judgements=judged)


def ledger(vote: Vote) -> list[int]:
    return list(Credit.objects.filter(vote=vote).order_by("step").values_list("amount", flat=True))


def test_a_vote_brings_a_credit_and_only_a_fault_takes_it(volunteer: Participant) -> None:
    vote = cast(volunteer)
    assert ledger(vote) == [1]
    exclusions.exclude(vote_id=vote.pk, reason=LEAK, source=STAFF)
    assert ledger(vote) == [1], "the volunteer is not to blame for a leak"
    exclusions.exclude(vote_id=vote.pk, reason=FAST, source=STAFF)
    exclusions.exclude(vote_id=vote.pk, reason=FAST, source=STAFF)
    assert ledger(vote) == [1, -1]
    exclusions.lift(vote_id=vote.pk, reason=FAST)
    assert ledger(vote) == [1, -1, 1]
    assert [str(row) for row in vote.credits.order_by("step")] == [
        f"{vote.pk} +1",
        f"{vote.pk} -1",
        f"{vote.pk} +1",
    ]


class Ledger(TestCase):
    @settings(max_examples=25)
    @given(
        st.lists(
            st.tuples(st.integers(0, 2), st.sampled_from([LEAK, FAST]), st.booleans()),
            min_size=1,
            max_size=12,
        )
    )
    def test_the_ledger_is_what_votes_say(self, acts: list[tuple[int, ExclusionReason, bool]]) -> None:
        campaign = make_campaign()
        volunteer = make_participant(campaign)
        votes = [cast(volunteer, f"Galdera {n}") for n in range(3)]
        for which, reason, lifted in acts:
            if lifted:
                exclusions.lift(vote_id=votes[which].pk, reason=reason)
            else:
                exclusions.exclude(vote_id=votes[which].pk, reason=reason, source=STAFF)
        for vote in Vote.objects.all():
            assert sum(ledger(vote)) == int(vote.credited)
        a_day_passes()
        standing = my_standing(volunteer, campaign)
        assert standing.credited == Vote.objects.filter(credited=True).count()
        assert standing.tickets == standing.credited // 10


def test_haste_brings_no_tickets_beyond_the_day_s_cap(campaign: Campaign, volunteer: Participant) -> None:
    Campaign.objects.update(credited_a_day=2)
    votes = [cast(volunteer, f"Galdera {n}") for n in range(3)]
    assert [(vote.counted, vote.credited, vote.beyond_cap) for vote in votes] == [
        *[(True, True, False)] * 2,
        (True, False, True),
    ]
    exclusions.exclude(vote_id=votes[2].pk, reason=LEAK, source=STAFF)
    exclusions.lift(vote_id=votes[2].pk, reason=LEAK)
    assert not Vote.objects.get(pk=votes[2].pk).credited, "no way around the cap"
    Vote.objects.update(created_at=F("created_at") - timedelta(days=1))
    assert cast(volunteer, "Bihar").credited


def test_what_is_shown_moves_a_day_later(campaign: Campaign, volunteer: Participant) -> None:
    vote = cast(volunteer)
    assert settled(volunteer, campaign) == 0
    a_day_passes()
    assert settled(volunteer, campaign) == 1
    exclusions.exclude(vote_id=vote.pk, reason=FAST, source=STAFF)
    assert settled(volunteer, campaign) == 0


def test_a_guest_s_credits_join_the_account(campaign: Campaign, volunteer: Participant) -> None:
    cast(volunteer)
    user = User.objects.create_user("maite")
    own = people.join_guest(guest_id=None, user=user)
    joined = people.join_guest(guest_id=volunteer.pk, user=user)
    assert joined == own
    a_day_passes()
    assert settled(own, campaign) == 1


def test_rows_are_neither_changed_nor_deleted_nor_given_twice(volunteer: Participant) -> None:
    vote = cast(volunteer)
    row = Credit.objects.get(vote=vote)
    for act in (lambda: Credit.objects.update(amount=0), row.delete):
        with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
            act()
    fields = {"vote": vote, "participant": volunteer, "campaign": vote.battle.campaign}
    for step, amount in ((1, 1), (2, 1), (3, -1), (0, -1)):
        with pytest.raises(IntegrityError), transaction.atomic():
            Credit.objects.create(step=step, amount=amount, **fields)
    assert Credit.objects.aggregate(all=Sum("amount")) == {"all": 1}


def test_booking_takes_two_queries(
    volunteer: Participant, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    votes = [cast(volunteer, f"Galdera {n}") for n in range(3)]
    for vote in votes:
        vote.credited = False
    with django_assert_num_queries(2):
        book(votes)
    with django_assert_num_queries(1):
        book(votes)


def test_votes_of_earlier_versions_are_carried_over(volunteer: Participant) -> None:
    votes = [cast(volunteer, f"Galdera {n}") for n in range(2)]
    exclusions.exclude(vote_id=votes[1].pk, reason=FAST, source=STAFF)
    carry_over = import_module("arena.migrations.0012_ledger_of_credits").CARRY_OVER
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("TRUNCATE arena_credit")
        cursor.execute(carry_over)
    assert [ledger(vote) for vote in votes] == [[1], []]
    assert Credit.objects.get().created_at == votes[0].created_at
