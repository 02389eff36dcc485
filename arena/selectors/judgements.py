"""What a vote says, as the tally counts it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from arena.models import Battle, Vote
from ranking import verdict
from ranking.services import TallyEntry
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
