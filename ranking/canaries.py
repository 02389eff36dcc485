"""Draws where some models may take part in a share of the battles only, and draws of who takes a place that fell free."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from itertools import pairwise

import numpy as np

from ranking.policies import SamplingPolicy
from ranking.sampler import PairDraw, Situation, draw_from, pair_probabilities
from ranking.tally import Matrix

Shares = Mapping[str, float]


def pools(models: Collection[str], shares: Shares) -> list[tuple[float, tuple[str, ...]]]:
    """The nested pools that shares lead to, each with its probability; these sum to one.

    Parameters
    ----------
    models
        All that may be drawn, none twice.
    shares
        Of the canaries among them: the share of battles, in ``[0, 1]``, whose pool holds the model. Others are in every pool, names not among
        *models* mean nothing.

    Notes
    -----
    One uniform number decides for all: a canary is in the pool where its share exceeds the number. Pools of fewer than two models cannot be drawn
    from, so their probability goes to the smallest one that can.

    Raises
    ------
    ValueError
        If fewer than two models are left that may ever be drawn.
    """
    able = tuple(sorted(name for name in models if shares.get(name, 1.0) > 0.0))
    if len(able) < 2:
        raise ValueError("a draw needs at least two models")
    edges = [0.0, *sorted({min(1.0, shares.get(name, 1.0)) for name in able} | {1.0})]
    found: list[tuple[float, tuple[str, ...]]] = []
    for low, high in pairwise(edges):
        pool = tuple(name for name in able if shares.get(name, 1.0) > low)
        if len(pool) < 2:
            weight, smallest = found.pop()
            found.append((weight + 1.0 - low, smallest))
            break
        found.append((high - low, pool))
    return found


def mixed_probabilities(situation: Situation, policy: SamplingPolicy, shares: Shares) -> Matrix:
    """Shape ``(m, m)``: as :func:`ranking.sampler.pair_probabilities`, averaged over the pools. All sum to one."""
    place = {name: index for index, name in enumerate(situation.models)}
    table = np.zeros_like(situation.shown)
    for weight, pool in pools(situation.models, shares):
        at = np.array([place[name] for name in pool], dtype=np.int64)
        table[np.ix_(at, at)] += weight * pair_probabilities(_among(situation, pool), policy)
    return table


def draw_with_canaries(
    situation: Situation, policy: SamplingPolicy, shares: Shares, rng: random.Random
) -> PairDraw:
    """Draw a pair and its sides, its propensity that of :func:`mixed_probabilities`; one number is taken from *rng*."""
    return draw_from(situation.models, mixed_probabilities(situation, policy, shares), policy.name, rng)


def draw_opponent(
    situation: Situation,
    policy: SamplingPolicy,
    shares: Shares,
    rng: random.Random,
    *,
    beside: str,
    beside_is_a: bool,
) -> PairDraw:
    """Draw who meets *beside*, whose side stands; one number is taken from *rng*.

    Returns
    -------
    PairDraw
        Its propensity is conditional on *beside* and its side.

    Raises
    ------
    ValueError
        If *beside* is not in the situation, or nobody may meet it.
    """
    if beside not in situation.models:
        raise ValueError(f"{beside} is not among the models of this draw")
    # who stands may be drawn whatever its share is: it is there already
    table = mixed_probabilities(situation, policy, {**shares, beside: 1.0})
    kept = np.zeros_like(table)
    at = situation.models.index(beside)
    seat = np.s_[at, :] if beside_is_a else np.s_[:, at]
    kept[seat] = table[seat]
    return draw_from(situation.models, kept / kept.sum(), policy.name, rng)


def _among(situation: Situation, pool: tuple[str, ...]) -> Situation:
    at = np.array([situation.models.index(name) for name in pool], dtype=np.int64)
    block = np.ix_(at, at)
    return Situation(
        models=pool,
        shown=situation.shown[block],
        strengths=situation.strengths[at],
        covariance=situation.covariance[block],
        seen=situation.seen[block],
    )
