"""How many more votes, volunteers and hours a board needs until it can tell what is wanted, by simulation from what it tells now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, inf

import numpy as np
from numpy.typing import NDArray

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
_FLAT = 1e-12  # a margin that hardly moves is not interpolated


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
    need = no_need(goal, tally.models, known.rated)
    if need is None:
        margins: list[Vector] = []
        for strengths, covariance in simulated(
            tally, known, policy=policy, repetitions=repetitions, seed=seed
        ):
            margins.append(
                margin(goal, tally.models, strengths=strengths, covariance=covariance, level=level)
            )
            if (margins[0] >= 1).all() or np.isfinite(first_lasting(np.stack(margins))).all():
                break
        need = needs(np.stack(margins)[:, :, None])[0]
    return need.plan(
        goal,
        policy=policy.name,
        pace=pace,
        basis=basis_of(known.rated),
        repetitions=repetitions,
        seed=seed,
    )


@dataclass(frozen=True, slots=True)
class Need:
    """Further votes that suffice in 10, 50 and 90 % of the futures, infinite where they do not; *reached_share* of these come to the goal at all."""

    status: PlanStatus
    low: float
    middle: float
    high: float
    reached_share: float

    def plan(self, goal: Goal, *, policy: str, pace: Pace, basis: Basis, repetitions: int, seed: int) -> Plan:
        """What it takes at this *pace*; the rest is carried along."""
        low, middle, high = (Effort.of(votes, pace) for votes in (self.low, self.middle, self.high))
        return Plan(
            goal=goal,
            policy=policy,
            pace=pace,
            status=self.status,
            basis=basis,
            low=low,
            middle=middle,
            high=high,
            reached_share=self.reached_share,
            repetitions=repetitions,
            seed=seed,
        )


def no_need(goal: Goal, models: tuple[str, ...], rated: NDArray[np.bool_]) -> Need | None:
    """Why there is nothing to simulate, if so; *rated*, of shape ``(m,)``, says whose strength comes from the fit."""
    status = None
    if len(models) < 2:
        status = PlanStatus.TOO_FEW_MODELS
    elif isinstance(goal, Separation):
        told = all(rated[models.index(name)] for name in (goal.model_a, goal.model_b))
        status = None if told else PlanStatus.NO_ORDER
    elif isinstance(goal, TopK) and not rated.any():
        status = PlanStatus.NO_ORDER
    return None if status is None else Need(status, inf, inf, inf, 0.0)


def needs(margins: Matrix) -> list[Need]:
    """What *g* goals take, from their margins by look and repetition, shape ``(looks, r, g)``."""
    looks, repetitions, goals = margins.shape
    lasting = first_lasting(margins.reshape(looks, repetitions * goals)).reshape(repetitions, goals)
    reached = (margins[0] >= 1).all(axis=0)
    votes = np.sort(np.where(reached, 0.0, lasting), axis=0)
    share = np.isfinite(votes).mean(axis=0)
    low, middle, high = (votes[ceil(part * repetitions) - 1] for part in (LOW, MIDDLE, HIGH))
    return [
        Need(
            PlanStatus.REACHED
            if reached[at]
            else PlanStatus.PLANNED
            if np.isfinite(middle[at])
            else PlanStatus.BEYOND_HORIZON,
            *(float(each[at]) for each in (low, middle, high, share)),
        )
        for at in range(goals)
    ]


def simulated(
    tally: Tally, known: Knowledge, *, policy: SamplingPolicy, repetitions: int, seed: int
) -> Iterator[tuple[Vector, Matrix]]:
    """Strengths, shape ``(r, m)``, and their covariances, shape ``(r, m, m)``, of all futures, look by look until the horizon."""
    rng = np.random.default_rng(seed)
    boards = boards_from(tally, known, repetitions=repetitions, rng=rng)
    for here, there in pairwise((*_LOOKS, HORIZON)):
        yield boards.estimates
        boards = grown(boards, there - here, policy, rng)


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
    step = np.maximum(margins[first, column] - margins[before, column], _FLAT)
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


def basis_of(rated: NDArray[np.bool_]) -> Basis:
    """What a plan starts from; *rated* as in :func:`no_need`."""
    if not rated.any():
        return Basis.EVEN_PRIOR
    return Basis.FIT if rated.all() else Basis.FIT_AND_PRIOR
