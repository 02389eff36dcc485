"""Votes: counted once, in one transaction with the tally."""

from __future__ import annotations

from itertools import product

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from pytest_django import DjangoAssertNumQueries

from arena.errors import NotVotable, NotYourBattle, VoteAlreadyCast
from arena.models import Battle, Campaign, Judgement, Participant, Vote
from arena.selectors.judgements import Judgements
from arena.selectors.reveals import reveal_view
from arena.services import boards
from arena.services.checks import answer_check, seed_starter_questions
from arena.services.votes import cast_vote
from arena.types import BasqueCheck, BattleStatus, Side
from ranking.models import Snapshot, TallyCell
from ranking.selectors import load_tally
from ranking.types import Criterion, Outcome
from ranking.verdict import InvalidJudgements
from tests.arena.builders import (
    begin,
    complete,
    failed,
    finish,
    make_campaign,
    make_participant,
    ready_battle,
)

MOST_QUERIES = 14
"""Eleven, the last result of the check, and the savepoint and its end that stand for BEGIN and COMMIT."""
A, B, TIE, BAD = Outcome.A_BETTER, Outcome.B_BETTER, Outcome.TIE, Outcome.BOTH_BAD


@pytest.fixture
def campaign() -> Campaign:
    return make_campaign()


@pytest.fixture
def volunteer(campaign: Campaign) -> Participant:
    return make_participant(campaign)


def vote_on(battle: Battle, judgements: Judgements | None = None) -> Vote:
    return cast_vote(
        battle_id=battle.pk, participant=battle.participant, judgements=judgements or Judgements(A, TIE)
    )


@pytest.mark.django_db
def test_a_vote_closes_the_battle_and_moves_the_tally_by_one(
    campaign: Campaign, volunteer: Participant
) -> None:
    vote = vote_on(ready_battle(volunteer), Judgements(A, B, TIE))
    assert (vote.winner, vote.battle.status) == ("tie", "voted")
    assert vote.judgements.count() == 3
    outcomes = {
        criterion: load_tally(board_id=campaign.board_id, criterion=criterion)
        .counts.sum(axis=(0, 1))
        .tolist()
        for criterion in Criterion
    }
    assert outcomes == {
        Criterion.OVERALL: [0, 0, 1, 0],
        Criterion.CONTENT: [1, 0, 0, 0],
        Criterion.LANGUAGE: [0, 1, 0, 0],
    }


@pytest.mark.django_db
def test_a_repeated_vote_returns_the_first_and_counts_once(
    campaign: Campaign, volunteer: Participant
) -> None:
    battle = ready_battle(volunteer)
    assert vote_on(battle).pk == vote_on(battle).pk
    assert load_tally(board_id=campaign.board_id, criterion=Criterion.OVERALL).n_votes == 1


@pytest.mark.django_db
def test_a_vote_costs_no_more_queries_however_long_the_battle_and_many_the_votes(
    campaign: Campaign, volunteer: Participant, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for n in range(3):
        vote_on(ready_battle(volunteer))
        battle = begin(volunteer, text=f"Galdera {n}").battle
        finish(battle.turns.get())
        finish(begin(volunteer, battle, text="Eta gero?"))
    seed_starter_questions(campaign)
    Campaign.objects.update(basque_check=BasqueCheck.REQUIRED.value)
    chosen = {each.pk: each.right for each in campaign.check_questions.all()}
    answer_check(participant_id=volunteer.pk, campaign=campaign, chosen=chosen)
    *_, last = Battle.objects.filter(status=BattleStatus.READY.value)
    with django_assert_max_num_queries(MOST_QUERIES):
        assert cast_vote(battle_id=last.pk, participant=volunteer, judgements=Judgements(A, B, A)).counted


@pytest.mark.django_db
def test_a_different_second_vote_is_refused_and_changes_nothing(volunteer: Participant) -> None:
    battle = ready_battle(volunteer)
    first = vote_on(battle)
    with pytest.raises(VoteAlreadyCast):
        vote_on(battle, Judgements(B, B))
    assert Vote.objects.get().winner == first.winner


@pytest.mark.django_db
def test_no_vote_before_both_sides_are_complete(volunteer: Participant) -> None:
    turn = begin(volunteer)
    with pytest.raises(NotVotable):
        vote_on(turn.battle)
    battle = finish(turn, complete(Side.A), failed(Side.B))
    with pytest.raises(NotVotable):
        vote_on(battle)
    assert not TallyCell.objects.exists()


@pytest.mark.django_db
def test_no_vote_while_a_further_turn_is_written(volunteer: Participant) -> None:
    battle = ready_battle(volunteer)
    begin(volunteer, battle)
    with pytest.raises(NotVotable):
        vote_on(battle)


@pytest.mark.django_db
def test_no_vote_on_anothers_battle(campaign: Campaign, volunteer: Participant) -> None:
    battle = ready_battle(volunteer)
    with pytest.raises(NotYourBattle):
        cast_vote(battle_id=battle.pk, participant=make_participant(campaign), judgements=Judgements(A, A))


@pytest.mark.django_db
def test_an_invalid_combination_is_refused_before_anything_is_stored(volunteer: Participant) -> None:
    battle = ready_battle(volunteer)
    for judgements in (Judgements(A, B), Judgements(A, A, A)):
        with pytest.raises(InvalidJudgements):
            vote_on(battle, judgements)
    assert not Vote.objects.exists()


@pytest.mark.django_db
def test_the_database_itself_refuses_a_second_vote(volunteer: Participant) -> None:
    vote = vote_on(ready_battle(volunteer))
    with pytest.raises(IntegrityError), transaction.atomic():
        Vote.objects.create(battle=vote.battle, participant=volunteer, winner="tie")


@pytest.mark.django_db
def test_a_vote_keeps_the_volunteers_level_of_that_day(volunteer: Participant) -> None:
    volunteer.language_level = "C1-C2"
    volunteer.save()
    battle = ready_battle(volunteer)
    battle.participant.refresh_from_db()
    vote = vote_on(battle)
    volunteer.language_level = "B1-B2"
    volunteer.save()
    vote.refresh_from_db()
    assert vote.language_level == "C1-C2"


@pytest.mark.django_db
def test_the_reveal_names_both_and_tells_the_verdict(volunteer: Participant) -> None:
    battle = ready_battle(volunteer)
    vote_on(battle, Judgements(B, B))
    battle.refresh_from_db()
    view = reveal_view(battle)
    assert [card.name for card in view.cards] == [battle.candidate_a.name, battle.candidate_b.name]
    assert [card.won for card in view.cards] == [False, True]


@pytest.mark.django_db
def test_a_rebuilt_tally_equals_the_one_that_votes_moved(
    campaign: Campaign, volunteer: Participant, capsys: pytest.CaptureFixture[str]
) -> None:
    combinations = [pair for pair in product((A, B, TIE, BAD), repeat=2) if set(pair) != {A, B}]
    for content, language in combinations:
        vote_on(ready_battle(volunteer), Judgements(content, language))
    assert boards.rebuild(board=campaign.board, check=True)
    TallyCell.objects.filter(criterion="overall").update(tie=99)
    assert not boards.rebuild(board=campaign.board, check=True)
    with pytest.raises(SystemExit):
        call_command("rebuild_tally", check=True)
    assert not boards.rebuild(board=campaign.board, check=False)
    assert boards.rebuild(board=campaign.board, check=True)
    call_command("rebuild_tally", board=campaign.board.slug)
    with pytest.raises(SystemExit) as caught:
        call_command("rebuild_tally", board="nothing")
    assert caught.value.code == 2
    assert "nothing" in capsys.readouterr().err


@pytest.mark.django_db
def test_a_board_is_published_only_when_it_moved(volunteer: Participant) -> None:
    vote_on(ready_battle(volunteer))
    assert boards.publish_moved() == 3
    assert boards.publish_moved() == 0
    assert Snapshot.objects.count() == 3


class BattleLife(TestCase):
    """Any order of moves keeps the promises of a vote."""

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        st.lists(
            st.sampled_from(["turn", "finish", "fail", "vote", "vote_other", "stranger"]),
            min_size=1,
            max_size=12,
        )
    )
    def test_promises_hold_for_any_sequence(self, moves: list[str]) -> None:
        campaign = make_campaign()
        volunteer, stranger = make_participant(campaign), make_participant(campaign)
        turn = begin(volunteer)
        battle = turn.battle
        running = True
        for move in moves:
            battle.refresh_from_db()
            open_to_votes = battle.status == BattleStatus.READY
            if move == "turn" and open_to_votes:
                turn, running = begin(volunteer, battle), True
            elif move == "finish" and running:
                finish(turn)
                running = False
            elif move == "fail" and running:
                finish(turn, complete(Side.A), failed(Side.B))
                running = False
            elif move.startswith("vote"):
                self._try_vote(battle, volunteer, move, allowed=open_to_votes)
            elif move == "stranger":
                with pytest.raises(NotYourBattle):
                    cast_vote(battle_id=battle.pk, participant=stranger, judgements=Judgements(A, A))
        votes = Vote.objects.filter(battle=battle)
        assert votes.count() <= 1
        assert Judgement.objects.filter(vote__battle=battle).count() in {0, 2}
        assert boards.rebuild(board=campaign.board, check=True)

    def _try_vote(self, battle: Battle, volunteer: Participant, move: str, *, allowed: bool) -> None:
        wanted = Judgements(A, A) if move == "vote" else Judgements(B, B)
        before = Vote.objects.filter(battle=battle).first()
        try:
            vote = cast_vote(battle_id=battle.pk, participant=volunteer, judgements=wanted)
        except NotVotable:
            assert not allowed
            assert before is None
        except VoteAlreadyCast:
            assert before is not None
            assert before.winner != wanted.winner
        else:
            assert before is None or before.pk == vote.pk
            assert allowed or before is not None
