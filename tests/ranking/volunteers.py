"""Simulated volunteers on the published board, for tests of vote quality."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from ranking import reference
from ranking.ballots import Ballots
from ranking.expected import fit_expectation
from ranking.fit import fit_bradley_terry
from ranking.readers import read_tally

PUBLISHED = read_tally(reference.pairs_path())
STRENGTHS = fit_bradley_terry(PUBLISHED).strengths
BOTH_WAYS = (PUBLISHED.counts + PUBLISHED.swapped().counts) / 2
"""The published table names the better model first as a rule, not the one shown on the left: each pair half the times either way."""
EXPECTED = fit_expectation(BOTH_WAYS, STRENGTHS)
TIE_RATE = 0.195

HONEST, ALWAYS_LEFT, CLICKER, FAN = "honest", "always left", "random clicker", "fan of the weakest"


@dataclass(frozen=True, slots=True)
class Variety:
    """How much honest volunteers differ: standard deviations, in log-odds, of their taste a model, their care (a factor), their ties, their side."""

    taste: float = 0.0
    care: float = 0.0
    ties: float = 0.0
    side: float = 0.0


REALISTIC = Variety(taste=0.3, care=0.2, ties=0.5, side=0.1)


def volunteers(
    kinds: Sequence[str], n_votes: int, rng: np.random.Generator, variety: Variety | None = None
) -> Ballots:
    """*n_votes* votes of each user, numbered from 0, on pairs drawn uniformly; a vote follows the published board where its user is honest."""
    variety = variety or Variety()
    n, m = len(kinds) * n_votes, len(STRENGTHS)
    user = np.repeat(np.arange(len(kinds)), n_votes)
    a = rng.integers(m, size=n)
    b = (a + rng.integers(1, m, size=n)) % m
    gaps = STRENGTHS[a] - STRENGTHS[b]
    taste = rng.normal(0, variety.taste, (len(kinds), m))
    care, ties, side = (
        rng.normal(0, spread, len(kinds))[user] for spread in (variety.care, variety.ties, variety.side)
    )
    a_wins = expit(EXPECTED.scale * gaps * np.exp(care) + taste[user, a] - taste[user, b] + side)
    tie = expit(logit(EXPECTED.tie(gaps)) + ties)
    kind = np.array(kinds)[user]
    a_wins = np.where(kind == CLICKER, 0.5, np.where(kind == ALWAYS_LEFT, 1.0, a_wins))
    tie = np.where(kind == CLICKER, TIE_RATE, np.where(kind == ALWAYS_LEFT, 0.0, tie))
    weakest = int(np.argmin(STRENGTHS))
    a_wins = np.where(
        (kind == FAN) & (a == weakest), 1.0, np.where((kind == FAN) & (b == weakest), 0.0, a_wins)
    )
    decided = np.where(rng.random(n) < a_wins, 0, 1)
    return Ballots(PUBLISHED.models, a, b, np.where(rng.random(n) < tie, 2, decided), user)
