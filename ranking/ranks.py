"""What can be said of an order: rank intervals and tiers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from ranking.fit import Vector
from ranking.tally import Matrix

Ranks = NDArray[np.int64]


def separated(strengths: Vector, covariance: Matrix, *, level: float) -> NDArray[np.bool_]:
    """Shape ``(m, m)``: whether row is better than column beyond doubt.

    A two-sided z test of each difference at *level* (0.95, say) with the full covariance, pair by pair.
    """
    variances = np.diag(covariance)
    spread = np.sqrt(np.maximum(variances[:, None] + variances[None, :] - 2 * covariance, 0.0))
    z = float(norm.ppf((1 + level) / 2))
    gaps = strengths[:, None] - strengths[None, :]
    return np.asarray(gaps > z * spread, dtype=np.bool_) & (gaps > 0)


def ranks(strengths: Vector) -> Ranks:
    """Shape ``(m,)``: 1 for the strongest; equal strengths share the better rank."""
    return np.asarray((strengths[None, :] > strengths[:, None] + 1e-12).sum(axis=1) + 1, dtype=np.int64)


def rank_intervals(better: NDArray[np.bool_]) -> tuple[Ranks, Ranks]:
    """Lowest and highest rank that the separated pairs leave open, each of shape ``(m,)``.

    A model ranks below all that are better beyond doubt and above all that are worse beyond doubt.
    """
    m = len(better)
    return (
        np.asarray(better.sum(axis=0) + 1, dtype=np.int64),
        np.asarray(m - better.sum(axis=1), dtype=np.int64),
    )


def tiers(strengths: Vector, better: NDArray[np.bool_]) -> Ranks:
    """Tiers from 1, shape ``(m,)``: walking down the order, a tier ends at the first model that its head beats beyond doubt.

    Two models of a tier need not be equal; only its head is not separated from any of its members.
    """
    order = np.argsort(-strengths, kind="stable")
    numbers = np.zeros(len(strengths), dtype=np.int64)
    tier, head = 0, -1
    for model in order:
        if head < 0 or better[head, model]:
            tier, head = tier + 1, int(model)
        numbers[model] = tier
    return numbers
