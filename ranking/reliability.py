"""How far each user agrees with the board of all the others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from ranking.ballots import NOBODY, Ballots
from ranking.expected import fit_expectation
from ranking.fit import Fit, Vector, regular, win_probabilities
from ranking.ranks import quantile
from ranking.tally import Indices, Matrix
from ranking.types import Outcome, TieRule

_LEAST_SPREAD = 0.1  # of users' slopes: an estimate of none would make all users alike, and sure of it
_MOST_OF_THE_VOTES = 0.5
_MOST_STEPS = 100
_LONGEST_STEP = 1.0
_STANDS_STILL = 1e-9


@dataclass(frozen=True, slots=True)
class UserReliability:
    """How far one user agrees with the board of the others.

    Parameters
    ----------
    user
        The user's number in the ballots.
    n_decisive, n_agreed
        Votes without a tie, and those of them for the model that the others put higher.
    slope
        Log-odds of the user's choices per log-odds that the board predicts: 0 as good as chance, 1 as predicted, below 0 the wrong way round. Shrunken
        towards all users' mean; None where the user cast at least half of the board's decisive votes, so that there are hardly any others.
    low, high
        Its interval; None with *slope*.
    """

    user: int
    n_decisive: int
    n_agreed: int
    slope: float | None
    low: float | None
    high: float | None

    @property
    def beats_chance(self) -> bool:
        """Whether the whole interval is above chance."""
        return self.low is not None and self.low > 0


@dataclass(frozen=True, slots=True)
class ReliabilityReport:
    """All users with a decisive vote, by number.

    Parameters
    ----------
    users
        One entry a user.
    mean, spread
        Of the slopes of all users: what they are shrunken towards, and by how much users differ beyond chance, as a standard deviation of at least 0.1.
    level
        Of the intervals.
    """

    users: tuple[UserReliability, ...]
    mean: float
    spread: float
    level: float


def user_reliability(ballots: Ballots, fit: Fit, *, level: float = 0.95) -> ReliabilityReport:
    """Estimate how much better than chance each user agrees with the board of the others.

    Parameters
    ----------
    ballots
        The votes that were fitted; weights are left aside, and so are votes of nobody and ties.
    fit
        The board's fit.
    level
        Of the intervals, in (0, 1).

    Returns
    -------
    ReliabilityReport
        Empty where no known user cast a decisive vote.

    Raises
    ------
    ValueError
        If the level is none, or the fit is of another number of models.

    Notes
    -----
    A user is left out of the board by one Newton step from the fit with its own Hessian (the infinitesimal jackknife; Giordano and others, "A Swiss army
    infinitesimal jackknife", AISTATS 2019). Each decisive vote is then Bradley-Terry with a slope of the user's on the predicted log-odds; slopes are normal
    among users, with mean and variance by the moments of DerSimonian and Laird ("Meta-analysis in clinical trials", Controlled Clinical Trials 7, 1986), and
    a user's interval is that of the posterior's normal approximation at its mode (Efron and Morris, "Stein's estimation rule and its competitors",
    Journal of the American Statistical Association 68, 1973, on the shrinking).
    """
    if not 0 < level < 1:
        raise ValueError(f"{level} is no level of an interval")
    if len(fit.strengths) != len(ballots.models):
        raise ValueError("the fit is of another board")
    known = ballots.take((ballots.user != NOBODY) & (ballots.outcome < Outcome.TIE.place))
    numbers, whose = np.unique(known.user, return_inverse=True)
    toward = _log_odds_of_what_was_chosen(ballots, fit, known, numbers.astype(np.int64), whose)
    mean, spread = _moments(toward, whose, len(numbers))
    slopes, errors = _slopes(toward, whose, len(numbers), mean, spread)
    reach = quantile(level) * errors
    n_decisive = np.bincount(whose, minlength=len(numbers))
    agreed = np.bincount(whose, weights=toward > 0, minlength=len(numbers))
    alone = n_decisive >= _MOST_OF_THE_VOTES * (ballots.outcome < Outcome.TIE.place).sum()
    users = tuple(
        UserReliability(
            user=int(number),
            n_decisive=int(n_decisive[k]),
            n_agreed=int(agreed[k]),
            slope=None if alone[k] else float(slopes[k]),
            low=None if alone[k] else float(slopes[k] - reach[k]),
            high=None if alone[k] else float(slopes[k] + reach[k]),
        )
        for k, number in enumerate(numbers)
    )
    return ReliabilityReport(users, mean, spread, level)


def _log_odds_of_what_was_chosen(
    ballots: Ballots, fit: Fit, known: Ballots, numbers: Indices, whose: Indices
) -> Vector:
    """Shape ``(n,)``: for each decisive vote, the log-odds of its choice as the others' board predicts them; positive where they agree."""
    expected = fit_expectation(ballots.tally().counts.astype(np.float64), fit.strengths)
    without = _shifts_without(ballots, fit, numbers)
    gaps = fit.strengths[known.a] - fit.strengths[known.b]
    gaps = gaps + without[whose, known.a] - without[whose, known.b]
    chosen = np.where(known.outcome == Outcome.A_BETTER.place, 1.0, -1.0)
    return chosen * expected.log_odds(gaps)


def _shifts_without(ballots: Ballots, fit: Fit, numbers: Indices) -> Matrix:
    """Shape ``(k, m)``: by how much the strengths move when a user's votes are left out, to first order."""
    counted = np.isin(ballots.user, numbers)
    if fit.ties is TieRule.DROP:
        counted &= ballots.outcome < Outcome.TIE.place
    votes, m = ballots.take(counted), len(ballots.models)
    whose = np.searchsorted(numbers, votes.user)
    p = win_probabilities(fit.strengths)[votes.a, votes.b]
    residual = np.array([1.0, 0.0, 0.5, 0.5])[votes.outcome] - p
    size = len(numbers) * m
    scores = np.bincount(whose * m + votes.a, weights=residual, minlength=size)
    scores = scores - np.bincount(whose * m + votes.b, weights=residual, minlength=size)
    moved = np.linalg.solve(regular(fit.hessian)[0], scores.reshape(len(numbers), m).T)
    return np.asarray(-moved.T, dtype=np.float64)


def _moments(toward: Vector, whose: Indices, k: int) -> tuple[float, float]:
    """Mean and spread of the users' slopes, from one Newton step of each from 1."""
    p = expit(toward)
    information = np.bincount(whose, weights=toward**2 * p * (1 - p), minlength=k)
    step = np.bincount(whose, weights=toward * (1 - p), minlength=k)
    told = information > 0
    total = information.sum()
    if not told.any():
        return 1.0, _LEAST_SPREAD
    slopes = 1 + step[told] / information[told]
    mean = float((information[told] * slopes).sum() / total)
    between = float((information[told] * (slopes - mean) ** 2).sum()) - (int(told.sum()) - 1)
    scale = total - float((information**2).sum()) / total
    variance = between / scale if scale > 0 else 0.0
    return mean, float(np.sqrt(max(variance, _LEAST_SPREAD**2)))


def _slopes(toward: Vector, whose: Indices, k: int, mean: float, spread: float) -> tuple[Vector, Vector]:
    """The mode of each user's posterior and its standard error, each of shape ``(k,)``, by Newton's method for all users at once."""
    slopes, precision = np.full(k, mean), np.full(k, spread**-2)
    for _ in range(_MOST_STEPS):
        p = expit(slopes[whose] * toward)
        score = np.bincount(whose, weights=toward * (1 - p), minlength=k) - (slopes - mean) / spread**2
        precision = np.bincount(whose, weights=toward**2 * p * (1 - p), minlength=k) + spread**-2
        step = np.clip(score / precision, -_LONGEST_STEP, _LONGEST_STEP)
        slopes = slopes + step
        if np.abs(step).max(initial=0.0) < _STANDS_STILL:
            break
    return slopes, precision**-0.5
