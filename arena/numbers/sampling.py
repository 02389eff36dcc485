"""What the sampler drew so far: who was shown on which side, and what was logged."""

from __future__ import annotations

import scipy

from arena.numbers.material import Counts
from arena.selectors.draws import Sides, propensity_log, sides_shown
from ranking.numbers import Numbers
from ranking.tables import Table, Value
from ranking.types import Criterion


def compute(material: Counts, _criterion: Criterion) -> Numbers:
    """Of all battles, those without a vote too; the same whatever is judged."""
    sides = ("model", "battles", "as_a", "share_a", "share_low", "share_high")
    log = ("policy", "battles", "least", "mean", "most", "choices")
    return Numbers(
        (
            Table("sides", sides, tuple(map(_side, sides_shown(material.board)))),
            Table(
                "log",
                log,
                tuple(
                    (each.policy, each.battles, each.least, each.mean, each.most, each.choices)
                    for each in propensity_log(material.board)
                ),
            ),
        )
    )


def _side(sides: Sides) -> tuple[Value, ...]:
    battles = sides.as_a + sides.as_b
    interval = scipy.stats.binomtest(sides.as_a, battles).proportion_ci(0.95, method="wilson")
    share = sides.as_a / battles
    return (sides.model, battles, sides.as_a, share, float(interval.low), float(interval.high))
