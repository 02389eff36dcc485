"""Votes as arrays, for the statistics: who judged what how, what speaks against it, and what was around it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import numpy as np
from django.db.models import (
    ExpressionWrapper,
    F,
    FilteredRelation,
    IntegerField,
    Q,
    QuerySet,
)
from django.db.models.functions import Coalesce, Extract, Length, Lower, Trim
from numpy.typing import NDArray

from arena.models import Exclusion, Turn, Vote
from arena.selectors.columns import (
    Column,
    Ids,
    coded,
    hashed,
    identity,
    matched,
    numbered,
    packed,
    read_columns,
    real,
    uuids,
    whole,
    worded,
)
from arena.types import Education, LanguageLevel
from inference.models import Candidate
from ranking.ballots import Ballots
from ranking.filters import ExclusionReason, Reasons
from ranking.models import Board
from ranking.types import Criterion, Outcome

OUTCOMES = [outcome.value for outcome in sorted(Outcome, key=lambda outcome: outcome.place)]
LEVELS = [level.value for level in LanguageLevel]
EDUCATIONS = [education.value for education in Education]
_TENTHS = ExpressionWrapper(10 * F("check_right") / F("check_asked"), output_field=IntegerField())
_JUDGED = {
    Criterion.OVERALL: "winner",
    Criterion.CONTENT: "as_content__outcome",
    Criterion.LANGUAGE: "as_language__outcome",
}


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
    checks
        Shape ``(n,)``: how many of ten questions the volunteer had answered rightly in the campaign's Basque check, rounded down; -1 without one.
    seconds
        Shape ``(n,)``: when each was cast, in seconds since 1970.
    prompt_chars, turns
        Shape ``(n,)``: the length of the battle's first message in characters, and how many messages there were.
    prompts
        Shape ``(n,)``: equal where the first messages are, case and outer spaces aside. A hash of 64 bits, so the texts stay in the database.
    battles
        Shape ``(n,)``: the battles' ids, 16 bytes each.
    origins
        Shape ``(n,)``: the ids of the battles whose answers were judged: another one's where a pair was shown again, else the battle itself.
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
    checks: NDArray[np.int32]
    seconds: NDArray[np.float64]
    prompt_chars: NDArray[np.int64]
    turns: NDArray[np.int64]
    prompts: NDArray[np.int64]
    battles: Ids
    origins: Ids

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
            checks=self.checks[chosen],
            seconds=self.seconds[chosen],
            prompt_chars=self.prompt_chars[chosen],
            turns=self.turns[chosen],
            prompts=self.prompts[chosen],
            battles=self.battles[chosen],
            origins=self.origins[chosen],
        )


def vote_table(board: Board, *, until: datetime | None = None) -> VoteTable:
    """The board's votes, those that do not count included, until a moment or all there are. Four queries, two of them by COPY.

    Without those on control pairs: they judge no model, and public numbers that moved with them would tell which pairs they were.
    """
    votes = Vote.objects.filter(battle__campaign__board=board, battle__control__isnull=True)
    if until is not None:
        votes = votes.filter(created_at__lte=until)
    codes = dict(Candidate.objects.values_list("pk", "code"))
    against = bits_against(Exclusion.objects.filter(vote__battle__campaign__board=board, lifted_at=None))
    read = _read(votes)
    turns = Turn.objects.filter(battle__campaign__board=board, battle__vote__isnull=False)
    return _table(read | {"turns": turns_of(turns, read["battle"])}, codes, against)


def _read(votes: QuerySet[Vote]) -> dict[str, Column]:
    joined = votes.annotate(
        as_content=FilteredRelation("judgements", condition=Q(judgements__criterion=Criterion.CONTENT.value)),
        as_language=FilteredRelation(
            "judgements", condition=Q(judgements__criterion=Criterion.LANGUAGE.value)
        ),
        first_turn=FilteredRelation("battle__turns", condition=Q(battle__turns__index=1)),
    )
    columns = {
        "vote": identity("pk"),
        "battle": identity("battle_id"),
        "origin": identity(Coalesce("battle__origin_id", "battle__twin_id", "battle_id")),
        "user": identity("participant_id"),
        "a": identity("battle__candidate_a_id"),
        "b": identity("battle__candidate_b_id"),
        **{criterion.value: coded(field, OUTCOMES) for criterion, field in _JUDGED.items()},
        "level": coded("language_level", LEVELS),
        "education": coded("education", EDUCATIONS),
        "check": whole(Coalesce(_TENTHS, -1)),
        "seconds": real(Extract("created_at", "epoch")),
        "chars": whole(Coalesce(Length("first_turn__text"), 0)),
        "prompt": hashed(Lower(Trim("first_turn__text"))),
    }
    return read_columns(joined.order_by("created_at", "pk"), columns)


def turns_of(turns: QuerySet[Turn], battles: Ids) -> NDArray[np.int64]:
    """How many messages each battle has, shape ``(n,)``, of *turns* that hold all of theirs: most have one, so that only further ones are read."""
    read = read_columns(turns.filter(index__gt=1), {"battle": identity("battle_id"), "index": whole("index")})
    found = np.ones(len(battles), dtype=np.int64)
    at, within = matched(read["battle"], battles)
    np.maximum.at(found, at, read["index"][within])
    return found


def bits_against(standing: QuerySet[Exclusion]) -> dict[UUID, int]:
    """The bits of what stands against each vote that anything stands against. One query."""
    found: dict[UUID, int] = {}
    for vote_id, reason in standing.values_list("vote_id", "reason"):
        found[vote_id] = found.get(vote_id, 0) | ExclusionReason(reason).bit
    return found


def _table(read: dict[str, Column], codes: dict[UUID, str], against: dict[UUID, int]) -> VoteTable:
    n = len(read["vote"])
    models, sides = models_of(np.concatenate([read["a"], read["b"]]), codes)
    first, user = numbered(read["user"])
    return VoteTable(
        models=models,
        a=sides[:n],
        b=sides[n:],
        outcomes={criterion: read[criterion.value].astype(np.int8) for criterion in Criterion},
        user=user,
        participants=tuple(uuids(read["user"][first])),
        reasons=reasons_of(read["vote"], against),
        levels=worded(read["level"], LEVELS),
        educations=worded(read["education"], EDUCATIONS),
        checks=read["check"],
        seconds=read["seconds"],
        prompt_chars=read["chars"].astype(np.int64),
        turns=read["turns"],
        prompts=read["prompt"],
        battles=read["battle"],
        origins=read["origin"],
    )


def models_of(ids: Ids, codes: dict[UUID, str]) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    """The codes of all models that occur, sorted, and each id's index in them."""
    first, number = numbered(ids)
    occurring = [codes[each] for each in uuids(ids[first])]
    models = tuple(sorted(occurring))
    place = np.array([models.index(code) for code in occurring], dtype=np.int32)
    return models, place[number]


def reasons_of(votes: Ids, against: dict[UUID, int]) -> Reasons:
    """Each vote's bits, shape ``(n,)``."""
    found = np.zeros(len(votes), dtype=np.uint16)
    at, within = matched(packed(against), votes)
    found[at] = np.fromiter(against.values(), dtype=np.uint16, count=len(against))[within]
    return found
