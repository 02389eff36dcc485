"""How sure a fit is where one volunteer's votes are alike: the covariance clustered by voter, CR3."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from ranking.ballots import Ballots
from ranking.errors import NotConverged
from ranking.fit import Fit, Vector, win_probabilities
from ranking.resilience import survivors
from ranking.tally import Indices, Matrix
from ranking.uncertainty import pseudo_inverse

_CHUNK_NUMBERS = 2**21  # floats in one batch of blocks: 16 MB
_SCORES = np.array([1.0, 0.0, 0.5, 0.5])  # what A scores, by an outcome's place
_NO_SPREAD = 1e-12  # of the inverse Hessian: below it a variance is rounding


@dataclass(frozen=True, slots=True, eq=False)
class Clustered:
    """A covariance clustered by voter.

    Parameters
    ----------
    covariance
        Shape ``(m, m)``, in nats squared, for strengths with mean zero: rows sum to zero. A variance is zero where all voters agree on a model to the
        last digit.
    n_clusters
        How many voters it rests on. Tests and intervals use Student's t with one degree of freedom less.
    """

    covariance: Matrix
    n_clusters: int


def clustered_covariance(ballots: Ballots, fit: Fit) -> Clustered:
    """The jackknife covariance of the strengths over voters.

    Parameters
    ----------
    ballots
        The votes that were fitted, weights included; a vote of nobody is a cluster of its own.
    fit
        Their fit, by half wins or with ties dropped.

    Returns
    -------
    Clustered
        The covariance and the number of voters.

    Raises
    ------
    NotConverged
        If leaving one voter out takes the board apart (:func:`ranking.resilience.survivors` says which models hold), or the fit is too steep.

    Notes
    -----
    CR3: ``(G-1)/G sum_g d_g d_g'`` with ``d_g = (H - H_g)+ s_g`` over the *G* voters, ``s_g`` and ``H_g`` a voter's share of score and Hessian. ``-d_g`` is one
    Newton step from the fit to the fit without voter *g*, the leave-one-cluster-out jackknife in its linear form (R. M. Bell and D. F. McCaffrey, "Bias
    reduction in standard errors for linear regression with multi-stage samples", Survey Methodology 28, 2002; J. G. MacKinnon, M. Ø. Nielsen and M. D.
    Webb, "Fast and reliable jackknife and bootstrap methods for cluster-robust inference", J. Applied Econometrics 38, 2023).

    No voter needs a solve of size *m*. Let ``S`` be the models that the voter judged: ``d_g = H+[:, S] x_g`` with ``x_g = (I - H_g H+[S, S])^-1 s_g``
    on ``S`` alone, so the covariance is ``(G-1)/G H+ X'X H+`` with the corrected scores ``x_g`` as the rows of a sparse ``X``. Voters of like size are
    solved in one batch.
    """
    ballots = ballots.entering(fit.ties)
    if not ballots.n_votes or len(survivors(ballots)) < len(ballots.models):
        raise NotConverged("without one of the voters the models are not joined")
    inverse = pseudo_inverse(fit.hessian)
    shares = _shares(ballots, fit)
    with np.errstate(all="ignore"):
        corrected = csr_array((_corrected(shares, inverse), (shares.cluster, shares.model)))
        covariance = inverse @ (corrected.T @ corrected).toarray() @ inverse
    if not np.isfinite(covariance).all():
        raise NotConverged("a variance is out of range")
    n = len(shares.start) - 1
    covariance *= (n - 1) / n
    lost = np.diag(covariance) < _NO_SPREAD * np.diag(inverse)
    covariance[lost, :] = covariance[:, lost] = 0.0
    return Clustered((covariance + covariance.T) / 2, n)


@dataclass(frozen=True, slots=True, eq=False)
class _Shares:
    """What each of *G* clusters says of the *c* models (over all clusters) that it judged; clusters ascend by their number of votes.

    Parameters
    ----------
    cluster, model, score
        Shape ``(c,)``, sorted by cluster and model: the cluster's score on that model.
    start
        Shape ``(G + 1,)``: where each cluster's models begin.
    side_a, side_b, curvature
        Shape ``(n,)``, sorted by cluster: where each vote's two models stand among the *c*, and the vote's curvature.
    first_vote
        Shape ``(G + 1,)``: where each cluster's votes begin.
    """

    cluster: Indices
    model: Indices
    score: Vector
    start: Indices
    side_a: Indices
    side_b: Indices
    curvature: Vector
    first_vote: Indices


def _shares(ballots: Ballots, fit: Fit) -> _Shares:
    m, n = len(ballots.models), ballots.n_votes
    cluster, first_vote, order = _by_size(ballots.clusters())
    a, b = ballots.a[order], ballots.b[order]
    weight = ballots.weights()[order]
    p = win_probabilities(fit.strengths)[a, b]
    residual = weight * (_SCORES[ballots.outcome[order]] - p)
    cells, sides = np.unique(np.concatenate([cluster * m + a, cluster * m + b]), return_inverse=True)
    score = _summed(sides, np.concatenate([residual, -residual]), len(cells))
    start = np.searchsorted(cells, np.arange(len(first_vote)) * m)
    return _Shares(
        cells // m, cells % m, score, start, sides[:n], sides[n:], weight * p * (1 - p), first_vote
    )


def _by_size(cluster: Indices) -> tuple[Indices, Indices, Indices]:
    """Clusters of shape ``(n,)`` renumbered by their votes and sorted, where each begins, and the order that sorts the votes."""
    sizes = np.bincount(cluster)
    by_size = np.argsort(sizes, kind="stable")
    number = np.empty_like(by_size)
    number[by_size] = np.arange(len(sizes))
    renumbered = number[cluster]
    order = np.argsort(renumbered, kind="stable")
    return renumbered[order], np.concatenate([[0], np.cumsum(sizes[by_size])]), order


def _corrected(shares: _Shares, inverse: Matrix) -> Vector:
    """Shape ``(c,)``: the scores ``x_g``, in the order of ``shares.score``."""
    corrected = np.empty_like(shares.score)
    for low, high in _chunks(np.diff(shares.start)):
        cells = slice(shares.start[low], shares.start[high])
        votes = slice(shares.first_vote[low], shares.first_vote[high])
        corrected[cells] = _corrected_batch(shares, inverse, low, cells, votes)
    return corrected


def _chunks(sizes: Indices) -> Iterator[tuple[int, int]]:
    """Runs of clusters whose square blocks, padded to the widest so far, fit one batch."""
    widest = np.maximum.accumulate(sizes) ** 2
    low = 0
    while low < len(sizes):
        high = low + max(1, _CHUNK_NUMBERS // int(widest[low]))
        high = low + max(1, _CHUNK_NUMBERS // int(widest[min(high, len(sizes)) - 1]))
        high = min(high, len(sizes))
        yield low, high
        low = high


def _corrected_batch(shares: _Shares, inverse: Matrix, low: int, cells: slice, votes: slice) -> Vector:
    cluster = shares.cluster[cells] - low
    place = np.arange(cells.start, cells.stop) - shares.start[shares.cluster[cells]]
    n, k = int(cluster[-1]) + 1, int(place.max()) + 1
    model = np.zeros((n, k), dtype=np.int64)
    model[cluster, place] = shares.model[cells]
    score = np.zeros((n, k))
    score[cluster, place] = shares.score[cells]
    a, b = shares.side_a[votes] - cells.start, shares.side_b[votes] - cells.start
    curvature = _blocks(cluster[a], place[a], place[b], shares.curvature[votes], (n, k))
    # where a cluster judged fewer than k models its rows of the curvature are zero, and so is its score: the padding stays zero
    leverage = curvature @ inverse[model[:, :, None], model[:, None, :]]
    try:
        found = np.linalg.solve(np.eye(k) - leverage, score[:, :, None])
    except np.linalg.LinAlgError:
        raise NotConverged("without one of the voters the Hessian is singular") from None
    return np.asarray(found[cluster, place, 0], dtype=np.float64)


def _blocks(
    cluster: Indices, a: Indices, b: Indices, curvature: Vector, shape: tuple[int, int]
) -> NDArray[np.float64]:
    """Shape ``(n, k, k)``: each cluster's share of the Hessian, over its own models."""
    n, k = shape
    met = _summed((cluster * k + a) * k + b, curvature, n * k * k).reshape(n, k, k)
    met = met + met.transpose(0, 2, 1)
    blocks = -met
    blocks[:, np.arange(k), np.arange(k)] = met.sum(axis=2)
    return blocks


def _summed(place: Indices, values: Vector, n: int) -> Vector:
    return np.bincount(place, weights=values, minlength=n).astype(np.float64, copy=False)
