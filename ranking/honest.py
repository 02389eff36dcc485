"""The yardstick of honest raters, from votes among which some are clicked at random."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from ranking.ballots import NOBODY, Ballots
from ranking.expected import Expectation, fit_expectation
from ranking.fit import Vector
from ranking.types import Outcome

_MOST_ROUNDS = 60
_STANDS_STILL = 1e-4
_PRIOR_CARELESS, _PRIOR_USERS = 0.02, 20.0


@dataclass(frozen=True, slots=True, eq=False)
class Honest:
    """What honest raters do, and who seems to be one.

    Parameters
    ----------
    expected
        How the votes follow from the strengths, each user's votes weighed by *trust*.
    trust
        Shape ``(k,)``, in the order of the users' numbers: the probability that a user follows the board at all.
    careless
        The share of users that do not.
    """

    expected: Expectation
    trust: Vector
    careless: float


def honest_yardstick(ballots: Ballots, strengths: Vector) -> Honest:
    """Fit what is expected of a vote while those who click at random are weighed down.

    Parameters
    ----------
    ballots
        All votes; those of nobody count in full.
    strengths
        Shape ``(m,)``, in nats, fitted to them.

    Returns
    -------
    Honest
        With one trust a known user.

    Notes
    -----
    A mixture of two kinds of raters, one that follows the board and one that decides each decisive vote by a coin, by expectation maximisation: the
    binary form of Dawid and Skene, "Maximum likelihood estimation of observer error-rates using the EM algorithm", Applied Statistics 28, 1979, with
    the spammers of Raykar and Yu, "Eliminating spammers and ranking annotators for crowdsourced labeling tasks", Journal of Machine Learning Research 13,
    2012. Without it a tenth of random clickers would make the yardstick a tenth shorter, and hide behind it. The share of careless users has a
    prior of 2 %, worth 20 users.
    """
    known = ballots.user != NOBODY
    users, whose = np.unique(ballots.user[known], return_inverse=True)
    gaps = (strengths[ballots.a] - strengths[ballots.b])[known]
    outcome = ballots.outcome[known]
    side = np.where(outcome == Outcome.A_BETTER.place, 1.0, -1.0) * (outcome < Outcome.TIE.place)
    weight = np.ones(ballots.n_votes)
    trust, careless = np.ones(len(users)), _PRIOR_CARELESS
    for _ in range(_MOST_ROUNDS):
        expected = fit_expectation(ballots.reweighted(weight).weighted_counts(), strengths)
        against_a_coin = np.log(2) - np.logaddexp(0.0, -side * expected.log_odds(gaps))
        evidence = np.bincount(whose, weights=against_a_coin * (side != 0), minlength=len(users))
        trust = np.asarray(expit(evidence - logit(careless)), dtype=np.float64)
        before, careless = careless, _share(trust)
        weight[known] = trust[whose]
        if abs(careless - before) < _STANDS_STILL:
            break
    return Honest(expected, trust, careless)


def _share(trust: Vector) -> float:
    return float(((1 - trust).sum() + _PRIOR_CARELESS * _PRIOR_USERS) / (len(trust) + _PRIOR_USERS))
