"""How sure a fit is: the sandwich covariance of its strengths."""

from __future__ import annotations

import numpy as np

from ranking.errors import NotConverged
from ranking.fit import Fit, regular, win_probabilities
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
    p = win_probabilities(fit.strengths)
    wins = tally.wins().astype(np.float64)
    squares = wins * p.T**2 + wins.T * p**2
    if fit.ties is TieRule.HALF:
        squares += tally.ties() * (0.5 - p) ** 2
    meat = np.diag(squares.sum(axis=1)) - squares
    inverse = _pseudo_inverse(fit.hessian)
    covariance: Matrix = inverse @ meat @ inverse
    if not (np.diag(covariance) > 0).all():
        raise NotConverged("a variance is lost in rounding")
    return (covariance + covariance.T) / 2


def _pseudo_inverse(hessian: Matrix) -> Matrix:
    filled, size = regular(hessian)
    try:
        # constants, which the filling made regular, are projected out again
        return np.asarray(np.linalg.inv(filled) - 1.0 / (size * len(hessian)), dtype=np.float64)
    except np.linalg.LinAlgError:
        raise NotConverged("the Hessian is singular") from None
