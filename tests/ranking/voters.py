"""Single votes of simulated voters, for tests of what a tally cannot hold."""

from __future__ import annotations

import numpy as np

from ranking.ballots import Ballots
from ranking.covariates import Covariates
from ranking.fit import Vector
from ranking.tally import Matrix
from tests.ranking.builders import make_votes


def make_ballots(*written: str, users: list[int] | None = None, weight: list[float] | None = None) -> Ballots:
    """Ballots from votes as :func:`make_votes` writes them, one known user if left out."""
    votes = make_votes(*written)
    names = tuple(sorted({name for a, b, _ in votes for name in (a, b)}))
    return Ballots(
        names,
        np.array([names.index(a) for a, _, _ in votes], dtype=np.int64),
        np.array([names.index(b) for _, b, _ in votes], dtype=np.int64),
        np.array([outcome.place for _, _, outcome in votes], dtype=np.int64),
        np.array(users if users is not None else [0] * len(votes), dtype=np.int64),
        None if weight is None else np.array(weight, dtype=np.float64),
    )


def draw_outcomes(advantage: Vector, rng: np.random.Generator, tie_rate: float = 0.35) -> np.ndarray:
    """Outcomes whose half-win expectation is the logistic of *advantage*: *tie_rate* of the even share tied."""
    p = 1 / (1 + np.exp(-advantage))
    tie = tie_rate * 2 * np.minimum(p, 1 - p)
    drawn = rng.random(len(p))
    return np.where(drawn < p - tie / 2, 0, np.where(drawn < p + tie / 2, 2, 1))


def simulate(
    strengths: Vector,
    *,
    n: int,
    users: int,
    rng: np.random.Generator,
    taste: float = 0.0,
    shifts: Matrix | None = None,
    covariates: Covariates | None = None,
    coefficients: Vector | None = None,
) -> Ballots:
    """*n* votes of *users*, each with a taste of standard deviation *taste* nats a model.

    *shifts* of shape ``(users, m)`` are added to each user's strengths; *covariates* enter with their *coefficients*.
    """
    m = len(strengths)
    a = rng.integers(0, m, n)
    b = (a + rng.integers(1, m, n)) % m
    user = rng.integers(0, users, n)
    seen = strengths + taste * rng.normal(size=(users, m)) + (0 if shifts is None else shifts)
    advantage = seen[user, a] - seen[user, b]
    if covariates is not None and coefficients is not None:
        advantage = advantage + covariates.values @ coefficients
    return Ballots(tuple(f"m{index:02}" for index in range(m)), a, b, draw_outcomes(advantage, rng), user)


def make_covariates(n: int, rng: np.random.Generator) -> Covariates:
    """A side term and two covariates of root mean square one."""
    values = np.column_stack([np.ones(n), rng.normal(size=n), rng.integers(-1, 2, n) / np.sqrt(2 / 3)])
    return Covariates(("side", "length", "lists"), values)
