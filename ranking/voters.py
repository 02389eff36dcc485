"""How sure a contextual fit is: covariances over votes and over voters."""

from __future__ import annotations

from enum import StrEnum
from math import sqrt

import numpy as np
from scipy.sparse import csr_array
from scipy.special import expit

from ranking.ballots import Ballots
from ranking.contextual import Cells, ContextualFit, filled
from ranking.covariates import Covariates
from ranking.errors import NoFit, NotConverged
from ranking.fit import Vector
from ranking.tally import Indices, Matrix

_LEAST_LEFT = 1e-9  # of a direction's curvature, when a voter's votes are taken out
_CHUNK_NUMBERS = 2**21  # floats in one stack: 16 MB


class Spread(StrEnum):
    """What errors are taken from: single votes, or voters, corrected for their number (CR1) or by a jackknife over them (CR3)."""

    VOTES = "votes"
    CR1 = "cr1"
    CR3 = "cr3"


def contextual_covariance(
    ballots: Ballots, covariates: Covariates, fit: ContextualFit, spread: Spread
) -> Matrix:
    """The covariance of strengths and coefficients.

    Parameters
    ----------
    ballots, covariates
        What was fitted.
    fit
        Its fit.
    spread
        ``VOTES`` takes votes as independent; the others take voters as independent and are wider where a voter's votes are alike. ``CR3`` holds with few
        voters, too.

    Returns
    -------
    ndarray
        Shape ``(m + q, m + q)``, strengths first, in nats squared; strengths sum to zero.

    Raises
    ------
    NoFit
        If there are fewer than two voters to cluster by.
    NotConverged
        Under ``CR3``, if without one voter the rest has no fit.

    Notes
    -----
    ``H+ J H+`` (H. White, "Maximum likelihood estimation of misspecified models", Econometrica 50, 1982); clustered, see :func:`voter_influences`.
    """
    if spread is not Spread.VOTES:
        influence = voter_influences(ballots, covariates, fit, spread)
        return influence.T @ influence
    return vote_covariance(Cells.of_ballots(ballots, covariates).together(), fit)


def voter_covariance(ballots: Ballots, covariates: Covariates, fit: ContextualFit) -> tuple[Matrix, Spread]:
    """The best covariance there is: CR3; CR1 where without one voter the rest has no fit; that of single votes with a single voter."""
    for spread in (Spread.CR3, Spread.CR1):
        try:
            return contextual_covariance(ballots, covariates, fit, spread), spread
        except (NotConverged, NoFit):
            continue
    return contextual_covariance(ballots, covariates, fit, Spread.VOTES), Spread.VOTES


def vote_covariance(cells: Cells, fit: ContextualFit) -> Matrix:
    """As :func:`contextual_covariance` under ``VOTES``, from votes that are added up already."""
    p = expit(cells.advantage(np.concatenate([fit.strengths, fit.coefficients])))
    residuals = np.stack([1 - p, p, 0.5 - p], axis=1)
    meat = cells.gram((cells.squared * residuals**2).sum(axis=1))
    full = filled(fit.hessian, cells.m)
    covariance = np.linalg.solve(full, np.linalg.solve(full, meat).T)
    return np.asarray((covariance + covariance.T) / 2, dtype=np.float64)


def voter_influences(
    ballots: Ballots, covariates: Covariates, fit: ContextualFit, spread: Spread = Spread.CR3
) -> Matrix:
    """What each voter moves, so that the sum of squares is the clustered covariance.

    Parameters
    ----------
    ballots, covariates, fit
        As in :func:`contextual_covariance`, which names the errors.
    spread
        ``CR1`` or ``CR3``.

    Returns
    -------
    ndarray
        Shape ``(g, m + q)``, in nats: a row a voter, as :meth:`ranking.ballots.Ballots.clusters` numbers them.

    Notes
    -----
    CR1: ``sqrt(g / (g - 1)) H+ s`` with a voter's score ``s`` (K.-Y. Liang and S. L. Zeger, "Longitudinal data analysis using generalized linear models",
    Biometrika 73, 1986). CR3: ``sqrt((g - 1) / g) (H - h)+ s`` with the curvature ``h`` of the voter's votes, one Newton step to the fit without them
    (R. M. Bell and D. F. McCaffrey, "Bias reduction in standard errors for linear regression with multi-stage samples", Survey Methodology 28, 2002).
    Voters whose votes weigh nothing are no voters.
    """
    cells, group = Cells.of_ballots(ballots, covariates), ballots.clusters()
    advantage = cells.advantage(np.concatenate([fit.strengths, fit.coefficients]))
    won, lost = cells.points
    p, q = expit(advantage), expit(-advantage)
    g = len(np.unique(group[won + lost > 0]))
    if g < 2:
        raise NoFit("errors clustered by voter need two voters")
    full = filled(fit.hessian, cells.m)
    residual, curvature = won * q - lost * p, (won + lost) * p * q
    if spread is Spread.CR3:
        return sqrt((g - 1) / g) * _without_each(cells, group, residual, curvature, full)
    each = csr_array((residual, (group, np.arange(len(group))))) @ cells.rows()
    return np.asarray(sqrt(g / (g - 1)) * np.linalg.solve(full, each.toarray().T).T, dtype=np.float64)


def _without_each(cells: Cells, group: Indices, residual: Vector, curvature: Vector, full: Matrix) -> Matrix:
    """Shape ``(g, m + q)``: how far the fit moves when a group's votes are taken out, in one Newton step, sign left aside."""
    scale = np.sqrt(np.diag(full))
    white = np.linalg.cholesky(np.linalg.inv(full / np.outer(scale, scale))) / scale[:, None]
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    sizes = np.diff(starts, append=len(order))
    moved = np.zeros((len(starts), len(full)))
    for size in np.unique(sizes):
        alike = np.flatnonzero(sizes == size)  # voters of as many votes are one stack of matrices
        most = max(1, _CHUNK_NUMBERS // (int(size) * max(int(size), len(full))))
        for some in (alike[first : first + most] for first in range(0, len(alike), most)):
            votes = order[starts[some, None] + np.arange(size)]
            moved[some] = _without(_dense(cells, votes) @ white, residual[votes], curvature[votes])
    return np.asarray(moved @ white.T, dtype=np.float64)


def _dense(cells: Cells, at: Indices) -> Matrix:
    """Shape ``(k, s, m + q)``, for places of shape ``(k, s)``."""
    rows = np.zeros((*at.shape, cells.m + cells.x.shape[1]))
    np.put_along_axis(rows, cells.a[at][..., None], 1.0, axis=-1)
    np.put_along_axis(rows, cells.b[at][..., None], -1.0, axis=-1)
    rows[..., cells.m :] = cells.x[at]
    return rows


def _without(rows: Matrix, residual: Vector, curvature: Vector) -> Matrix:
    """``(1 - r' c r)^-1 r' e`` of each of the stacked *rows*, under which the whole Hessian is the identity; of two equal systems (Woodbury) the smaller."""
    few = rows.shape[-2] <= rows.shape[-1]
    weighted, turned = curvature[..., None] * rows, np.swapaxes(rows, -1, -2)
    _check_left(np.sqrt(curvature)[..., None] * rows)
    if few:
        spread = np.eye(rows.shape[-2]) - weighted @ turned
        return np.asarray((turned @ np.linalg.solve(spread, residual[..., None]))[..., 0], dtype=np.float64)
    left = np.eye(rows.shape[-1]) - turned @ weighted
    return np.asarray(np.linalg.solve(left, turned @ residual[..., None])[..., 0], dtype=np.float64)


def _check_left(root: Matrix) -> None:
    """Raise ``NotConverged`` where one voter's votes are all there is in some direction; no eigenvalue is above the trace, which clears nearly everybody."""
    heavy = root[np.square(root).sum(axis=(-1, -2)) > 1 - _LEAST_LEFT]
    if not len(heavy):
        return
    turned = np.swapaxes(heavy, -1, -2)
    taken = heavy @ turned if heavy.shape[-2] <= heavy.shape[-1] else turned @ heavy
    if 1 - np.linalg.eigvalsh(taken)[:, -1].max() < _LEAST_LEFT:
        raise NotConverged("without one voter the rest has no fit")
