"""What a vote is expected to be, given the two models' strengths: the yardstick of every test of votes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from scipy.special import expit

from ranking.fit import Vector
from ranking.tally import Matrix
from ranking.types import Outcome


@dataclass(frozen=True, slots=True)
class Expectation:
    """How the votes of a board follow from the gap between two models.

    Parameters
    ----------
    scale
        Log-odds of a decisive vote per nat of the strengths' gap: 1 where the strengths were fitted to decisive votes alone.
    side
        Log-odds in favour of side A between equal models.
    tie_level
        Log-odds of a tie between equal models.
    tie_slope
        How fast the log-odds of a tie fall with ``ln cosh(gap / 2)``.
    """

    scale: float
    side: float
    tie_level: float
    tie_slope: float

    def a_wins(self, gaps: Vector) -> Vector:
        """The probability, shape of *gaps*, that A is better in a decisive vote; *gaps*, in nats, are A's strength less B's."""
        return np.asarray(expit(self.log_odds(gaps)), dtype=np.float64)

    def log_odds(self, gaps: Vector) -> Vector:
        """The log-odds of :meth:`a_wins`."""
        return self.scale * gaps + self.side

    def tie(self, gaps: Vector) -> Vector:
        """The probability, shape of *gaps*, of a tie or of both bad."""
        return np.asarray(expit(self.tie_level - self.tie_slope * _log_cosh(gaps)), dtype=np.float64)


def fit_expectation(counts: Matrix, strengths: Vector) -> Expectation:
    """Fit how decisive votes and ties follow from the gaps between strengths.

    Parameters
    ----------
    counts
        Shape ``(m, m, 4)``, as a tally's or weighted; the first index is the model really shown as A, or *side* of the result means nothing.
    strengths
        Shape ``(m,)``, in nats, fitted to these votes under any tie rule.

    Returns
    -------
    Expectation
        Two logistic regressions by maximum likelihood: of A winning a decisive vote, and of a tie.

    Notes
    -----
    Given that a vote is decisive, Davidson's model of ties is plain Bradley-Terry, whatever the voter's liking for ties ("On extending the Bradley-Terry
    model to accommodate ties in paired comparison experiments", Journal of the American Statistical Association 65, 1970); so who won and whether somebody won
    are judged apart, and a voter who ties often is not held to be a careless one. The slope of ties, 1 in Davidson's model with this scale, is fitted.
    Two votes as the strengths predict them, and two thirds of a tie in them, are added, so that no count is too small.
    """
    gaps = strengths[:, None] - strengths[None, :]
    size = max(1.0, float(np.sqrt((gaps**2).mean()))) if len(strengths) else 1.0
    prior = np.array([size, -size])
    wins = counts[:, :, Outcome.A_BETTER.place]
    decisive = wins + counts[:, :, Outcome.B_BETTER.place]
    met = counts.sum(axis=2)
    scale, side = _logistic(
        np.append(gaps, prior), np.append(wins, expit(prior)), np.append(decisive, np.ones(2))
    )
    slope, level = _logistic(
        -np.append(_log_cosh(gaps), _log_cosh(np.array([0.0, size]))),
        np.append(met - decisive, np.full(2, 1 / 3)),
        np.append(met, np.ones(2)),
    )
    return Expectation(scale=scale, side=side, tie_level=level, tie_slope=slope)


def _log_cosh(gaps: Vector | Matrix) -> Matrix:
    return np.asarray(np.logaddexp(gaps / 2, -gaps / 2) - np.log(2), dtype=np.float64)


def _logistic(x: Vector, successes: Vector, trials: Vector) -> tuple[float, float]:
    """Slope and level of a logistic regression; the three of shape ``(k,)``."""
    total = trials.sum()

    def loss(slope_and_level: Vector) -> tuple[float, Vector]:
        logits = slope_and_level[0] * x + slope_and_level[1]
        residual = trials * expit(logits) - successes
        value = trials * np.logaddexp(0.0, logits) - successes * logits
        return float(value.sum() / total), np.array([(residual * x).sum(), residual.sum()]) / total

    found = scipy.optimize.minimize(loss, np.zeros(2), jac=True, method="BFGS", options={"gtol": 1e-9})
    return float(found.x[0]), float(found.x[1])
