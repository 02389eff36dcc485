"""Which two candidates meet next: a pure, seeded draw whose probability is known."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

Pair = tuple[str, str]
Battles = Mapping[frozenset[str], int]
Policy = Callable[[Sequence[Pair], Battles], list[float]]


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


def _uniform(pairs: Sequence[Pair], battles: Battles) -> list[float]:
    return [1.0] * len(pairs)


def _balanced(pairs: Sequence[Pair], battles: Battles) -> list[float]:
    """Weight ``1 / (1 + n)**2``, so that pairs that met less often soon catch up and none is ever out of reach."""
    return [(1.0 + battles.get(frozenset(pair), 0)) ** -2 for pair in pairs]


POLICIES: dict[str, Policy] = {"uniform": _uniform, "balanced": _balanced}
"""Policies by name: from pairs and how often each met to weights, not negative, of any sum."""


def pair_probabilities(models: Sequence[str], battles: Battles, *, policy: str) -> dict[Pair, float]:
    """The probability of each unordered pair; they sum to one.

    Parameters
    ----------
    models
        The pool: at least two names, none twice. Their order does not matter.
    battles
        How often each unordered pair met; pairs left out count as never.
    policy
        A key of :data:`POLICIES`.

    Returns
    -------
    dict
        From the pair, its names sorted, to its probability.

    Raises
    ------
    ValueError
        If the pool is too small or the policy unknown.
    """
    if len(set(models)) != len(models) or len(models) < 2:
        raise ValueError("a draw needs at least two models, none named twice")
    if policy not in POLICIES:
        raise ValueError(f"no sampling policy is called {policy!r}; there are {', '.join(POLICIES)}")
    pairs = list(combinations(sorted(models), 2))
    weights = POLICIES[policy](pairs, battles)
    total = sum(weights)
    return {pair: weight / total for pair, weight in zip(pairs, weights, strict=True)}


def draw_pair(models: Sequence[str], battles: Battles, *, policy: str, rng: random.Random) -> PairDraw:
    """Draw a pair and its sides.

    Parameters
    ----------
    models, battles, policy
        As in :func:`pair_probabilities`, which names the errors.
    rng
        The source of chance. The same pool, counts, policy and state of *rng* give the same draw.

    Returns
    -------
    PairDraw
        Each side falls to each model of the pair with probability 1/2.
    """
    probabilities = pair_probabilities(models, battles, policy=policy)
    (pair,) = rng.choices(list(probabilities), weights=list(probabilities.values()))
    model_a, model_b = pair if rng.random() < 0.5 else pair[::-1]
    return PairDraw(model_a, model_b, probabilities[pair] / 2, policy)
