"""How many more votes, volunteers and hours a board needs until it can tell what is wanted, by simulation from what it tells now."""

from __future__ import annotations

from itertools import pairwise
from math import ceil

import numpy as np

from ranking.fit import Vector
from ranking.goals import Goal, Separation, TopK, margin
from ranking.growth import boards_from, grown
from ranking.knowledge import Knowledge, knowledge_of
from ranking.plans import PUBLISHED_PACE, Basis, Effort, Pace, Plan, PlanStatus
from ranking.policies import SamplingPolicy
from ranking.tally import Matrix, Tally

HORIZON = 1_000_000
"""Votes after which a plan looks no further."""
LOW, MIDDLE, HIGH = 0.1, 0.5, 0.9

_FINEST = 10  # votes between two looks; then a tenth of those simulated
_LOOKS_IN_A_ROW = 3


def plan_votes(
    tally: Tally,
    goal: Goal,
    *,
    policy: SamplingPolicy,
    pace: Pace = PUBLISHED_PACE,
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
    low, middle, high = (Effort.of(_quantile(votes, share), pace) for share in (LOW, MIDDLE, HIGH))
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
    votes = first_lasting(margins)
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
        if (margins[0] >= 1).all() or np.isfinite(first_lasting(np.stack(margins))).all():
            break
        boards = grown(boards, there - here, policy, rng)
    return np.stack(margins)


def _looks() -> tuple[int, ...]:
    looks = [0]
    while looks[-1] < HORIZON:
        looks.append(looks[-1] + max(_FINEST, looks[-1] // 10))
    return tuple(looks[:-1])


_LOOKS = _looks()


def first_lasting(margins: Matrix) -> Vector:
    """Votes at the first of three looks in a row that find a goal reached, interpolated from the look before; infinite where there are none.

    Parameters
    ----------
    margins
        Shape ``(looks, r)``, from :func:`ranking.goals.margin`: at 0, 10, 20 votes and so on, each repetition a column.

    Returns
    -------
    ndarray
        Shape ``(r,)``.
    """
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
