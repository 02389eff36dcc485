"""What each pair is worth to a policy. Arrays may carry leading axes, so that a planner can hold many boards at once.

Version 1 of ``mixed``: a change to a constant or a rule here needs a new name in :mod:`ranking.policies`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from ranking.board import PROVISIONAL_BATTLES, PROVISIONAL_HALF_WIDTH, SCALE
from ranking.fit import Vector
from ranking.knowledge import difference_variances
from ranking.policies import SamplingPolicy
from ranking.ranks import quantile
from ranking.tally import Matrix

Mask = NDArray[np.bool_]

CAUGHT_UP = 0.75
"""Whoever has fewer battles than this share of the pool's median is new."""

_WIDEST_VARIANCE = (PROVISIONAL_HALF_WIDTH / SCALE / quantile(0.95)) ** 2
_SAME_STRENGTH = 1e-9  # nats
_SHARPNESS = 4  # how strongly the best opponents of a newcomer are preferred; the very best alone would leave a rating to one pair's quirks


def pair_shares(
    policy: SamplingPolicy, *, battles: Matrix, strengths: Vector, covariance: Matrix, seen: Matrix
) -> Matrix:
    """The probability of each unordered pair.

    Parameters
    ----------
    policy
        The shares of its parts.
    battles
        Shape ``(..., m, m)``, symmetric, ``m`` at least 2: how often a pair met.
    strengths
        Shape ``(..., m)``, in nats.
    covariance
        Shape ``(..., m, m)``, of the strengths, in nats squared; its centre does not matter.
    seen
        Shape ``(..., m, m)``, symmetric: how often this volunteer met the pair. Weights fall with ``(1 + seen)**-2``, the floor does not.

    Returns
    -------
    ndarray
        Shape ``(..., m, m)``, symmetric; the upper triangle sums to 1.

    Notes
    -----
    ``f U + (1 - f) (q N + (1 - q) (d D + (1 - d) B))``: uniform; newcomers; duels and balanced drawing between the others. ``q`` is the policy's share for
    newcomers or, where there are so many that uniform drawing gives them more, that. ``q`` and ``d`` are 0 while there is nobody to use them.
    """
    apart = ~np.eye(battles.shape[-1], dtype=np.bool_)
    pending, anchored = unsettled(battles, covariance)
    new = newcomers(pending) & (policy.newcomer > 0)
    with_new = (new[..., :, None] | new[..., None, :]) & apart
    unseen = (1.0 + seen) ** -2
    uniform = _normalised(apart.astype(np.float64))
    preferred = _normalised((apart & ~with_new) * unseen * (1.0 + battles) ** -2)
    if policy.duel:
        duels = _normalised(open_neighbours(strengths, covariance, ~pending) * unseen)
        d = np.where(_some(duels > 0), policy.duel, 0.0)
        preferred = d * duels + (1 - d) * preferred
    if new.any():
        q = np.where(_some(with_new), np.maximum(policy.newcomer, _total(with_new * uniform)), 0.0)
        preferred = q * newcomer_shares(new, strengths, anchored, unseen) + (1 - q) * preferred
    return np.asarray(policy.floor * uniform + (1 - policy.floor) * preferred, dtype=np.float64)


def unsettled(battles: Matrix, covariance: Matrix) -> tuple[Mask, Matrix]:
    """Who is not settled yet, shape ``(..., m)``, and the covariance against the mean of those who have battles enough, ``(..., m, m)``.

    Notes
    -----
    Not settled is who has fewer than 100 battles, fewer than ``CAUGHT_UP`` of the pool's median, or a 95 % half width over 25 points. Widths are against
    models with battles enough, as one newcomer in the mean would widen everybody's.
    """
    met = battles.sum(axis=-1)
    few = (met < PROVISIONAL_BATTLES) | (met < CAUGHT_UP * np.median(met, axis=-1, keepdims=True))
    anchored = _anchored(covariance, ~few)
    wide = np.diagonal(anchored, axis1=-2, axis2=-1) > _WIDEST_VARIANCE
    return np.asarray(few | wide, dtype=np.bool_), anchored


def newcomers(pending: Mask) -> Mask:
    """Whom of those not settled, shape ``(..., m)``, to call new: nobody where they are more than half, as a young pool is served by balanced drawing."""
    is_young = 2 * pending.sum(axis=-1, keepdims=True) > pending.shape[-1]
    return np.asarray(pending & ~is_young, dtype=np.bool_)


def newcomer_shares(new: Mask, strengths: Vector, covariance: Matrix, unseen: Matrix) -> Matrix:
    """The newcomers' battles, shared equally among them, each meeting most those who tell most of it; zeros where nobody is new.

    Notes
    -----
    A vote of *i* against *j* adds ``w = p (1 - p)`` to the information along ``x = e_i - e_j`` and so takes ``w (C x)_i**2 / (1 + w x'Cx)`` from the
    variance of *i* (J. Sherman and W. J. Morrison, "Adjustment of an inverse matrix", Ann. Math. Statist. 21, 1950): the one-step c-optimal design. Opponents
    weigh by its fourth power.
    """
    p = expit(strengths[..., :, None] - strengths[..., None, :])
    w = p * (1 - p)
    variances = np.diagonal(covariance, axis1=-2, axis2=-1)
    gain = w * (variances[..., :, None] - covariance) ** 2 / (1 + w * difference_variances(covariance))
    weights = (gain / _at_least_tiny(gain.max(axis=-1, keepdims=True))) ** _SHARPNESS * unseen
    weights = weights * ~np.eye(new.shape[-1], dtype=np.bool_)
    by_newcomer = new[..., :, None] * weights / _at_least_tiny(weights.sum(axis=-1, keepdims=True))
    return _normalised(by_newcomer + np.swapaxes(by_newcomer, -1, -2))


def open_neighbours(strengths: Vector, covariance: Matrix, among: Mask) -> Matrix:
    """Shape ``(..., m, m)``, symmetric: 1 where two models with neighbouring ranks in the order of *among* do not differ at 95 %, else 0.

    Strengths that differ by rounding alone share a rank, and so are neighbours too.
    """
    last = np.where(among, -strengths, np.finfo(np.float64).max)
    order = np.argsort(last, axis=-1)
    steps = np.diff(np.take_along_axis(last, order, axis=-1), axis=-1, prepend=-np.inf) > _SAME_STRENGTH
    rank = np.zeros_like(order)
    np.put_along_axis(rank, order, np.cumsum(steps, axis=-1), axis=-1)
    gap = np.abs(strengths[..., :, None] - strengths[..., None, :])
    near = np.abs(rank[..., :, None] - rank[..., None, :]) <= 1
    near &= among[..., :, None] & among[..., None, :] & ~np.eye(rank.shape[-1], dtype=np.bool_)
    return np.asarray(
        near & (gap <= quantile(0.95) * np.sqrt(difference_variances(covariance))), dtype=np.float64
    )


def _anchored(covariance: Matrix, anchors: Mask) -> Matrix:
    """The covariance of the differences from the anchors' mean; of all where there is no anchor."""
    used = np.where(_any(anchors), anchors, True)
    share = (used / used.sum(axis=-1, keepdims=True))[..., None, :]
    centring = np.eye(covariance.shape[-1]) - share
    return np.asarray(centring @ covariance @ np.swapaxes(centring, -1, -2), dtype=np.float64)


def _normalised(weights: Matrix) -> Matrix:
    """Symmetric weights scaled so that the upper triangle sums to 1; zeros stay zeros."""
    return weights / _at_least_tiny(_total(weights))


def _total(weights: Matrix) -> Matrix:
    return np.asarray(weights.sum(axis=(-2, -1), keepdims=True) / 2, dtype=np.float64)


def _some(mask: Mask) -> Mask:
    return np.asarray(mask.any(axis=(-2, -1), keepdims=True), dtype=np.bool_)


def _any(mask: Mask) -> Mask:
    return np.asarray(mask.any(axis=-1, keepdims=True), dtype=np.bool_)


def _at_least_tiny(total: Matrix) -> Matrix:
    return np.maximum(total, np.finfo(np.float64).tiny)
