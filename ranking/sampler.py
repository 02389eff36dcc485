"""Which two candidates meet next: a pure, seeded draw whose probability is known."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ranking.fit import Vector
from ranking.knowledge import PRIOR_VARIANCE, knowledge_of
from ranking.pairing import pair_shares
from ranking.policies import SamplingPolicy, named_policy
from ranking.tally import Matrix, Tally

Battles = Mapping[frozenset[str], int]

STEEPEST_COIN = 0.75
"""The most that a side can be favoured."""
_EVEN_WITHIN = 2  # battles: from this surplus of one order on, the other is favoured most


@dataclass(frozen=True, slots=True)
class PairDraw:
    """Who meets whom.

    Parameters
    ----------
    model_a, model_b
        The models shown as A and B.
    propensity
        The probability of this ordered pair, sides included, under *policy*.
    policy
        The name of the policy that drew.
    """

    model_a: str
    model_b: str
    propensity: float
    policy: str


@dataclass(frozen=True, slots=True, eq=False)
class Situation:
    """All that a draw looks at.

    Parameters
    ----------
    models
        The ``m`` models that can be drawn, at least two, none twice.
    shown
        Shape ``(m, m)``: battles with row shown as A and column as B.
    strengths
        Shape ``(m,)``, in nats.
    covariance
        Shape ``(m, m)``, of the strengths, in nats squared.
    seen
        Shape ``(m, m)``, symmetric: how often this volunteer met the pair.

    Raises
    ------
    ValueError
        If there are fewer than two models, one is named twice, or a shape is another.
    """

    models: tuple[str, ...]
    shown: Matrix
    strengths: Vector
    covariance: Matrix
    seen: Matrix

    def __post_init__(self) -> None:
        m = len(self.models)
        if len(set(self.models)) != m or m < 2:
            raise ValueError("a draw needs at least two models, none named twice")
        shapes = {self.shown.shape, self.covariance.shape, self.seen.shape}
        if shapes != {(m, m)} or self.strengths.shape != (m,):
            raise ValueError(f"arrays of other shapes than {m} models have")


def situation_of(
    tally: Tally,
    pool: Collection[str],
    *,
    unhealthy: Collection[str] = (),
    seen: Battles | None = None,
) -> Situation:
    """What a draw among *pool* looks at, from a tally and its fit.

    Parameters
    ----------
    tally
        All battles of the board, of models outside the pool too: they help to know those inside. Models it lacks have had none.
    pool
        The names that may be drawn, none twice; their order does not matter.
    unhealthy
        Whom to leave out, however new it is: its endpoint does not answer.
    seen
        How often this volunteer met each pair; pairs left out count as never.

    Raises
    ------
    ValueError
        If fewer than two healthy models are left, or one is named twice.
    """
    whole = tally.merged(Tally.empty([name for name in dict.fromkeys(pool) if name not in tally.models]))
    known = knowledge_of(whole)
    models = tuple(sorted(name for name in pool if name not in unhealthy))
    place = {name: index for index, name in enumerate(whole.models)}
    at = np.array([place[name] for name in models], dtype=np.int64)
    block = np.ix_(at, at)
    return Situation(
        models=models,
        shown=whole.counts.sum(axis=2)[block].astype(np.float64),
        strengths=known.strengths[at],
        covariance=known.covariance[block],
        seen=_matrix(models, seen or {}),
    )


def pair_probabilities(situation: Situation, policy: SamplingPolicy) -> Matrix:
    """Shape ``(m, m)``: the probability that row, shown as A, meets column, shown as B. All sum to one; the diagonal is zero, nothing else is.

    Notes
    -----
    A pair's probability is :func:`ranking.pairing.pair_shares`. Which of the two is A is a coin that favours the order shown less often, by 1/8 for a
    surplus of one battle and 1/4 from two on: sides stay even, and both orders stay possible.
    """
    shown = situation.shown
    shares = pair_shares(
        policy,
        battles=shown + shown.T,
        strengths=situation.strengths,
        covariance=situation.covariance,
        seen=situation.seen,
    )
    surplus = np.clip((shown - shown.T) / _EVEN_WITHIN, -1.0, 1.0)
    return shares * (0.5 - (STEEPEST_COIN - 0.5) * surplus)


def draw(situation: Situation, policy: SamplingPolicy, rng: random.Random) -> PairDraw:
    """Draw a pair and its sides; one number is taken from *rng*.

    The same models, knowledge, policy and state of *rng* give the same draw. Its propensity is the entry of :func:`pair_probabilities`.
    """
    return draw_from(situation.models, pair_probabilities(situation, policy), policy.name, rng)


def draw_from(models: Sequence[str], table: Matrix, policy: str, rng: random.Random) -> PairDraw:
    """Draw an entry of *table*, shape ``(m, m)``, whose entries sum to one; one number is taken from *rng*."""
    rows, columns = np.nonzero(table)
    heaped = np.cumsum(table[rows, columns])
    chosen = np.searchsorted(heaped, rng.random() * heaped[-1], side="right")
    at = min(int(chosen), len(heaped) - 1)  # the product may round up to the whole
    row, column = rows[at], columns[at]
    return PairDraw(models[row], models[column], float(table[row, column]), policy)


def draw_pair(models: Sequence[str], battles: Battles, *, policy: str, rng: random.Random) -> PairDraw:
    """Draw from counts alone: strengths and past sides are unknown, so nobody is new or unresolved, and sides are even.

    Parameters
    ----------
    models
        The pool: at least two names, none twice. Their order does not matter.
    battles
        How often each unordered pair met; pairs left out count as never.
    policy
        A name that :func:`ranking.policies.named_policy` knows.
    rng
        The source of chance.

    Raises
    ------
    ValueError
        If the pool is too small, a model is named twice or the policy unknown.
    """
    m = len(models)
    names = tuple(sorted(models))
    half = _matrix(names, battles) / 2
    situation = Situation(names, half, np.zeros(m), PRIOR_VARIANCE * np.eye(m), np.zeros((m, m)))
    return draw(situation, named_policy(policy), rng)


def _matrix(models: tuple[str, ...], pairs: Battles) -> Matrix:
    """Symmetric counts, shape ``(m, m)``; pairs of others are left out."""
    place = {name: index for index, name in enumerate(models)}
    found = np.zeros((len(models), len(models)))
    for pair, times in pairs.items():
        if len(pair) == 2 and pair <= place.keys():
            i, j = (place[name] for name in pair)
            found[i, j] = found[j, i] = times
    return found
