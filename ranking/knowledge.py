"""What a tally tells of each model's strength before the next battle, of those without a rating too."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ranking import connectivity
from ranking.errors import NotConverged
from ranking.fit import Vector, fit_bradley_terry
from ranking.tally import Indices, Matrix, Tally
from ranking.uncertainty import sandwich_covariance

PRIOR_VARIANCE = 1.0
"""Nats squared: what a model without a rating may differ from the mean of the rated, about 174 points either way. It weighs as much as four even votes."""


@dataclass(frozen=True, slots=True, eq=False)
class Knowledge:
    """Strengths and how sure they are.

    Parameters
    ----------
    strengths
        Shape ``(m,)``, in nats: the fit's, mean zero over the rated models; 0 for the others.
    covariance
        Shape ``(m, m)``, in nats squared: the sandwich of the rated; ``PRIOR_VARIANCE``, on its own, for each other.
    hessian
        Shape ``(m, m)``: the fit's; zeros for those that are not rated.
    prior
        Shape ``(m, m)``: the prior's curvature; zeros where everybody is rated. The null space of both together is the constant vector.
    rated
        Shape ``(m,)``: whose strength comes from the fit.
    """

    strengths: Vector
    covariance: Matrix
    hessian: Matrix
    prior: Matrix
    rated: NDArray[np.bool_]


def knowledge_of(tally: Tally) -> Knowledge:
    """What *tally*, with ties as half wins, tells. Never fails: a model that cannot be rated is known by the prior alone.

    Notes
    -----
    The prior of a model that is not rated is around the mean of the rated ones, or of all where none is. Its battles so far are left out: they are few,
    or joined to nothing.
    """
    m = len(tally.models)
    strengths, covariance, hessian = np.zeros(m), np.zeros((m, m)), np.zeros((m, m))
    rated = connectivity.core(tally.points(), tally.wins().astype(np.float64))
    try:
        _put_fit(tally, rated, strengths, covariance, hessian)
    except NotConverged:
        rated = rated[:0]
    is_rated = np.isin(np.arange(m), rated)
    covariance[~is_rated, ~is_rated] = PRIOR_VARIANCE
    return Knowledge(strengths, covariance, hessian, _prior(is_rated), is_rated)


def difference_variances(covariance: Matrix) -> Matrix:
    """Shape ``(..., m, m)``: the variance of each difference of two strengths, from their covariance of the same shape; not below zero."""
    variances = np.diagonal(covariance, axis1=-2, axis2=-1)
    spread = variances[..., :, None] + variances[..., None, :] - 2 * covariance
    return np.asarray(np.maximum(spread, 0.0), dtype=np.float64)


def _put_fit(tally: Tally, rated: Indices, strengths: Vector, covariance: Matrix, hessian: Matrix) -> None:
    """Nothing is put where the fit fails."""
    if not len(rated):
        return
    part = tally.at(rated)
    fit = fit_bradley_terry(part)
    block = np.ix_(rated, rated)
    covariance[block] = sandwich_covariance(part, fit)
    strengths[rated], hessian[block] = fit.strengths, fit.hessian


def _prior(rated: NDArray[np.bool_]) -> Matrix:
    """Curvature of each unrated model's difference from the mean of the rated, or of all where none is."""
    around = rated if rated.any() else np.ones_like(rated)
    differences = np.eye(len(rated))[~rated] - around / max(around.sum(), 1)
    return np.asarray(differences.T @ differences / PRIOR_VARIANCE, dtype=np.float64)
