"""From votes to arrays to published boards."""

from __future__ import annotations

import numpy as np
import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from arena.models import Campaign, Participant, User, Vote
from arena.selectors.ballots import vote_table
from arena.selectors.judgements import Judgements
from arena.services import boards
from arena.services.exclusions import exclude, lift
from arena.services.votes import cast_vote
from arena.types import ExclusionSource
from inference.models import Candidate
from ranking.board import build_board_from_ballots
from ranking.filters import ExclusionReason, FilterSet, apply_filters
from ranking.models import Snapshot
from ranking.selectors import load_tally
from ranking.types import Criterion, Outcome
from tests.arena.builders import begin, finish, make_campaign, make_participant

pytestmark = pytest.mark.django_db
A, B, TIE, BAD = Outcome.A_BETTER, Outcome.B_BETTER, Outcome.TIE, Outcome.BOTH_BAD


@pytest.fixture
def campaign() -> Campaign:
    return make_campaign(candidates=3)


def cast(participant: Participant, judgements: Judgements, text: str = "Kaixo") -> Vote:
    battle = finish(begin(participant, text=text))
    return cast_vote(battle_id=battle.pk, participant=participant, judgements=judgements)


def some_votes(campaign: Campaign) -> list[Vote]:
    ane, jon = make_participant(campaign), make_participant(campaign)
    ane.language_level, ane.education = "C1-C2", "Bachelor"
    ane.save()
    return [
        cast(ane, Judgements(A, TIE), "Bat"),
        cast(jon, Judgements(B, B), "Bi"),
        cast(ane, Judgements(A, B, TIE), "Hiru"),
        cast(jon, Judgements(BAD, BAD), "Lau"),
    ]


def test_the_table_holds_each_vote_as_it_was_cast(campaign: Campaign) -> None:
    votes = some_votes(campaign)
    exclude(vote_id=votes[1].pk, reason=ExclusionReason.RATE, source=ExclusionSource.STAFF)
    exclude(vote_id=votes[1].pk, reason=ExclusionReason.GUEST, source=ExclusionSource.STAFF)
    exclude(vote_id=votes[2].pk, reason=ExclusionReason.RATE, source=ExclusionSource.STAFF)
    lift(vote_id=votes[2].pk, reason=ExclusionReason.RATE)
    table = vote_table(campaign.board)
    assert [table.models[index] for index in table.a] == [vote.battle.candidate_a.code for vote in votes]
    assert [table.models[index] for index in table.b] == [vote.battle.candidate_b.code for vote in votes]
    assert table.outcomes[Criterion.OVERALL].tolist() == [A.place, B.place, TIE.place, BAD.place]
    assert table.outcomes[Criterion.CONTENT].tolist() == [A.place, B.place, A.place, BAD.place]
    assert table.outcomes[Criterion.LANGUAGE].tolist() == [TIE.place, B.place, B.place, BAD.place]
    assert table.user.tolist() == [0, 1, 0, 1]
    assert table.participants == (votes[0].participant_id, votes[1].participant_id)
    assert table.reasons.tolist() == [0, ExclusionReason.RATE.bit | ExclusionReason.GUEST.bit, 0, 0]
    assert table.levels.tolist() == ["C1-C2", "", "C1-C2", ""]
    assert (np.diff(table.seconds) >= 0).all()


def test_the_ballots_that_count_are_the_tally(campaign: Campaign) -> None:
    votes = some_votes(campaign)
    exclude(vote_id=votes[0].pk, reason=ExclusionReason.WITHDRAWN, source=ExclusionSource.VOLUNTEER)
    table = vote_table(campaign.board)
    for criterion in Criterion:
        tally = table.ballots(criterion, table.reasons == 0).tally()
        assert tally.equals(load_tally(board_id=campaign.board_id, criterion=criterion))


def test_a_table_ends_where_it_is_told_and_may_be_empty(
    campaign: Campaign, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    assert vote_table(campaign.board).n_votes == 0
    some_votes(campaign)
    moment = timezone.now()
    cast(make_participant(campaign), Judgements(TIE, TIE))
    with django_assert_num_queries(4):
        assert vote_table(campaign.board, until=moment).n_votes == 4
    assert vote_table(campaign.board).n_votes == 5


def test_a_board_is_published_when_its_counts_moved_and_not_otherwise(campaign: Campaign) -> None:
    votes = some_votes(campaign)
    assert boards.publish_moved() == 3
    assert boards.publish_moved() == 0
    exclude(vote_id=votes[0].pk, reason=ExclusionReason.IDENTITY_LEAK, source=ExclusionSource.STAFF)
    made = boards.publish(campaign.board)
    assert [(each.n_votes, each.n_excluded) for each in made] == [(3, 1)] * 3
    assert made[0].filters.startswith("too_fast.identity_leak.")
    lift(vote_id=votes[0].pk, reason=ExclusionReason.IDENTITY_LEAK)
    assert boards.publish_moved() == 3
    assert Snapshot.objects.count() == 9


def test_a_board_that_moved_without_growing_is_published(campaign: Campaign) -> None:
    votes = some_votes(campaign)
    boards.publish_moved()
    exclude(vote_id=votes[1].pk, reason=ExclusionReason.RATE, source=ExclusionSource.STAFF)
    cast(make_participant(campaign), Judgements(TIE, TIE))
    assert boards.publish_moved() == 3
    assert Snapshot.objects.filter(criterion="overall").order_by("created_at").last().n_votes == 4  # type: ignore[union-attr]  # there is one


@pytest.mark.parametrize("guests", [60, pytest.param(300, marks=pytest.mark.slow)])
def test_a_crowd_of_guests_moves_the_cited_board_by_nothing_and_a_filter_says_what_it_admits(
    campaign: Campaign, guests: int
) -> None:
    Campaign.objects.update(counts_guests=False)
    for place in range(6):
        member = make_participant(campaign)
        member.user = User.objects.create(username=f"kide-{place}")
        member.save()
        for turn in range(4):
            cast(member, Judgements(list(Outcome)[(place + turn) % 3], TIE), f"Galdera {turn}")
    boards.publish_moved()
    cited = Snapshot.objects.get(criterion="overall")
    favourite = Candidate.objects.order_by("code")[0]
    for _ in range(guests):
        battle = finish(begin(make_participant(campaign)))
        theirs = A if battle.candidate_a_id == favourite.pk else B
        cast_vote(battle_id=battle.pk, participant=battle.participant, judgements=Judgements(theirs, TIE))
    assert boards.publish_moved() == 0
    table = vote_table(campaign.board)
    counted = apply_filters(table.reasons, FilterSet.strictest())
    again = build_board_from_ballots(
        table.ballots(Criterion.OVERALL, counted.counted), cluster="participant", cap=3
    )
    assert again.as_json() == cited.payload
    admitting = apply_filters(table.reasons, FilterSet.strictest().admitting(ExclusionReason.GUEST))
    told = {each.reason: each for each in admitting.reasons}[ExclusionReason.GUEST]
    assert (told.admitted, admitting.n_counted, counted.n_counted) == (guests, guests + 24, 24)
