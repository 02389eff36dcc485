"""Finite strengths for boards that have none of their own: a phantom opponent, kept out of the variance."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

import numpy as np

from ranking.connectivity import Labels, components
from ranking.errors import DisconnectedTally, NotConverged
from ranking.fit import Vector, fit_bradley_terry, fit_points, regular, win_probabilities
from ranking.tally import Matrix, Tally
from ranking.types import TieRule
from ranking.uncertainty import sandwich_covariance


@dataclass(frozen=True, slots=True, eq=False)
class PhantomFit:
    """A tally fitted together with a phantom that every model is taken to have tied with.

    Parameters
    ----------
    strengths
        Shape ``(m,)``, of the real models, in nats, mean zero. A model without a battle stands where the phantom does.
    score_norm
        The largest absolute component of the score, the phantom's ties included, at the end, in votes.
    ties
        The rule the real ties entered by.
    virtual
        How many ties with the phantom each model was given.
    """

    strengths: Vector
    score_norm: float
    ties: TieRule
    virtual: float


def fit_with_phantom(tally: Tally, *, ties: TieRule = TieRule.HALF, virtual: float = 0.5) -> PhantomFit:
    """Fit strengths that are finite whoever won and whoever met.

    Parameters
    ----------
    tally
        Counts of shape ``(m, m, 4)``.
    ties
        How a real tie enters the likelihood, ``HALF`` or ``DROP``.
    virtual
        Ties with the phantom for each model, above 0; a tie is half a point each way, whatever *ties* says, so that 0.5 gives 0.25 points each way.

    Returns
    -------
    PhantomFit
        Strengths of the ``m`` real models alone, drawn together a little: that they are finite is the phantom's doing, and where groups never met, so is
        how far they stand apart.

    Raises
    ------
    DisconnectedTally
        If there is no model.
    NotConverged
        As :func:`ranking.fit.fit_bradley_terry`.
    ValueError
        If *virtual* is not above 0 and finite, or *ties* is ``RAO_KUPPER``.

    Notes
    -----
    The phantom's ties add ``virtual / 2 * log(p (1 - p))`` a model to the log-likelihood, with *p* the probability to beat the phantom, whose own strength
    is fitted along. A win and a loss against such an opponent is the penalty of D. Mease, "A penalized maximum likelihood approach for the ranking of college
    football teams independent of victory margins", Amer. Statist. 57 (2003); half a tie is a quarter of it.
    """
    if not (isfinite(virtual) and virtual > 0):
        raise ValueError("the phantom needs a finite number of virtual ties above 0")
    points = tally.points(ties)
    if not len(points):
        raise DisconnectedTally("there is no model to fit")
    m = len(points)
    with_phantom = np.full((m + 1, m + 1), virtual / 2)
    with_phantom[:m, :m], with_phantom[m, m] = points, 0.0
    fit = fit_points(with_phantom, ties=ties)
    strengths = fit.strengths[:m] - fit.strengths[:m].mean()
    return PhantomFit(strengths, fit.score_norm, ties, virtual)


def phantom_covariance(tally: Tally, fit: PhantomFit) -> Matrix:
    """The covariance of the strengths by the real votes alone: the phantom adds nothing that would narrow an interval.

    Parameters
    ----------
    tally
        The tally that was fitted.
    fit
        Its fit with the phantom.

    Returns
    -------
    ndarray
        Shape ``(m, m)``, in nats squared, for strengths with mean zero: rows sum to zero.

    Raises
    ------
    DisconnectedTally
        If some models never met, directly or through others: how far they stand apart is the phantom's word alone, and no interval can say it. Each
        component (:func:`ranking.connectivity.labels`) has intervals of its own.
    NotConverged
        If the board is too steep for floating-point numbers to tell a variance.

    Notes
    -----
    Models form groups within which points go round; there the votes alone have a maximum. *Within* a group the covariance is the sandwich of the group's own
    votes at that maximum: on a board of one group it is :func:`ranking.uncertainty.sandwich_covariance`, exactly. (At the phantom's strengths, which are drawn
    together, both Hessian and scores would make it narrower.) A group joined by ties alone has no spread to measure: there it is the model's own variance, the
    inverse of the Hessian.

    *Between* groups one side won every vote. Squared scores of votes that all went as expected say next to nothing of the doubt, so that ``J`` is replaced by
    its expectation, ``n p (1 - p)`` a pair, at the phantom's strengths; the phantom's own curvature is left out. The phantom holds the sum of these to at
    most ``virtual / 2`` votes a model, so that the variance of where a single model stands that only won or lost is at least ``2 / virtual``. The groups'
    places follow from their members' deviations: both estimating equations are stacked, and ``cov = S W S' + E G+ E'`` with ``W`` the groups' covariances,
    ``E`` of shape ``(m, k)`` who belongs where, ``L`` the Laplacian of the sums between groups, ``G = E' L E`` and ``S = I - E G+ E' L``.
    """
    points = tally.points(fit.ties)
    if components(points, "weak").max() > 0:
        raise DisconnectedTally("some models never met, directly or through others")
    groups = components(points, "strong")
    within = _within(tally, groups, fit.ties)
    if not groups.any():
        return within
    member = np.eye(int(groups.max()) + 1)[groups]
    laplacian = _between(points, groups, fit.strengths)
    places = member @ _pseudo_inverse(member.T @ laplacian @ member) @ member.T
    follow = np.eye(len(points)) - places @ laplacian
    covariance = follow @ within @ follow.T + places
    centred = covariance - covariance.mean(axis=0)
    centred = centred - centred.mean(axis=1, keepdims=True)
    return np.asarray((centred + centred.T) / 2, dtype=np.float64)


def _within(tally: Tally, groups: Labels, ties: TieRule) -> Matrix:
    """Shape ``(m, m)``: each group's own covariance, its strengths with mean zero, and zeros between groups."""
    covariance = np.zeros((len(groups), len(groups)))
    sizes = np.bincount(groups)
    for group in np.flatnonzero(sizes > 1):
        members = np.flatnonzero(groups == group)
        part = tally.at(members)
        fit = fit_bradley_terry(part, ties=ties)
        by_ties_alone = components(part.wins().astype(np.float64), "weak").any()
        found = _pseudo_inverse(fit.hessian) if by_ties_alone else sandwich_covariance(part, fit)
        covariance[np.ix_(members, members)] = found
    return covariance


def _between(points: Matrix, groups: Labels, strengths: Vector) -> Matrix:
    """Shape ``(m, m)``: the Laplacian of ``n p (1 - p)`` over the pairs of different groups."""
    p = win_probabilities(strengths)
    weights = np.where(groups[:, None] != groups[None, :], (points + points.T) * p * p.T, 0.0)
    return np.diag(weights.sum(axis=1)) - weights


def _pseudo_inverse(laplacian: Matrix) -> Matrix:
    filled, size = regular(laplacian)
    try:
        return np.asarray(np.linalg.inv(filled) - 1.0 / (size * len(laplacian)), dtype=np.float64)
    except np.linalg.LinAlgError:
        raise NotConverged("the board is steeper than floating-point numbers reach") from None
