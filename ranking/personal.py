"""One volunteer's own ranking: their votes, shrunk to what everybody else says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from ranking.fit import SAFE_STEP, SCORE_TOLERANCE, Vector
from ranking.ranks import quantile
from ranking.ratings import CENTRE, SCALE
from ranking.tally import Matrix, Tally

SPREAD = 0.5
"""Standard deviation in nats (87 points) that one person's opinion of a model is taken to lie from the crowd's."""
_MOST_STEPS = 200


@dataclass(frozen=True, slots=True)
class PersonalRating:
    """A model as one volunteer rates it, beside the crowd; *votes* are the volunteer's own battles of it."""

    model: str
    rating: float
    low: float
    high: float
    crowd: float
    votes: int


def personal_ranking(
    own: Tally, crowd: dict[str, float], *, spread: float = SPREAD, interval: float = 0.95
) -> list[PersonalRating]:
    """Shrink one volunteer's votes to the crowd's ratings.

    Parameters
    ----------
    own
        The volunteer's votes. Models that the crowd does not rate are left out.
    crowd
        Rating of each model on the Elo scale, from the others' votes.
    spread
        Standard deviation of a person's opinion around the crowd's, in nats, above zero.
    interval
        Level of the credible interval, between 0 and 1.

    Returns
    -------
    list of PersonalRating
        Best first, then by name; with no votes of one's own, the crowd's ratings with the prior's interval.

    Notes
    -----
    The mode of Bradley-Terry's likelihood (ties are half wins) times independent normal priors around the crowd's strengths, by Newton's method with steps
    of half a nat at most; intervals from the curvature there (Laplace). The posterior is strictly log-concave, so that the mode exists whatever the votes are.
    """
    models = tuple(sorted(crowd))
    part = Tally.empty(models).merged(own.subset([name for name in own.models if name in crowd]))
    points = part.points()
    centre = (np.array([crowd[name] for name in models]) - CENTRE) / SCALE
    strengths, covariance = _mode(points, centre, spread)
    half = quantile(interval) * SCALE * np.sqrt(np.diag(covariance))
    ratings = CENTRE + SCALE * strengths
    met = (points + points.T).sum(axis=1)
    rows = [
        PersonalRating(name, float(x), float(x - h), float(x + h), crowd[name], round(n))
        for name, x, h, n in zip(models, ratings, half, met, strict=True)
    ]
    return sorted(rows, key=lambda row: (-row.rating, row.model))


def _mode(points: Matrix, centre: Vector, spread: float) -> tuple[Vector, Matrix]:
    met = points + points.T
    prior = np.eye(len(centre)) / spread**2
    strengths = centre.copy()
    for _ in range(_MOST_STEPS):
        chance = expit(strengths[:, None] - strengths[None, :])
        score = (points - met * chance).sum(axis=1) - (strengths - centre) / spread**2
        weights = met * chance * (1 - chance)
        curvature = np.diag(weights.sum(axis=1)) - weights + prior
        if not score.size or np.abs(score).max() < SCORE_TOLERANCE:
            break
        step = np.linalg.solve(curvature, score)
        strengths = strengths + step * min(1.0, SAFE_STEP / max(float(np.abs(step).max()), 1e-300))
    return strengths, np.asarray(np.linalg.inv(curvature), dtype=np.float64)
