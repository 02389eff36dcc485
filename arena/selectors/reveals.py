"""What the reveal shows: two candidates, the verdict, and where they stood and stand."""

from __future__ import annotations

from dataclasses import dataclass

from arena.models import Answer, Battle, Vote
from arena.selectors.judgements import Judgements, judgements_of, tally_entries
from arena.services.battles import reveal
from arena.types import Side
from inference.models import Candidate
from ranking.board import BoardResult, Rating, build_board
from ranking.filters import ExclusionReason
from ranking.selectors import load_tally, missing_votes
from ranking.tally import Tally
from ranking.types import Criterion, Outcome


@dataclass(frozen=True, slots=True)
class CandidateCard:
    side: str
    name: str
    code: str
    description: str
    backbone: str
    training_data: str
    licence: str
    maker: str
    won: bool | None
    reasoning: list[str]
    before: Rating | None
    now: Rating | None


@dataclass(frozen=True, slots=True)
class _Boards:
    before: BoardResult
    now: BoardResult


@dataclass(frozen=True, slots=True)
class RevealView:
    cards: tuple[CandidateCard, CandidateCard]
    outcome: str
    content: str
    language: str
    overall: str | None
    board_missing: int
    not_counted: list[str]


def reveal_view(battle: Battle) -> RevealView:
    """The reveal of a voted battle. *before* is the current board without this vote. Raises ``IllegalMove`` before the vote."""
    identities = reveal(battle)
    vote = Vote.objects.prefetch_related("judgements").get(battle=battle)
    judgements = judgements_of(vote)
    tally = load_tally(board_id=battle.campaign.board_id, criterion=Criterion.OVERALL)
    now = build_board(tally, criterion=Criterion.OVERALL)
    before = (
        build_board(_without(tally, battle, judgements), criterion=Criterion.OVERALL) if vote.counted else now
    )
    boards, winner = _Boards(before, now), Outcome(vote.winner)
    return RevealView(
        cards=(
            _card(battle, Side.A, identities.a, _won(winner, Outcome.A_BETTER), boards),
            _card(battle, Side.B, identities.b, _won(winner, Outcome.B_BETTER), boards),
        ),
        outcome=vote.winner,
        content=judgements.content.value,
        language=judgements.language.value,
        overall=judgements.overall.value if judgements.overall else None,
        board_missing=missing_votes(tally),
        not_counted=_told(vote),
    )


def _told(vote: Vote) -> list[str]:
    """Why the vote does not count, but for controls: which pairs they are is told to nobody."""
    standing = vote.exclusions.filter(lifted_at=None).exclude(reason=ExclusionReason.FAILED_CONTROL.value)
    return sorted(standing.values_list("reason", flat=True))


def _without(tally: Tally, battle: Battle, judgements: Judgements) -> Tally:
    entry = next(e for e in tally_entries(battle, judgements) if e.criterion is Criterion.OVERALL)
    return tally.moved(entry.model_a, entry.model_b, entry.outcome, -1)


def _won(winner: Outcome, mine: Outcome) -> bool | None:
    return winner is mine if winner in {Outcome.A_BETTER, Outcome.B_BETTER} else None


def _card(
    battle: Battle, side: Side, candidate: Candidate, won: bool | None, boards: _Boards
) -> CandidateCard:
    return CandidateCard(
        side=side.value,
        name=candidate.name,
        code=candidate.code,
        description=candidate.description,
        backbone=candidate.backbone,
        training_data=candidate.training_data,
        licence=candidate.licence,
        maker=candidate.maker,
        won=won,
        reasoning=_reasoning(battle, side),
        before=_row(boards.before, candidate.code),
        now=_row(boards.now, candidate.code),
    )


def _reasoning(battle: Battle, side: Side) -> list[str]:
    """What the side thought before its answers and did not say, turn by turn."""
    answers = Answer.objects.filter(turn__battle=battle, side=side.value).exclude(reasoning="")
    return list(answers.order_by("turn__index").values_list("reasoning", flat=True))


def _row(board: BoardResult, code: str) -> Rating | None:
    return next((row for row in board.ratings if row.model == code), None)
