"""What a fit expects of each pair, and how far the votes are from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from scipy.special import expit

from ranking.fit import Fit, Vector, win_probabilities
from ranking.rao_kupper import TieFit
from ranking.tally import Indices, Matrix, Tally
from ranking.types import TieRule


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """The probability of each outcome of row against column; the three sum to one. The diagonal is a match of two equals.

    Parameters
    ----------
    win, tie, loss
        Shape ``(m, m)`` each; ``loss`` is ``win`` transposed.
    """

    win: Matrix
    tie: Matrix
    loss: Matrix


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """Pairs of about the same expectation, each seen from its favourite's side.

    Parameters
    ----------
    n
        How many votes.
    predicted, observed
        The mean points a vote, between 0 and 1, that the fit expects and that the favourites made.
    standard_error
        Of *observed*, if the fit is right.
    """

    n: int
    predicted: float
    observed: float
    standard_error: float


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Predicted against observed.

    Parameters
    ----------
    bins
        From the closest pairs to the most unequal ones.
    residuals
        Shape ``(m, m)``, antisymmetric: by how many standard deviations row made more points against column than expected; NaN where they never met.
    dispersion
        The variance of a vote's points, as a multiple of that which the fit takes it to have.
    chi_square, degrees, p_value
        The lack of fit, its degrees of freedom, and the probability of so much or more if the fit is right; 1 where no degree is left. The chi-square
        is approximate, and poor where most pairs met fewer than some five times.
    """

    bins: tuple[CalibrationBin, ...]
    residuals: Matrix
    dispersion: float
    chi_square: float
    degrees: int
    p_value: float


def predict(fit: TieFit) -> Prediction:
    """Win, tie and loss of each pair under Rao and Kupper's model."""
    gaps = fit.strengths[:, None] - fit.strengths[None, :]
    win = np.asarray(expit(gaps - fit.log_threshold), dtype=np.float64)
    tie = (
        win * win.T * np.expm1(2 * fit.log_threshold)
    )  # what win and loss leave, exact also where it is small
    return Prediction(win, tie, win.T.copy())


def expected_points(fit: Fit | TieFit) -> Matrix:
    """Shape ``(m, m)``: the points that row is expected to make of a vote against column, with a tie as half a point.

    Under ``DROP`` it is the probability to win a decisive vote.
    """
    if isinstance(fit, TieFit):
        prediction = predict(fit)
        return prediction.win + prediction.tie / 2
    return win_probabilities(fit.strengths)


def mean_win_probability(strengths: Vector) -> Vector:
    """Shape ``(m,)``: the probability to beat the other models of *strengths*, shape ``(m,)`` in nats, on average over them.

    Raises ``ValueError`` for fewer than two models, who have no opponent.
    """
    m = len(strengths)
    if m < 2:
        raise ValueError("a model alone has no opponent")
    return np.asarray((win_probabilities(strengths).sum(axis=1) - 0.5) / (m - 1), dtype=np.float64)


def calibrate(tally: Tally, fit: Fit | TieFit, *, bins: int = 10) -> Calibration:
    """Hold a fit against the votes that it was fitted to.

    Parameters
    ----------
    tally
        The tally that was fitted.
    fit
        Its fit, by any tie rule. Ties enter as that rule has them.
    bins
        At most how many bins, at least 1. They hold about as many votes each; a pair is never split.

    Returns
    -------
    Calibration
        The bins, each pair's residual, and the lack of fit.

    Raises
    ------
    ValueError
        If *bins* is not at least 1.

    Notes
    -----
    A residual is ``(points - n e) / sqrt(n v)`` with *e* the expected points and *v* their variance. Under Rao and Kupper *v* is the model's own,
    ``win + tie / 4 - e**2``; of decisive votes it is ``e (1 - e)``. Half-wins vary less, by a factor that is estimated from how votes differ within pairs,
    whatever the fit: their squares about each pair's own mean against ``(n - 1) e (1 - e)`` (pure error in a quasi-likelihood; P. McCullagh and J. A. Nelder,
    "Generalized Linear Models", 2nd edition, 1989). Residuals are not corrected for what the fit took from them: if it is
    right, their mean square is near ``degrees`` over the number of pairs, a little below 1.

    The lack of fit is the sum of squared residuals over pairs that met, less ``m - 1`` degrees. Under Rao and Kupper it is Pearson's over wins, ties and
    losses, two degrees a pair less ``m``; where no vote was a tie and the threshold is at its bound, one degree a pair less ``m - 1``.
    """
    if bins < 1:
        raise ValueError("a calibration needs at least one bin")
    pairs = _pairs(tally, fit)
    chi_square, degrees = _lack_of_fit(tally, fit, pairs)
    return Calibration(
        bins=_bins(pairs, bins),
        residuals=_residuals(pairs, len(tally.models)),
        dispersion=pairs.dispersion,
        chi_square=chi_square,
        degrees=degrees,
        p_value=float(scipy.stats.chi2.sf(chi_square, degrees)) if degrees else 1.0,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Pairs:
    """The ``q`` pairs that met, each once: all of shape ``(q,)``, seen from the first model."""

    first: Indices
    second: Indices
    n: Vector
    points: Vector
    expected: Vector
    variance: Vector
    dispersion: float

    @property
    def z(self) -> Vector:
        surplus = self.points - self.n * self.expected
        return np.asarray(surplus / np.sqrt(self.n * self.variance), dtype=np.float64)


def _pairs(tally: Tally, fit: Fit | TieFit) -> _Pairs:
    wins = tally.wins().astype(np.float64)
    ties = np.zeros_like(wins) if fit.ties is TieRule.DROP else tally.ties().astype(np.float64)
    met = wins + wins.T + ties
    first, second = np.nonzero(np.triu(met))
    n, points = met[first, second], (wins + ties / 2)[first, second]
    share = expected_points(fit)
    expected, dispersion = share[first, second], 1.0
    variance = expected * share.T[first, second]  # times its complement, exact also where that is near 0
    if isinstance(fit, TieFit):
        variance = variance - predict(fit).tie[first, second] / 4
    elif fit.ties is TieRule.HALF:
        squares = (wins + ties / 4)[first, second] - points**2 / n
        dispersion = _dispersion(squares, (n - 1) * variance)
    return _Pairs(first, second, n, points, expected, dispersion * variance, dispersion)


def _dispersion(squares: Vector, binomial: Vector) -> float:
    """Squares within pairs against what wins and losses alone would have; 1, which is known of those, where the votes of no pair differ."""
    found = float(squares.sum())
    return found / float(binomial.sum()) if found > 0 else 1.0


def _residuals(pairs: _Pairs, m: int) -> Matrix:
    residuals = np.full((m, m), np.nan)
    residuals[pairs.first, pairs.second], residuals[pairs.second, pairs.first] = pairs.z, -pairs.z
    return residuals


def _lack_of_fit(tally: Tally, fit: Fit | TieFit, pairs: _Pairs) -> tuple[float, int]:
    """Chi-square and degrees of freedom."""
    m, q = len(tally.models), len(pairs.n)
    if not isinstance(fit, TieFit) or fit.log_threshold == 0:
        return float((pairs.z**2).sum()), q - (m - 1)
    prediction, wins = predict(fit), tally.wins()
    at = (pairs.first, pairs.second)
    seen = np.array([wins[at], tally.ties()[at], wins.T[at]])
    expected = pairs.n * np.array([prediction.win[at], prediction.tie[at], prediction.loss[at]])
    return float(((seen - expected) ** 2 / expected).sum()), 2 * q - m


def _bins(pairs: _Pairs, most: int) -> tuple[CalibrationBin, ...]:
    turned = pairs.expected < 0.5
    expected = np.where(turned, 1 - pairs.expected, pairs.expected)
    points = np.where(turned, pairs.n - pairs.points, pairs.points)
    order = np.argsort(expected, kind="stable")
    middle = np.cumsum(pairs.n[order]) - pairs.n[order] / 2
    number = (middle / pairs.n.sum() * most).astype(np.int64)
    return tuple(
        _bin(pairs.n[chosen], expected[chosen], points[chosen], pairs.variance[chosen])
        for chosen in (order[number == each] for each in np.unique(number))
    )


def _bin(n: Vector, expected: Vector, points: Vector, variance: Vector) -> CalibrationBin:
    votes = float(n.sum())
    return CalibrationBin(
        n=int(votes),
        predicted=float((n * expected).sum()) / votes,
        observed=float(points.sum()) / votes,
        standard_error=float(np.sqrt((n * variance).sum())) / votes,
    )
