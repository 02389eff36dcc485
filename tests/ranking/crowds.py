"""Voters for tests: ballots by hand, simulated crowds with tastes, and the published votes with people behind them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import expit

from ranking import reference
from ranking.ballots import NOBODY, Ballots
from ranking.fit import Vector, fit_points
from ranking.readers import read_tally
from tests.ranking.builders import make_votes

TIE, A_BETTER, B_BETTER = 2, 0, 1
ATTACK_VOTES, ACCOUNTS = 300, 3


def make_ballots(*written: str, models: Sequence[str] | None = None) -> Ballots:
    """Ballots from ``"ane: x>y x=z*3"``: who voted, then votes as :func:`make_votes` reads them; nobody where no name stands before the colon."""
    rows = []
    for each in written:
        name, _, votes = each.partition(":")
        rows += [(name.strip(), vote) for vote in make_votes(*votes.split())]
    names = sorted({n for _, (a, b, _) in rows for n in (a, b)}) if models is None else list(models)
    people = sorted({name for name, _ in rows if name})
    return Ballots(
        tuple(names),
        np.array([names.index(a) for _, (a, _, _) in rows], dtype=np.int64),
        np.array([names.index(b) for _, (_, b, _) in rows], dtype=np.int64),
        np.array([outcome.place for _, (_, _, outcome) in rows], dtype=np.int64),
        np.array([people.index(name) if name else NOBODY for name, _ in rows], dtype=np.int64),
    )


def crowd(
    strengths: Vector,
    *,
    users: int,
    votes: int,
    taste: float = 0.0,
    tie_rate: float = 0.2,
    rng: np.random.Generator,
) -> Ballots:
    """*users* people who judge *votes* random pairs each, on strengths of their own: the common ones and a normal taste of that deviation."""
    m, n = len(strengths), users * votes
    user = np.repeat(np.arange(users), votes)
    a = rng.integers(0, m, n)
    b = (a + rng.integers(1, m, n)) % m
    own = strengths + rng.normal(0, taste, (users, m))
    p = expit(own[user, a] - own[user, b])
    tie = tie_rate * 2 * np.minimum(p, 1 - p)
    drawn = rng.random(n)
    outcome = np.where(drawn < p - tie / 2, A_BETTER, np.where(drawn < p + tie / 2, TIE, B_BETTER))
    return Ballots(tuple(f"m{i:02}" for i in range(m)), a, b, outcome, user)


def common_strengths(strengths: Vector, taste: float) -> Vector:
    """What Bradley-Terry converges to when tastes are averaged over endless users, by Gauss-Hermite quadrature of a pair's difference of tastes."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    gaps = strengths[:, None] - strengths[None, :]
    points = (expit(gaps[:, :, None] + taste * np.sqrt(2) * nodes) * weights).sum(axis=2)
    np.fill_diagonal(points, 0.0)
    return fit_points(points).strengths


def published_ballots(rng: np.random.Generator, *, users: int = 1285, activity: float = 1.2) -> Ballots:
    """The 12,890 published votes in random order, cast by *users* honest people whose numbers of votes are log-normal: most cast few, some hundreds."""
    tally = read_tally(reference.pairs_path())
    i, j, k = np.nonzero(tally.counts)
    order = rng.permutation(tally.n_votes)
    a, b, outcome = (np.repeat(each, tally.counts[i, j, k])[order] for each in (i, j, k))
    share = rng.lognormal(0, activity, users)
    return Ballots(tally.models, a, b, outcome, rng.choice(users, len(a), p=share / share.sum()))


def rigged(honest: Ballots, model: int, rng: np.random.Generator, *, up: bool = True) -> Ballots:
    """The honest votes and 300 more by three accounts, which let *model* win, or lose, against random others."""
    other = rng.integers(0, len(honest.models) - 1, ATTACK_VOTES)
    other += other >= model
    left = rng.random(ATTACK_VOTES) < 0.5
    return Ballots(
        honest.models,
        np.concatenate([honest.a, np.where(left, model, other)]),
        np.concatenate([honest.b, np.where(left, other, model)]),
        np.concatenate([honest.outcome, np.where(left == up, A_BETTER, B_BETTER)]),
        np.concatenate([honest.user, honest.user.max() + 1 + np.arange(ATTACK_VOTES) % ACCOUNTS]),
    )
