"""How many more votes, volunteers and hours a board needs until it can tell what is wanted, by simulation from what it tells now."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from math import ceil, isfinite

import numpy as np

from ranking.fit import Vector
from ranking.goals import Goal, Separation, TopK, margin
from ranking.growth import boards_from, grown
from ranking.knowledge import Knowledge, knowledge_of
from ranking.policies import SamplingPolicy
from ranking.tally import Matrix, Tally

PUBLISHED_VOTES = 12_890
PUBLISHED_PARTICIPANTS = 1_285
ASSUMED_MINUTES_A_BATTLE = 3.0
"""An assumption: the published campaign of 2025 tells votes and people, not how long a battle took."""

HORIZON = 1_000_000
"""Votes after which a plan looks no further."""
LOW, MIDDLE, HIGH = 0.1, 0.5, 0.9

_FINEST = 10  # votes between two looks; then a tenth of those simulated
_LOOKS_IN_A_ROW = 3


class Basis(StrEnum):
    """What a plan starts from."""

    FIT = "fit"
    FIT_AND_PRIOR = (
        "fit_and_prior"  # some models have no rating: they are taken to be spread as the rated ones are
    )
    EVEN_PRIOR = "even_prior"  # nobody has a rating: all are taken to be as good


class PlanStatus(StrEnum):
    REACHED = "reached"
    PLANNED = "planned"
    BEYOND_HORIZON = "beyond_horizon"
    TOO_FEW_MODELS = "too_few_models"
    NO_ORDER = "no_order"  # a goal about who is better, of models that nothing tells apart


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast volunteers work.

    Parameters
    ----------
    battles_a_volunteer
        Judged battles a person gives, above 0: by default 12,890 / 1,285, as in the published campaign of 2025.
    minutes_a_battle
        Above 0; ``ASSUMED_MINUTES_A_BATTLE`` if left out, and the plan says so.
    """

    battles_a_volunteer: float = PUBLISHED_VOTES / PUBLISHED_PARTICIPANTS
    minutes_a_battle: float | None = None

    def __post_init__(self) -> None:
        for each in (self.battles_a_volunteer, self.minutes):
            if not (each > 0 and isfinite(each)):
                raise ValueError("battles and minutes are positive numbers")

    @property
    def minutes(self) -> float:
        return ASSUMED_MINUTES_A_BATTLE if self.minutes_a_battle is None else self.minutes_a_battle

    @property
    def is_assumed(self) -> bool:
        return self.minutes_a_battle is None


@dataclass(frozen=True, slots=True)
class Effort:
    """Further votes, and what they take: people, and their hours taken together."""

    votes: int
    volunteers: int
    hours: float


@dataclass(frozen=True, slots=True)
class Plan:
    """What is still needed.

    Parameters
    ----------
    goal, policy, pace
        What was asked for; the policy by its name.
    status
        Whether there is a number, or why not.
    basis
        What was known at the start.
    low, middle, high
        Enough in 10, 50 and 90 % of the repetitions; ``None`` beyond the horizon and where nothing can be said.
    reached_share
        The share of the repetitions that came to the goal before the horizon.
    repetitions, seed
        Of the simulation; the same give the same plan.
    """

    goal: Goal
    policy: str
    pace: Pace
    status: PlanStatus
    basis: Basis
    low: Effort | None
    middle: Effort | None
    high: Effort | None
    reached_share: float
    repetitions: int
    seed: int


def plan_votes(
    tally: Tally,
    goal: Goal,
    *,
    policy: SamplingPolicy,
    pace: Pace = Pace(),
    level: float = 0.95,
    repetitions: int = 80,
    seed: int = 0,
) -> Plan:
    """Simulate a board's further votes until it reaches a goal.

    Parameters
    ----------
    tally
        The board so far, with ties as half wins; all its models are drawn, those without a battle too.
    goal
        What it shall tell.
    policy
        How the pairs to come are drawn.
    pace
        What turns votes into people and hours.
    level
        Of the intervals and tests, between 0 and 1.
    repetitions
        How many futures are simulated, at least one.
    seed
        The same gives the same plan.

    Returns
    -------
    Plan
        Always with a status; never an endless search.

    Raises
    ------
    ValueError
        If *level* or *repetitions* is out of range, or the goal names a model that the tally lacks or as many places as there are models.

    Notes
    -----
    Each repetition draws true strengths from what the fit leaves open, so the interval holds what is not known of them as well as the luck of the votes.
    A goal counts as reached at the first of three looks in a row that find it so, as votes grow by about a fifth between the first and the last: a board
    that is looked at often crosses a line by luck. Between two looks the number is interpolated. See :func:`ranking.growth.grown` for the votes.
    """
    _check(goal, tally, level, repetitions)
    known = knowledge_of(tally)
    status, votes = _needed(
        tally, known, goal, policy=policy, level=level, repetitions=repetitions, seed=seed
    )
    low, middle, high = (_effort(_quantile(votes, share), pace) for share in (LOW, MIDDLE, HIGH))
    return Plan(
        goal=goal,
        policy=policy.name,
        pace=pace,
        status=status,
        basis=_basis(known),
        low=low,
        middle=middle,
        high=high,
        reached_share=float(np.isfinite(votes).mean()),
        repetitions=repetitions,
        seed=seed,
    )


def _needed(
    tally: Tally,
    known: Knowledge,
    goal: Goal,
    *,
    policy: SamplingPolicy,
    level: float,
    repetitions: int,
    seed: int,
) -> tuple[PlanStatus, Vector]:
    """A status, and further votes by repetition, infinite where the goal was not reached."""
    never = np.full(repetitions, np.inf)
    if len(tally.models) < 2:
        return PlanStatus.TOO_FEW_MODELS, never
    if not _has_order(goal, tally, known):
        return PlanStatus.NO_ORDER, never
    margins = _simulated(tally, known, goal, policy=policy, level=level, repetitions=repetitions, seed=seed)
    if (margins[0] >= 1).all():
        return PlanStatus.REACHED, np.zeros(repetitions)
    votes = _first_reached(margins)
    found = np.isfinite(_quantile(votes, MIDDLE))
    return PlanStatus.PLANNED if found else PlanStatus.BEYOND_HORIZON, votes


def _simulated(
    tally: Tally,
    known: Knowledge,
    goal: Goal,
    *,
    policy: SamplingPolicy,
    level: float,
    repetitions: int,
    seed: int,
) -> Matrix:
    """Margins by look and repetition, shape ``(looks, r)``, until all have reached the goal for good or the horizon is there."""
    rng = np.random.default_rng(seed)
    boards = boards_from(tally, known, repetitions=repetitions, rng=rng)
    margins: list[Vector] = []
    for here, there in pairwise((*_LOOKS, HORIZON)):
        strengths, covariance = boards.estimates()
        margins.append(margin(goal, tally.models, strengths=strengths, covariance=covariance, level=level))
        if (margins[0] >= 1).all() or np.isfinite(_first_reached(np.stack(margins))).all():
            break
        boards = grown(boards, there - here, policy, rng)
    return np.stack(margins)


def _looks() -> tuple[int, ...]:
    looks = [0]
    while looks[-1] < HORIZON:
        looks.append(looks[-1] + max(_FINEST, looks[-1] // 10))
    return tuple(looks[:-1])


_LOOKS = _looks()


def _first_reached(margins: Matrix) -> Vector:
    """Votes at the first of so many looks in a row that find a goal reached, interpolated from the look before; infinite where there are none."""
    reached = margins >= 1
    rows = len(margins) - _LOOKS_IN_A_ROW + 1
    if rows < 1:
        return np.full(margins.shape[1], np.inf)
    lasting = np.all([reached[k : k + rows] for k in range(_LOOKS_IN_A_ROW)], axis=0)
    first = lasting.argmax(axis=0)
    before, column = np.maximum(first - 1, 0), np.arange(margins.shape[1])
    looks = np.array(_LOOKS, dtype=np.float64)
    step = np.maximum(margins[first, column] - margins[before, column], np.finfo(np.float64).tiny)
    part = np.clip((1 - margins[before, column]) / step, 0.0, 1.0)
    votes = looks[before] + part * (looks[first] - looks[before])
    return np.where(lasting.any(axis=0), votes, np.inf)


def _check(goal: Goal, tally: Tally, level: float, repetitions: int) -> None:
    if not 0 < level < 1:
        raise ValueError("the level is a probability between 0 and 1")
    if repetitions < 1:
        raise ValueError("a plan needs at least one repetition")
    if isinstance(goal, Separation) and not {goal.model_a, goal.model_b} <= set(tally.models):
        raise ValueError(f"the board lacks {goal.model_a} or {goal.model_b}")
    if isinstance(goal, TopK) and goal.k >= max(len(tally.models), 2):
        raise ValueError(f"{len(tally.models)} models have no top {goal.k}")


def _has_order(goal: Goal, tally: Tally, known: Knowledge) -> bool:
    if isinstance(goal, Separation):
        return all(known.rated[tally.models.index(name)] for name in (goal.model_a, goal.model_b))
    return bool(known.rated.any()) or not isinstance(goal, TopK)


def _basis(known: Knowledge) -> Basis:
    if not known.rated.any():
        return Basis.EVEN_PRIOR
    return Basis.FIT if known.rated.all() else Basis.FIT_AND_PRIOR


def _quantile(votes: Vector, share: float) -> float:
    """The smallest number of votes that suffices in *share* of the repetitions, infinite included."""
    return float(np.sort(votes)[ceil(share * len(votes)) - 1])


def _effort(votes: float, pace: Pace) -> Effort | None:
    if not isfinite(votes):
        return None
    whole = ceil(votes)
    return Effort(whole, ceil(whole / pace.battles_a_volunteer), whole * pace.minutes / 60)
