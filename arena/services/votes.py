"""Votes: cast once, counted in the same transaction."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from arena import states
from arena.errors import IllegalMove, NotVotable, NotYourBattle, VoteAlreadyCast
from arena.models import Battle, Judgement, Participant, Vote
from arena.services.turns import status_of
from arena.states import Move
from arena.types import BattleStatus
from ranking import verdict
from ranking.services import TallyEntry, record
from ranking.types import Criterion, Outcome


@dataclass(frozen=True, slots=True)
class Judgements:
    """A volunteer's answers. *overall* is present exactly where content and language disagree on who is better."""

    content: Outcome
    language: Outcome
    overall: Outcome | None = None

    @property
    def winner(self) -> Outcome:
        """Raises :class:`ranking.verdict.InvalidJudgements` for one of the 58 combinations that are none."""
        return verdict.winner(self.content, self.language, self.overall)

    def asked(self) -> Iterator[tuple[Criterion, Outcome]]:
        yield Criterion.CONTENT, self.content
        yield Criterion.LANGUAGE, self.language
        if self.overall is not None:
            yield Criterion.OVERALL, self.overall


def cast_vote(*, battle_id: UUID, participant: Participant, judgements: Judgements) -> Vote:
    """Record the participant's vote, move the tally by one and open the reveal.

    One transaction; locks the battle, then the tally's rows in key order. A repeated identical vote returns the first one; a different one
    raises ``VoteAlreadyCast``. Raises ``NotVotable``, ``NotYourBattle``, ``InvalidJudgements``, ``Battle.DoesNotExist``.
    """
    winner = judgements.winner
    with transaction.atomic():
        battle = Battle.objects.select_for_update().get(pk=battle_id)
        if battle.participant_id != participant.pk:
            raise NotYourBattle("this battle belongs to somebody else")
        standing = Vote.objects.filter(battle=battle).prefetch_related("judgements").first()
        if standing is not None:
            return _repeated(standing, judgements)
        _close(battle)
        vote = Vote.objects.create(
            battle=battle,
            participant=participant,
            winner=winner.value,
            language_level=participant.language_level,
            education=participant.education,
        )
        Judgement.objects.bulk_create(
            Judgement(vote=vote, criterion=criterion.value, outcome=outcome.value)
            for criterion, outcome in judgements.asked()
        )
        record(board_id=battle.campaign.board_id, entries=tally_entries(battle, judgements))
    return vote


def tally_entries(battle: Battle, judgements: Judgements) -> list[TallyEntry]:
    """What a vote adds to its board: content and language as judged, overall as the winner."""
    a, b = battle.candidate_a.code, battle.candidate_b.code
    outcomes = {
        Criterion.OVERALL: judgements.winner,
        Criterion.CONTENT: judgements.content,
        Criterion.LANGUAGE: judgements.language,
    }
    return [
        TallyEntry(criterion=criterion, model_a=a, model_b=b, outcome=outcome)
        for criterion, outcome in outcomes.items()
    ]


def judgements_of(vote: Vote) -> Judgements:
    stored = {Criterion(each.criterion): Outcome(each.outcome) for each in vote.judgements.all()}
    return Judgements(
        content=stored[Criterion.CONTENT],
        language=stored[Criterion.LANGUAGE],
        overall=stored.get(Criterion.OVERALL),
    )


def _repeated(standing: Vote, judgements: Judgements) -> Vote:
    if judgements_of(standing) != judgements:
        raise VoteAlreadyCast("this battle holds another vote")
    return standing


def _close(battle: Battle) -> None:
    last = battle.turns.order_by("-index").first()
    if last is None or not states.both_complete(map(status_of, last.answers.all())):
        raise NotVotable("a side of the last turn is not complete")
    try:
        battle.status = states.after(BattleStatus(battle.status), Move.VOTE).value
    except IllegalMove as refusal:
        raise NotVotable(str(refusal)) from None
    battle.ended_at = timezone.now()
    battle.save(update_fields=["status", "ended_at"])
