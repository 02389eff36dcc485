"""Reads of what the sampler drew: the log of propensities, and who was shown on which side."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from django.db.models import Avg, Count, F, FloatField, Max, Min, QuerySet, Value

from arena.models import Battle
from arena.types import BattleSource, BattleStatus
from inference.models import Candidate
from ranking.models import Board


@dataclass(frozen=True, slots=True)
class PolicyLog:
    """What was logged of one policy's draws.

    Parameters
    ----------
    policy
        Its name.
    battles
        How many were drawn by it.
    least, mean, most
        Of their propensities: the probability of the ordered pair that was drawn.
    choices
        The mean of ``1 / propensity``. Its expectation is the number of ordered pairs that could be drawn, whatever the policy prefers: what is far from it
        was logged wrongly, or the pool has changed.
    """

    policy: str
    battles: int
    least: float
    mean: float
    most: float
    choices: float


@dataclass(frozen=True, slots=True)
class Sides:
    """How often a model was drawn as A and as B."""

    model: str
    as_a: int
    as_b: int


def propensity_log(board: Board) -> list[PolicyLog]:
    """By policy, all battles of the board's campaign that have ended, those without a vote too. One query."""
    inverse = Value(1.0, output_field=FloatField()) / F("propensity")
    rows = (
        _ended(board)
        .values("policy")
        .annotate(
            battles=Count("pk"),
            least=Min("propensity"),
            mean=Avg("propensity"),
            most=Max("propensity"),
            choices=Avg(inverse),
        )
        .order_by("policy")
    )
    return [PolicyLog(**row) for row in rows]


def sides_shown(board: Board) -> list[Sides]:
    """By model, in the order of their codes; as :func:`propensity_log`. Two queries."""
    as_a: Counter[str] = Counter()
    as_b: Counter[str] = Counter()
    codes = dict(Candidate.objects.values_list("pk", "code"))
    pairs = _ended(board).values("candidate_a_id", "candidate_b_id")
    for pair in pairs.annotate(battles=Count("pk")).order_by():
        as_a[codes[pair["candidate_a_id"]]] += pair["battles"]
        as_b[codes[pair["candidate_b_id"]]] += pair["battles"]
    return [Sides(model, as_a[model], as_b[model]) for model in sorted({*as_a, *as_b})]


def _ended(board: Board) -> QuerySet[Battle]:
    """Without battles under way: public counts that moved with one would tell its volunteer who meets whom."""
    over = [BattleStatus.VOTED.value, BattleStatus.ABANDONED.value]
    return Battle.objects.filter(campaign__board=board, status__in=over, source=BattleSource.LIVE.value)
