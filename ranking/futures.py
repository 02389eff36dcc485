"""One simulation that answers every goal: what a planner needs to be asked anything without simulating again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ranking.goals import Goal, Precision, Separation, gap_ratios, precision_margin, top_margins, widest
from ranking.knowledge import knowledge_of
from ranking.planner import Need, basis_of, needs, no_need, simulated
from ranking.plans import PUBLISHED_PACE, Pace, Plan
from ranking.policies import SamplingPolicy
from ranking.tally import Matrix, Tally

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class Futures:
    """What a board's futures say of every goal.

    Parameters
    ----------
    models
        The ``m`` names.
    rated
        Shape ``(m,)``: whose strength comes from the fit.
    policy
        The name of the policy that draws the pairs.
    level
        Of the intervals and tests.
    repetitions, seed
        Of the simulation.
    widths
        Shape ``(looks, r)``: the widest half width in each future, in rating points.
    pairs
        What it takes to tell two models apart; names in their order in *models*.
    tops
        What it takes to tell the best *k* from the others, from the best one on; ``m - 1`` of them.
    """

    models: tuple[str, ...]
    rated: NDArray[np.bool_]
    policy: str
    level: float
    repetitions: int
    seed: int
    widths: Matrix
    pairs: Mapping[Pair, Need]
    tops: tuple[Need, ...]

    def plan(self, goal: Goal, pace: Pace = PUBLISHED_PACE) -> Plan:
        """As :func:`ranking.planner.plan_votes`. Raises ``KeyError`` or ``IndexError`` for a goal that the board does not have."""
        return (no_need(goal, self.models, self.rated) or self._need(goal)).plan(
            goal,
            policy=self.policy,
            pace=pace,
            basis=basis_of(self.rated),
            repetitions=self.repetitions,
            seed=self.seed,
        )

    def _need(self, goal: Goal) -> Need:
        if isinstance(goal, Precision):
            return needs(precision_margin(goal, self.widths)[:, :, None])[0]
        if isinstance(goal, Separation):
            first, second = sorted((goal.model_a, goal.model_b), key=self.models.index)
            return self.pairs[first, second]
        return self.tops[goal.k - 1]


def foresee(
    tally: Tally, *, policy: SamplingPolicy, level: float = 0.95, repetitions: int = 80, seed: int = 0
) -> Futures:
    """Simulate a board's further votes to the horizon, whatever the goal; arguments and method as in :func:`ranking.planner.plan_votes`."""
    known = knowledge_of(tally)
    m = len(tally.models)
    upper = np.triu_indices(m, 1)
    widths, pairs, tops = [], [], []
    if m > 1:
        for strengths, covariance in simulated(
            tally, known, policy=policy, repetitions=repetitions, seed=seed
        ):
            ratios = gap_ratios(strengths, covariance, level)
            widths.append(widest(covariance, level))
            pairs.append(ratios[:, upper[0], upper[1]])
            tops.append(top_margins(strengths, ratios))
    named = [(tally.models[i], tally.models[j]) for i, j in zip(*upper, strict=True)]
    return Futures(
        models=tally.models,
        rated=known.rated,
        policy=policy.name,
        level=level,
        repetitions=repetitions,
        seed=seed,
        widths=np.stack(widths) if widths else np.empty((0, repetitions)),
        pairs=dict(zip(named, needs(np.stack(pairs)), strict=True)) if pairs else {},
        tops=tuple(needs(np.stack(tops))) if tops else (),
    )
