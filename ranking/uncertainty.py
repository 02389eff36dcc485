"""How sure a fit is where votes are independent: the sandwich covariance of its strengths."""

from __future__ import annotations

import numpy as np

from ranking.errors import NotConverged
from ranking.fit import Fit, regular, win_probabilities
from ranking.points import Ordered, ties_of, wins_of
from ranking.tally import Matrix, Tally
from ranking.types import TieRule


def sandwich_covariance(tally: Tally, fit: Fit) -> Matrix:
    """The covariance of the strengths that holds although half-wins are not binomial.

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
    ``H+ J H+`` with ``J`` the sum over votes of the outer products of their scores (H. White, "Maximum likelihood estimation of misspecified models",
    Econometrica 50, 1982). A vote of row against column scores ``s - p`` on the two models, with ``s`` 1, 0 or 1/2; it is summed from counts,
    never vote by vote. Votes count as independent: where one volunteer's votes are alike, the intervals are too narrow.
    """
    return weighted_sandwich(tally.counts, fit)


def weighted_sandwich(squares: Ordered, fit: Fit) -> Matrix:
    """As :func:`sandwich_covariance`, for votes that weigh differently.

    Parameters
    ----------
    squares
        Shape ``(m, m, 4)``: for each ordered pair and outcome the sum of its votes' *squared* weights; plain counts where every vote weighs one.
    fit
        The fit of the weighted votes.

    Notes
    -----
    A vote of weight *w* scores ``w (s - p)``. A weight says how far a vote is trusted, not how often it was cast: one vote of weight 2 is as surprising
    as one vote of weight 1, two votes are less so.
    """
    p = win_probabilities(fit.strengths)
    wins = wins_of(squares)
    scores = wins * p.T**2 + wins.T * p**2
    if fit.ties is TieRule.HALF:
        scores += ties_of(squares) * (0.5 - p) ** 2
    meat = np.diag(scores.sum(axis=1)) - scores
    inverse = pseudo_inverse(fit.hessian)
    covariance: Matrix = inverse @ meat @ inverse
    if not (np.diag(covariance) > 0).all():
        raise NotConverged("a variance is lost in rounding")
    return (covariance + covariance.T) / 2


def pseudo_inverse(hessian: Matrix) -> Matrix:
    """The Moore-Penrose inverse of a Hessian of shape ``(m, m)`` whose null space is the constant vector. Raises ``NotConverged`` where it has none."""
    filled, size = regular(hessian)
    try:
        # constants, which the filling made regular, are projected out again
        return np.asarray(np.linalg.inv(filled) - 1.0 / (size * len(hessian)), dtype=np.float64)
    except np.linalg.LinAlgError:
        raise NotConverged("the Hessian is singular") from None
