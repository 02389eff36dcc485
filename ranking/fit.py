"""Bradley-Terry by maximum likelihood, from counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from ranking import connectivity
from ranking.errors import DisconnectedTally, NotConverged, UnboundedTally
from ranking.tally import Matrix, Tally
from ranking.types import Status, TieRule

Vector = NDArray[np.float64]

SCORE_TOLERANCE = 1e-8
MOST_STEPS = 200
SHORTEST_STEP = 1e-8  # nats: on a flat top a small score is not enough, the place has to stand still
SAFE_STEP = (
    0.5  # nats: the likelihood's curvature cannot change so much within it that a Newton step leads down
)
LONGEST_STEP = 5.0  # nats: beyond it the likelihood's curvature says nothing of the place


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A fitted tally.

    Parameters
    ----------
    strengths
        Shape ``(m,)``, in nats, mean zero.
    hessian
        Shape ``(m, m)``: the negative second derivative of the log-likelihood; its null space is the constant vector.
    score_norm
        The largest absolute component of the score at the end, in votes.
    ties
        The rule the ties entered by.
    """

    strengths: Vector
    hessian: Matrix
    score_norm: float
    ties: TieRule


def fit_bradley_terry(tally: Tally, *, ties: TieRule = TieRule.HALF, start: Vector | None = None) -> Fit:
    """Fit Bradley-Terry strengths to a tally by maximum likelihood.

    Parameters
    ----------
    tally
        Counts of shape ``(m, m, 4)``.
    ties
        How a tie enters the likelihood, ``HALF`` or ``DROP``. Ratings under different rules are on different scales.
    start
        Strengths of shape ``(m,)``, in nats, to start from; one spectral pass of choix if left out.

    Returns
    -------
    Fit
        Strengths in nats with mean zero, the Hessian and the score's norm, below ``SCORE_TOLERANCE`` votes or, above some 10 million battles a model,
        below what rounding leaves.

    Raises
    ------
    DisconnectedTally, UnboundedTally
        If wins and ties do not join all models into one strongly connected component.
    NotConverged
        If the board is too steep for floating-point numbers: some million wins to one, around a ring.
    ValueError
        Under ``RAO_KUPPER``, which :func:`ranking.rao_kupper.fit_rao_kupper` fits.

    Notes
    -----
    Newton's method from :func:`choix.lsr_pairwise_dense` (Maystre and Grossglauser, "Fast and accurate inference of Plackett-Luce models", NeurIPS
    2015); steps of more than half a nat are halved until the likelihood rises. A tie is half a win for each side, as in the EMNLP 2025 study.
    """
    return fit_points(tally.points(ties), ties=ties, start=start)


def fit_points(points: Matrix, *, ties: TieRule = TieRule.HALF, start: Vector | None = None) -> Fit:
    """As :func:`fit_bradley_terry`, from *points* of shape ``(m, m)``, not negative and of any fraction: what row scored against column by *ties*."""
    require_maximum(points)
    strengths = _spectral(points) if start is None else start - start.mean()
    return _newton(points, strengths, ties)


def require_maximum(points: Matrix) -> None:
    """Raise ``DisconnectedTally`` or ``UnboundedTally`` unless *points*, shape ``(m, m)``, have finite strengths of largest likelihood."""
    status = connectivity.check(points)
    if status is Status.UNBOUNDED:
        raise UnboundedTally("a group of models always won or always lost")
    if status is not Status.OK:
        raise DisconnectedTally("some models never met, directly or through others")


def win_probabilities(strengths: Vector) -> Matrix:
    """Shape ``(m, m)``: the probability that row beats column."""
    return np.asarray(expit(strengths[:, None] - strengths[None, :]), dtype=np.float64)


def log_likelihood(points: Matrix, strengths: Vector) -> float:
    """The Bradley-Terry log-likelihood of win counts, shape ``(m, m)``, in nats."""
    return float(-(points * np.logaddexp(0.0, strengths[None, :] - strengths[:, None])).sum())


def regular(hessian: Matrix) -> tuple[Matrix, float]:
    """The Hessian, shape ``(m, m)``, with its null space, the constant vector, filled, and the curvature that fills it.

    The curvature is of the Hessian's own size, so that the sum is as well conditioned as the Hessian on its range.
    """
    m = len(hessian)
    size = float(np.trace(hessian)) / m
    return hessian + size / m, size


def _spectral(points: Matrix) -> Vector:
    """choix's estimate, or zeros where a lopsided board takes its linear algebra out of floating-point range."""
    import choix  # takes scipy.stats along: half a second that a process which fits nothing need not wait

    with np.errstate(all="ignore"):
        try:
            found = np.asarray(choix.lsr_pairwise_dense(points), dtype=np.float64)
        except ValueError:
            found = np.full(len(points), np.nan)
    return found if np.isfinite(found).all() else np.zeros(len(points))


def _newton(points: Matrix, strengths: Vector, ties: TieRule) -> Fit:
    battles = points + points.T
    rounding = 4 * float(np.finfo(np.float64).eps) * float(battles.sum(axis=1).max())
    tolerance = max(SCORE_TOLERANCE, rounding)
    for _ in range(MOST_STEPS):
        score, hessian = _derivatives(points, battles, strengths)
        fit = Fit(strengths, hessian, float(np.abs(score).max()), ties)
        step = _solved(hessian, score)
        length = float(np.abs(step).max())
        if fit.score_norm < tolerance and length < SHORTEST_STEP:
            return fit
        if length > SAFE_STEP:
            step = _uphill(points, strengths, step * min(1.0, LONGEST_STEP / length))
        strengths = strengths + step
        strengths = strengths - strengths.mean()
    if fit.score_norm < tolerance:  # a top so flat that rounding moves its place, but no interval could tell
        return fit
    raise NotConverged(f"the score is still {fit.score_norm:.3g} votes after {MOST_STEPS} steps")


def _derivatives(points: Matrix, battles: Matrix, strengths: Vector) -> tuple[Vector, Matrix]:
    p = win_probabilities(strengths)
    score = (points * p.T - points.T * p).sum(axis=1)  # points - battles * p, exact also where p is near 1
    weights = battles * p * p.T
    return score, np.diag(weights.sum(axis=1)) - weights


def _solved(hessian: Matrix, score: Vector) -> Vector:
    try:
        return np.asarray(np.linalg.solve(regular(hessian)[0], score), dtype=np.float64)
    except np.linalg.LinAlgError:
        raise NotConverged("the board is steeper than floating-point numbers reach") from None


def _uphill(points: Matrix, strengths: Vector, step: Vector) -> Vector:
    """The step, halved until the likelihood rises or the step is safe."""
    level = log_likelihood(points, strengths)
    while log_likelihood(points, strengths + step) < level and np.abs(step).max() > SAFE_STEP:
        step = step / 2
    return step
