"""In which languages the candidates answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Case, CharField, Count, F, Q, Sum, When
from django.db.models.functions import Coalesce

from arena.models import Answer
from arena.types import AnswerStatus, BattleSource, BattleStatus, Side
from inference.language import BASQUE, LANGUAGES, UNTOLD
from ranking.models import Board


@dataclass(frozen=True, slots=True)
class Answered:
    """How a model answered one volunteer's Basque messages.

    Parameters
    ----------
    model
        The candidate's code.
    languages
        How many answers in each language that could be told.
    untold, unmeasured
        Answers whose language cannot be told, and those at which nobody looked yet.
    basque_share
        Sum of the shares of Basque over the answers in *languages*.
    """

    model: str
    languages: dict[str, int]
    untold: int
    unmeasured: int
    basque_share: float

    @property
    def told(self) -> int:
        return sum(self.languages.values())


def answers_to_basque(board: Board, *, until: datetime) -> Iterator[Answered]:
    """A row for each model and volunteer of the board's campaign: all complete answers to messages in Basque of battles that are over.

    Votes are not asked, since answers in another language are among the reasons against one. Battles under way stay out: two publications would tell whose
    answers came between them. One query, grouped in the database.
    """
    for model, untold, unmeasured, share, *counts in _grouped(board, until):
        yield Answered(model, dict(zip(LANGUAGES, counts, strict=True)), untold, unmeasured, share)


def _grouped(board: Board, until: datetime) -> Iterator[tuple[Any, ...]]:
    of_side = Case(
        When(side=Side.A.value, then=F("turn__battle__candidate_a__code")),
        default=F("turn__battle__candidate_b__code"),
        output_field=CharField(),
    )
    answers = Answer.objects.filter(
        turn__battle__campaign__board=board,
        turn__battle__source=BattleSource.LIVE.value,
        turn__language=BASQUE,
        turn__battle__status__in=[BattleStatus.VOTED.value, BattleStatus.ABANDONED.value],
        status=AnswerStatus.COMPLETE.value,
        finished_at__lte=until,
    )
    counted = {f"n_{each}": Count("pk", filter=Q(language=each)) for each in LANGUAGES}
    return (
        answers.order_by()
        .annotate(model=of_side)
        .values("model", "turn__battle__participant")
        .annotate(
            untold=Count("pk", filter=Q(language=UNTOLD)),
            unmeasured=Count("pk", filter=Q(language="")),
            basque=Coalesce(Sum("basque_share"), 0.0),
            **counted,
        )
        .values_list("model", "untold", "unmeasured", "basque", *counted)
        .iterator()
    )
