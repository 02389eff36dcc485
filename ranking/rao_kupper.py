"""Ties as an outcome of their own: the model of Rao and Kupper by maximum likelihood, from counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from ranking import connectivity
from ranking.errors import NotConverged, UnboundedTally
from ranking.fit import (
    LONGEST_STEP,
    MOST_STEPS,
    SAFE_STEP,
    SCORE_TOLERANCE,
    SHORTEST_STEP,
    Vector,
    fit_bradley_terry,
    regular,
    require_maximum,
)
from ranking.tally import Matrix, Tally
from ranking.types import TieRule


@dataclass(frozen=True, slots=True, eq=False)
class TieFit:
    """A tally fitted with a threshold below which a difference is a tie.

    Parameters
    ----------
    strengths
        Shape ``(m,)``, in nats, mean zero; not on the scale of half-win strengths, which ties draw together.
    log_threshold
        The logarithm of Rao and Kupper's theta, in nats, not negative; exactly 0, its bound, where no vote is a tie.
    hessian
        Shape ``(m + 1, m + 1)``: the negative second derivative of the log-likelihood in the strengths and, last, the log threshold. At the bound, where the
        threshold is not estimated, its row and column are zero.
    score_norm
        The largest absolute component of the score at the end, in votes.
    ties
        ``RAO_KUPPER``.
    """

    strengths: Vector
    log_threshold: float
    hessian: Matrix
    score_norm: float
    ties: TieRule = TieRule.RAO_KUPPER

    @property
    def free(self) -> int:
        """How many leading rows of the Hessian were estimated: ``m + 1``, or ``m`` where the threshold is at its bound."""
        return len(self.hessian) if self.log_threshold > 0 else len(self.strengths)


def fit_rao_kupper(tally: Tally, *, start: Vector | None = None) -> TieFit:
    """Fit strengths and the threshold of ties to a tally by maximum likelihood.

    Parameters
    ----------
    tally
        Counts of shape ``(m, m, 4)``; both kinds of tie count alike.
    start
        Strengths of shape ``(m,)``, in nats, to start from; the half-win fit if left out.

    Returns
    -------
    TieFit
        Strengths in nats with mean zero, the log threshold, the joint Hessian and the score's norm, below ``SCORE_TOLERANCE`` votes or, above some
        10 million votes, below what rounding leaves.

    Raises
    ------
    DisconnectedTally, UnboundedTally
        As :func:`ranking.fit.fit_bradley_terry`; ``UnboundedTally`` also where there are ties and no cycle of results holds more wins than ties
        (:func:`ranking.connectivity.wins_outnumber_ties`): then threshold and strengths grow together without end. Two models that beat each other
        are such a cycle.
    NotConverged
        If the board is too steep for floating-point numbers.

    Notes
    -----
    Row beats column with probability ``1 / (1 + exp(log_threshold - difference))``, and what the two sides leave is the tie (P. V. Rao and L. L. Kupper,
    "Ties in paired-comparison experiments: a generalization of the Bradley-Terry model", J. Amer. Statist. Assoc. 62, 1967). The log-likelihood is concave
    in strengths and log threshold together, so that Newton's method finds the one maximum; steps out of the range where the curvature holds are halved until
    the likelihood rises. Without a tie the likelihood falls with the threshold: the bound is its maximum, and the fit is Bradley and Terry's.
    """
    wins, ties = tally.wins().astype(np.float64), tally.ties().astype(np.float64)
    require_maximum(wins + ties)
    if not ties.any():
        return _at_the_bound(tally, start)
    if not connectivity.wins_outnumber_ties(wins, ties):
        raise UnboundedTally("too few wins contradict each other to tell how wide a tie is")
    strengths = fit_bradley_terry(tally).strengths if start is None else start - start.mean()
    share = float(ties.sum() / 2 / tally.n_votes)
    return _newton(wins + ties, float(ties.sum() / 2), np.append(strengths, 2 * np.arctanh(share)))


def log_likelihood(tally: Tally, strengths: Vector, log_threshold: float) -> float:
    """The log-likelihood of wins, ties and losses, in nats; minus infinity where ties meet a *log_threshold* of 0."""
    ties = tally.ties().astype(np.float64)
    return _level(tally.wins() + ties, float(ties.sum() / 2), np.append(strengths, log_threshold))


def rao_kupper_covariance(tally: Tally, fit: TieFit) -> Matrix:
    """The sandwich covariance of the strengths, the threshold being estimated with them.

    Parameters
    ----------
    tally
        The tally that was fitted.
    fit
        Its fit.

    Returns
    -------
    ndarray
        Shape ``(m, m)``, in nats squared, for strengths with mean zero: rows sum to zero.

    Raises
    ------
    NotConverged
        If the fit is too steep for floating-point numbers to tell a variance.

    Notes
    -----
    The strengths' block of ``H+ J H+``, with ``J`` the sum over votes of the outer products of their scores on strengths and threshold (H. White, "Maximum
    likelihood estimation of misspecified models", Econometrica 50, 1982), summed from counts, never vote by vote. At the bound the threshold is known.
    Votes count as independent.
    """
    m = len(fit.strengths)
    bread, meat = _inverse(fit.hessian[: fit.free, : fit.free], m), _meat(tally, fit)
    joint = bread @ meat[: fit.free, : fit.free] @ bread
    covariance: Matrix = joint[:m, :m]
    if not (np.diag(covariance) > 0).all():
        raise NotConverged("a variance is lost in rounding")
    return (covariance + covariance.T) / 2


def _at_the_bound(tally: Tally, start: Vector | None) -> TieFit:
    fit = fit_bradley_terry(tally, ties=TieRule.DROP, start=start)
    return TieFit(fit.strengths, 0.0, np.pad(fit.hessian, (0, 1)), fit.score_norm)


def _surprises(place: Vector) -> Matrix:
    """Shape ``(m, m)``: the probability that row does not beat column; *place* holds the strengths and, last, the log threshold."""
    strengths, log_threshold = place[:-1], place[-1]
    return np.asarray(expit(log_threshold - strengths[:, None] + strengths[None, :]), dtype=np.float64)


def _level(unbeaten: Matrix, n_ties: float, place: Vector) -> float:
    """The log-likelihood from wins plus ties, shape ``(m, m)``: a tie is one factor of each side and one of the threshold."""
    strengths, log_threshold = place[:-1], float(place[-1])
    gaps = log_threshold - strengths[:, None] + strengths[None, :]
    level = -float((unbeaten * np.logaddexp(0.0, gaps)).sum())
    if not n_ties:
        return level
    with np.errstate(divide="ignore"):
        return level + n_ties * float(2 * log_threshold + np.log(-np.expm1(-2 * log_threshold)))


def _newton(unbeaten: Matrix, n_ties: float, place: Vector) -> TieFit:
    tolerance = max(SCORE_TOLERANCE, 4 * float(np.finfo(np.float64).eps) * float(unbeaten.sum()))
    for _ in range(MOST_STEPS):
        score, hessian = _derivatives(unbeaten, n_ties, place)
        fit = TieFit(place[:-1], float(place[-1]), hessian, float(np.abs(score).max()))
        step = _solved(hessian, score)
        length = float(np.abs(step).max())
        if fit.score_norm < tolerance and length < SHORTEST_STEP:
            return fit
        place = place + _bounded(unbeaten, n_ties, place, step)
        place[:-1] -= place[:-1].mean()
    if fit.score_norm < tolerance:  # a top so flat that rounding moves its place, but no interval could tell
        return fit
    raise NotConverged(f"the score is still {fit.score_norm:.3g} votes after {MOST_STEPS} steps")


def _derivatives(unbeaten: Matrix, n_ties: float, place: Vector) -> tuple[Vector, Matrix]:
    """Score, shape ``(m + 1,)``, and Hessian, shape ``(m + 1, m + 1)``."""
    surprise, log_threshold = _surprises(place), float(place[-1])
    pull = unbeaten * surprise
    pull_of_ties = -2 * n_ties / np.expm1(-2 * log_threshold)
    score = np.append((pull - pull.T).sum(axis=1), pull_of_ties - pull.sum())
    curvature = pull * _surprises(-place)  # times the probability of beating, exact also where it is near 0
    pairs = curvature + curvature.T
    corner = curvature.sum() + n_ties / np.sinh(log_threshold) ** 2
    return score, _bordered(np.diag(pairs.sum(axis=1)) - pairs, (curvature.T - curvature).sum(axis=1), corner)


def _bordered(block: Matrix, edge: Vector, corner: float) -> Matrix:
    return np.block([[block, edge[:, None]], [edge[None, :], np.array([[corner]])]])


def _filled(hessian: Matrix, m: int) -> Matrix:
    """The Hessian with curvature along constant strengths, which it does not see."""
    filled = hessian.copy()
    filled[:m, :m], _ = regular(hessian[:m, :m])
    return filled


def _solved(hessian: Matrix, score: Vector) -> Vector:
    try:
        return np.asarray(np.linalg.solve(_filled(hessian, len(hessian) - 1), score), dtype=np.float64)
    except np.linalg.LinAlgError:
        raise NotConverged("the board is steeper than floating-point numbers reach") from None


def _inverse(hessian: Matrix, m: int) -> Matrix:
    """The inverse of the filled Hessian; what the filling adds meets no score, as those of a vote sum to zero over the models."""
    try:
        return np.asarray(np.linalg.inv(_filled(hessian, m)), dtype=np.float64)
    except np.linalg.LinAlgError:
        raise NotConverged("the Hessian is singular") from None


def _bounded(unbeaten: Matrix, n_ties: float, place: Vector, step: Vector) -> Vector:
    """The step, halved until it is safe or the likelihood rises. It is safe within half a nat, and half the way to the threshold's bound."""
    level = _level(unbeaten, n_ties, place)
    step = step * LONGEST_STEP / max(LONGEST_STEP, float(np.abs(step).max()))
    while np.abs(step).max() > SAFE_STEP or abs(step[-1]) > place[-1] / 2:
        if place[-1] + step[-1] > 0 and _level(unbeaten, n_ties, place + step) >= level:
            break
        step = step / 2
    return step


def _meat(tally: Tally, fit: TieFit) -> Matrix:
    """Shape ``(m + 1, m + 1)``: the sum over votes of the outer products of their scores."""
    wins, ties = tally.wins().astype(np.float64), tally.ties().astype(np.float64)
    surprise = _surprises(np.append(fit.strengths, fit.log_threshold))
    of_wins = wins * surprise**2
    lean = surprise - surprise.T  # a tie's score on row, with the opposite one on column
    of_ties = ties * lean**2
    squares = of_wins + of_wins.T + of_ties
    edge = (of_wins.T - of_wins).sum(axis=1)
    corner = of_wins.sum()
    if ties.any():
        threshold = (
            -2 / np.expm1(-2 * fit.log_threshold) - surprise - surprise.T
        )  # a tie's score on the threshold
        edge = edge + (ties * lean * threshold).sum(axis=1)
        corner += (ties * threshold**2).sum() / 2
    return _bordered(np.diag(squares.sum(axis=1)) - squares, edge, corner)
