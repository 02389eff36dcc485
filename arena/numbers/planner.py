"""The futures of a board: one simulation from which every plan can be told."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

import numpy as np

from arena.numbers.material import Counts
from arena.selectors.campaigns import policy_of
from ranking.futures import Futures, foresee
from ranking.numbers import Numbers
from ranking.planner import Need
from ranking.plans import PlanStatus
from ranking.selectors import with_waiting
from ranking.tables import Table, Value
from ranking.types import Criterion

REPORT = "planner"
LEVEL = 0.95
MOST_REPETITIONS, FEWEST_REPETITIONS = 80, 20
MOST_MODELS = 100
"""Boards of more are not planned: a future takes the cube of its models, and every pair of them is a goal."""
_MODELS_FOR_MOST = 50
_DIGITS = 6  # of a half width: more than anybody asks for, and a third of the room
_NEED = ("status", "low", "middle", "high", "reached_share")


def compute(material: Counts, criterion: Criterion) -> Numbers:
    """With the candidates that wait for their first vote; of large boards only their number, as the *fact* ``models``."""
    tally = with_waiting(material.board, material.tallies[criterion])
    if len(tally.models) > MOST_MODELS:
        return Numbers(facts={"models": len(tally.models)})
    return numbers_of(
        foresee(
            tally,
            policy=policy_of(material.board),
            level=LEVEL,
            repetitions=repetitions_for(len(tally.models)),
        )
    )


def lacks(numbers: Numbers, models: Sequence[str]) -> bool:
    """Whether one of these models was not planned for, although others were."""
    return numbers.has("models") and not set(models) <= {row[0] for row in numbers.table("models").rows}


def repetitions_for(models: int) -> int:
    """How many futures are simulated: fewer on large boards, so that it takes seconds."""
    return max(FEWEST_REPETITIONS, min(MOST_REPETITIONS, MOST_REPETITIONS * _MODELS_FOR_MOST**2 // models**2))


def numbers_of(futures: Futures) -> Numbers:
    rated = zip(futures.models, futures.rated.tolist(), strict=True)
    columns = ("look", *(f"future_{place}" for place in range(futures.repetitions)))
    widths = [[float(f"{each:.{_DIGITS}g}") for each in row] for row in futures.widths.tolist()]
    return Numbers(
        (
            Table("models", ("model", "rated"), tuple(rated)),
            Table("widths", columns, tuple((look, *row) for look, row in enumerate(widths))),
            Table(
                "pairs",
                ("model", "opponent", *_NEED),
                tuple((*pair, *_row(need)) for pair, need in futures.pairs.items()),
            ),
            Table("tops", ("k", *_NEED), tuple((k, *_row(need)) for k, need in enumerate(futures.tops, 1))),
        ),
        {
            "policy": futures.policy,
            "level": futures.level,
            "repetitions": futures.repetitions,
            "seed": futures.seed,
        },
    )


def futures_of(numbers: Numbers) -> Futures:
    """What :func:`numbers_of` wrote."""
    facts, models = numbers.facts, numbers.table("models").rows
    repetitions = int(str(facts["repetitions"]))
    widths = [row[1:] for row in numbers.table("widths").rows]
    return Futures(
        models=tuple(str(row[0]) for row in models),
        rated=np.array([row[1] for row in models], dtype=np.bool_),
        policy=str(facts["policy"]),
        level=float(str(facts["level"])),
        repetitions=repetitions,
        seed=int(str(facts["seed"])),
        widths=np.array(widths, dtype=np.float64).reshape(-1, repetitions),
        pairs={(str(row[0]), str(row[1])): _need(row[2:]) for row in numbers.table("pairs").rows},
        tops=tuple(_need(row[1:]) for row in numbers.table("tops").rows),
    )


def _row(need: Need) -> tuple[Value, ...]:
    ends = (need.low, need.middle, need.high)
    return (need.status.value, *(None if each == inf else each for each in ends), need.reached_share)


def _need(row: tuple[Value, ...]) -> Need:
    status, *ends, share = row
    low, middle, high = (inf if each is None else float(each) for each in ends)
    return Need(PlanStatus(str(status)), low, middle, high, float(share or 0.0))
