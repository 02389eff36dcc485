"""Votes as arrays, for the statistics: who judged what how, what speaks against it, and what was around it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
from django.db.models import BigIntegerField, FilteredRelation, Func, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Length, Lower, Trim
from numpy.typing import NDArray

from arena.models import Exclusion, Turn, Vote
from inference.models import Candidate
from ranking.ballots import Ballots
from ranking.filters import ExclusionReason, Reasons
from ranking.models import Board
from ranking.types import Criterion, Outcome

_CHUNK = 20_000
_OUTCOMES = {outcome.value: outcome.place for outcome in Outcome}
_LAST_TURN = Turn.objects.filter(battle=OuterRef("battle")).order_by("-index")
_COLUMNS = (
    *("pk", "battle__candidate_a_id", "battle__candidate_b_id", "winner", "as_content__outcome"),
    *("as_language__outcome", "participant_id", "language_level", "education", "created_at"),
    *("prompt_chars", "prompt_key", "n_turns"),
)


@dataclass(frozen=True, slots=True, eq=False)
class VoteTable:
    """All votes of a board up to a moment, in the order in which they were cast.

    Parameters
    ----------
    models
        The ``m`` candidates' codes, sorted.
    a, b
        Shape ``(n,)``: indices in *models*.
    outcomes
        By criterion, shape ``(n,)``: an outcome's place.
    user
        Shape ``(n,)``: indices in *participants*.
    reasons
        Shape ``(n,)``: what stands against each vote, as bits.
    levels, educations
        Length ``n``: as the volunteer declared them that day; empty where they did not.
    seconds
        Shape ``(n,)``: when each was cast, in seconds since 1970.
    prompt_chars, turns
        Shape ``(n,)``: the length of the battle's first message in characters, and how many messages there were.
    prompts
        Shape ``(n,)``: equal where the first messages are, case and outer spaces aside. A hash of 64 bits, so the texts stay in the database.
    """

    models: tuple[str, ...]
    a: NDArray[np.int32]
    b: NDArray[np.int32]
    outcomes: dict[Criterion, NDArray[np.int8]]
    user: NDArray[np.int64]
    participants: tuple[UUID, ...]
    reasons: Reasons
    levels: NDArray[np.str_]
    educations: NDArray[np.str_]
    seconds: NDArray[np.float64]
    prompt_chars: NDArray[np.int64]
    turns: NDArray[np.int64]
    prompts: NDArray[np.int64]

    @property
    def n_votes(self) -> int:
        return len(self.a)

    def ballots(self, criterion: Criterion, chosen: NDArray[np.bool_] | None = None) -> Ballots:
        """The votes on one criterion, all of them or those that a mask of shape ``(n,)`` chooses."""
        whole = Ballots(self.models, self.a, self.b, self.outcomes[criterion], self.user)
        return whole if chosen is None else whole.take(chosen)

    def taken(self, chosen: NDArray[np.bool_]) -> VoteTable:
        """Only the votes that a mask of shape ``(n,)`` chooses; models and participants stay."""
        return replace(
            self,
            a=self.a[chosen],
            b=self.b[chosen],
            outcomes={criterion: column[chosen] for criterion, column in self.outcomes.items()},
            user=self.user[chosen],
            reasons=self.reasons[chosen],
            levels=self.levels[chosen],
            educations=self.educations[chosen],
            seconds=self.seconds[chosen],
            prompt_chars=self.prompt_chars[chosen],
            turns=self.turns[chosen],
            prompts=self.prompts[chosen],
        )


def vote_table(board: Board, *, until: datetime | None = None) -> VoteTable:
    """The board's votes, those that do not count included, until a moment or all there are. Three queries, read in chunks."""
    votes = Vote.objects.filter(battle__campaign__board=board)
    if until is not None:
        votes = votes.filter(created_at__lte=until)
    codes = dict(Candidate.objects.values_list("pk", "code"))
    against = _reasons(board)
    rows = list(_read(votes))
    return _table(rows, codes, against)


def _read(votes: QuerySet[Vote]) -> Iterable[tuple[Any, ...]]:
    return (
        votes.annotate(
            as_content=FilteredRelation(
                "judgements", condition=Q(judgements__criterion=Criterion.CONTENT.value)
            ),
            as_language=FilteredRelation(
                "judgements", condition=Q(judgements__criterion=Criterion.LANGUAGE.value)
            ),
            first_turn=FilteredRelation("battle__turns", condition=Q(battle__turns__index=1)),
            prompt_chars=Coalesce(Length("first_turn__text"), 0),
            prompt_key=Coalesce(_hash(Lower(Trim("first_turn__text"))), 0),
            n_turns=Coalesce(Subquery(_LAST_TURN.values("index")[:1]), 0),
        )
        .order_by("created_at", "pk")
        .values_list(*_COLUMNS)
        .iterator(chunk_size=_CHUNK)
    )


def _hash(text: Lower) -> Func:
    """PostgreSQL's own 64-bit hash of a text."""
    return Func(text, Value(0), function="hashtextextended", output_field=BigIntegerField())


def _reasons(board: Board) -> dict[UUID, int]:
    """The bits of what stands against each vote that anything stands against."""
    found: dict[UUID, int] = {}
    standing = Exclusion.objects.filter(vote__battle__campaign__board=board, lifted_at=None)
    for vote_id, reason in standing.values_list("vote_id", "reason"):
        found[vote_id] = found.get(vote_id, 0) | ExclusionReason(reason).bit
    return found


def _table(rows: list[tuple[Any, ...]], codes: dict[UUID, str], against: dict[UUID, int]) -> VoteTable:
    columns: list[tuple[Any, ...]] = list(zip(*rows, strict=True)) if rows else [()] * len(_COLUMNS)
    pk, a, b, winner, content, language, participant, level, education, created, chars, key, turns = columns
    models = tuple(sorted({codes[each] for each in {*a, *b}}))
    place = {pk: models.index(code) for pk, code in codes.items() if code in models}
    participants = tuple(dict.fromkeys(participant))
    number = {each: index for index, each in enumerate(participants)}
    return VoteTable(
        models=models,
        a=np.array([place[each] for each in a], dtype=np.int32),
        b=np.array([place[each] for each in b], dtype=np.int32),
        outcomes={
            criterion: np.array([_OUTCOMES[each] for each in column], dtype=np.int8)
            for criterion, column in zip(Criterion, (winner, content, language), strict=True)
        },
        user=np.array([number[each] for each in participant], dtype=np.int64),
        participants=participants,
        reasons=np.array([against.get(each, 0) for each in pk], dtype=np.uint16),
        levels=np.array(level, dtype=np.str_),
        educations=np.array(education, dtype=np.str_),
        seconds=np.array([each.timestamp() for each in created], dtype=np.float64),
        prompt_chars=np.array(chars, dtype=np.int64),
        turns=np.array(turns, dtype=np.int64),
        prompts=np.array(key, dtype=np.int64),
    )
