"""Residual tests of each user's votes against what the board predicts of an honest rater."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray
from scipy.special import logit, ndtr, ndtri

from ranking.ballots import Ballots
from ranking.convolution import Tails, tails
from ranking.fit import Vector
from ranking.honest import Honest
from ranking.tally import Indices
from ranking.types import Outcome

_STEPS_A_NAT, _MOST_STEPS = 4, 16
_FEWEST_ON_A_MODEL = 3  # decisive votes; fewer cannot convince, and would only dilute the correction
_FEWEST_SPREAD = 20  # groups of votes from which the spread between raters is estimated
_CLIP = 2.0  # squared deviations count up to here, so that a few bad raters do not excuse themselves
_CLIPPED_MEAN = 0.742282  # of min(z**2, 2) for a standard normal z
_WIDEST = 100.0


@dataclass(frozen=True, slots=True, eq=False)
class Tested:
    """One test of all ``k`` users.

    Parameters
    ----------
    statistic
        Shape ``(k,)``: standard deviations from what is expected, the honest spread between raters included.
    p
        Shape ``(k,)``: the probability of at least that under an honest rater.
    spread
        By how much honest raters differ: the standard deviation of their own log-odds.
    """

    statistic: Vector
    p: Vector
    spread: float


@dataclass(frozen=True, slots=True, eq=False)
class Decisive:
    """Votes without a tie.

    Parameters
    ----------
    a, b
        Shape ``(n,)``: the indices of the models shown as A and B.
    a_won
        Shape ``(n,)``: whether A was better.
    p
        Shape ``(n,)``: the probability of that, given that the vote is decisive.
    whose
        Shape ``(n,)``: the user's number from 0 to ``k - 1``.
    trust
        Shape ``(k,)``: how much each user counts in the estimate of the honest spread.
    """

    a: Indices
    b: Indices
    a_won: NDArray[np.bool_]
    p: Vector
    whose: Indices
    trust: Vector
    n_models: int

    @property
    def n_users(self) -> int:
        return len(self.trust)


def decisive_votes(votes: Ballots, whose: Indices, strengths: Vector, honest: Honest) -> Decisive:
    """The votes without a tie, and what is expected of them."""
    kept = votes.outcome < Outcome.TIE.place
    a, b = votes.a[kept].astype(np.int64), votes.b[kept].astype(np.int64)
    return Decisive(
        a=a,
        b=b,
        a_won=votes.outcome[kept] == Outcome.A_BETTER.place,
        p=honest.expected.a_wins(strengths[a] - strengths[b]),
        whose=whose[kept],
        trust=honest.trust,
        n_models=len(votes.models),
    )


def tie_rate(votes: Ballots, whose: Indices, strengths: Vector, honest: Honest) -> Tested:
    """Ties and both bad among all votes, two-sided; positive where a user ties more than the pairs explain."""
    p = honest.expected.tie(strengths[votes.a] - strengths[votes.b])
    found = tails(whose, p, votes.outcome >= Outcome.TIE.place, np.ones_like(whose), len(honest.trust))
    return _two_sided(found, honest.trust)


def position(votes: Decisive) -> Tested:
    """Wins of side A, two-sided; positive where a user prefers A more than the pairs and the board's own bias explain."""
    found = tails(votes.whose, votes.p, votes.a_won, np.ones_like(votes.whose), votes.n_users)
    return _two_sided(found, votes.trust)


def reliability(votes: Decisive) -> Tested:
    """Agreement with the favourite of each pair, one-sided: negative, with a small p, where a user agrees less than predicted.

    A vote weighs as its predicted log-odds, in quarters of a nat, from one quarter to four nats; the spread is of a factor on these log-odds.
    """
    steps = np.rint(np.abs(logit(votes.p)) * _STEPS_A_NAT)
    size = np.clip(steps, 1, _MOST_STEPS).astype(np.int64)
    agreed = votes.a_won == (votes.p >= 0.5)
    found = tails(votes.whose, np.maximum(votes.p, 1 - votes.p), agreed, size, votes.n_users)
    extra = _extra_variance(found, votes.trust)
    wider = np.sqrt(1 + extra * found.variance)
    p = np.asarray(ndtr(ndtri(found.lower) / wider), dtype=np.float64)
    return Tested(found.standardised() / wider, p, float(np.sqrt(extra)) * _STEPS_A_NAT)


def one_model(votes: Decisive) -> tuple[Tested, Indices]:
    """Wins of the model that stands out most, two-sided; positive where a user votes for it.

    The p-value is the smallest over the models that have three decisive votes of the user, times their number. Also the model's index, shape ``(k,)``, -1
    where no model has as many.
    """
    cell = np.append(votes.whose * votes.n_models + votes.a, votes.whose * votes.n_models + votes.b)
    cells, group, times = np.unique(cell, return_inverse=True, return_counts=True)
    p, won = np.append(votes.p, 1 - votes.p), np.append(votes.a_won, ~votes.a_won)
    keep = (times >= _FEWEST_ON_A_MODEL)[group]
    cells, group = np.unique(cell[keep], return_inverse=True)
    user, model = np.divmod(cells, votes.n_models)
    each = _two_sided(tails(group, p[keep], won[keep], np.ones_like(group), len(cells)), votes.trust[user])
    order = np.lexsort((each.p, user))
    first = order[np.unique(user[order], return_index=True)[1]]
    statistic, smallest, models = np.zeros(votes.n_users), np.ones(votes.n_users), np.full(votes.n_users, -1)
    tried = np.bincount(user, minlength=votes.n_users)[user[first]]
    statistic[user[first]] = each.statistic[first]
    smallest[user[first]] = np.minimum(1.0, each.p[first] * tried)
    models[user[first]] = model[first]
    return Tested(statistic, smallest, each.spread), models


def _two_sided(found: Tails, trust: Vector) -> Tested:
    extra = _extra_variance(found, trust)
    wider = np.sqrt(1 + extra * found.variance)
    p = 2 * ndtr(ndtri(found.two_sided() / 2) / wider)
    return Tested(found.standardised() / wider, np.asarray(p, dtype=np.float64), float(np.sqrt(extra)))


def _extra_variance(found: Tails, trust: Vector) -> float:
    """The variance of the raters' own log-odds, so that squared deviations, clipped, are as large on average as a normal variable's."""
    telling = found.variance >= 1
    if trust[telling].sum() < _FEWEST_SPREAD:
        return 0.0
    squares, variance, weights = (
        each[telling] for each in (found.standardised() ** 2, found.variance, trust)
    )

    def excess(extra: float) -> float:
        clipped = np.minimum(squares / (1 + extra * variance), _CLIP)
        return float(np.average(clipped, weights=weights)) - _CLIPPED_MEAN

    if excess(0.0) <= 0:
        return 0.0
    return float(scipy.optimize.brentq(excess, 0.0, _WIDEST)) if excess(_WIDEST) < 0 else _WIDEST
