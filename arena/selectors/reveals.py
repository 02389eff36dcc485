"""What the reveal shows: two candidates, the verdict, and where they stood and stand."""

from __future__ import annotations

from dataclasses import dataclass

from arena.models import Answer, Battle, Vote
from arena.selectors.judgements import judgements_of, tally_entries
from arena.services.battles import reveal
from arena.types import Side
from inference.models import Candidate
from ranking.board import BoardResult, Rating, build_board
from ranking.filters import ExclusionReason
from ranking.selectors import load_tally, missing_votes
from ranking.tally import Tally
from ranking.types import Criterion, Outcome

TOLD_AT_ONCE = frozenset(
    {
        ExclusionReason.IDENTITY_LEAK,
        ExclusionReason.WRONG_LANGUAGE,
        ExclusionReason.GUEST,
        ExclusionReason.DUPLICATE_PROMPT,
        ExclusionReason.WITHDRAWN,
        ExclusionReason.MODERATED,
        ExclusionReason.REJUDGED,
        ExclusionReason.PROMPT_SET,
    }
)
"""What the reveal says of a vote that does not count. Haste is told afterwards (:func:`arena.selectors.mine.was_hasty_last_week`), controls, holds and
flags never: whoever learns at once what is noticed learns how to get around it."""


@dataclass(frozen=True, slots=True)
class CandidateCard:
    side: str
    name: str
    code: str
    description: str
    backbone: str
    training_data: str
    licence: str
    outputs_licence: str
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
    """*weighs* says that the cards stand for the board without and with this vote."""

    cards: tuple[CandidateCard, CandidateCard]
    outcome: str
    content: str
    language: str
    overall: str | None
    board_missing: int
    weighs: bool
    not_counted: list[str]


def reveal_view(battle: Battle) -> RevealView:
    """The reveal of a voted battle. Raises ``IllegalMove`` before the vote.

    *before* is the current board without this vote and *now* the one with it, also where something that is not told at once speaks against the vote: both
    are true of the vote, and the reveal is the same as if nothing did. Where the reason is told, both are the board as it stands.
    """
    identities = reveal(battle)
    vote = Vote.objects.prefetch_related("judgements").get(battle=battle)
    judgements = judgements_of(vote)
    told = _told(vote)
    tally = load_tally(board_id=battle.campaign.board_id, criterion=Criterion.OVERALL)
    boards, winner = _boards(tally, battle, vote, is_told=bool(told)), Outcome(vote.winner)
    return RevealView(
        cards=(
            _card(battle, Side.A, identities.a, _won(winner, Outcome.A_BETTER), boards),
            _card(battle, Side.B, identities.b, _won(winner, Outcome.B_BETTER), boards),
        ),
        outcome=vote.winner,
        content=judgements.content.value,
        language=judgements.language.value,
        overall=judgements.overall.value if judgements.overall else None,
        board_missing=missing_votes(_with(tally, battle, vote) if not told else tally),
        weighs=not told,
        not_counted=told,
    )


def _told(vote: Vote) -> list[str]:
    standing = set(vote.exclusions.filter(lifted_at=None).values_list("reason", flat=True))
    return sorted(standing & {reason.value for reason in TOLD_AT_ONCE})


def _boards(tally: Tally, battle: Battle, vote: Vote, *, is_told: bool) -> _Boards:
    if is_told:
        board = build_board(tally, criterion=Criterion.OVERALL)
        return _Boards(board, board)
    now = _with(tally, battle, vote)
    return _Boards(
        build_board(_moved(now, battle, vote, -1), criterion=Criterion.OVERALL),
        build_board(now, criterion=Criterion.OVERALL),
    )


def _with(tally: Tally, battle: Battle, vote: Vote) -> Tally:
    """The tally with the vote in it, whether it is counted or not."""
    return tally if vote.counted else _moved(tally, battle, vote, 1)


def _moved(tally: Tally, battle: Battle, vote: Vote, step: int) -> Tally:
    entries = tally_entries(battle, judgements_of(vote))
    entry = next(each for each in entries if each.criterion is Criterion.OVERALL)
    known = tally.merged(Tally.empty((entry.model_a, entry.model_b)))
    return known.moved(entry.model_a, entry.model_b, entry.outcome, step)


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
        outputs_licence=candidate.get_outputs_licence_display(),
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
