"""Who votes unlike an honest rater: residual tests per user, corrected over all users."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import scipy
from numpy.typing import NDArray

from ranking.ballots import NOBODY, Ballots
from ranking.fit import Fit, Vector
from ranking.honest import Honest, honest_yardstick
from ranking.residuals import Tested, decisive_votes, one_model, position, reliability, tie_rate
from ranking.tally import Indices, Matrix

Mask = NDArray[np.bool_]


class RaterTest(StrEnum):
    """What a rater is tested for; also the reason why one is flagged."""

    RELIABILITY = "reliability"
    POSITION = "position"
    ONE_MODEL = "one_model"
    TIE_RATE = "tie_rate"


DEFAULT_FDR = 0.08
"""With one bad rater among eight, about one honest one of a hundred is flagged."""

OVERWHELMING = 1e-4
"""The probability that any honest rater of a board at all looks as bad by chance, at which one need not wait for staff."""

_FEWEST_TESTED, _LARGEST_SHARE = 30, 0.1

_SHARE = {test: 0.7 if test is RaterTest.RELIABILITY else 0.1 for test in RaterTest}


@dataclass(frozen=True, slots=True)
class Residual:
    """One test of one rater.

    Parameters
    ----------
    statistic
        Standard deviations from what is expected, the honest spread between raters included. Negative: agrees less than predicted, prefers the right
        side, votes against the model, ties less.
    p
        The probability of at least that under an honest rater, corrected for the number of models in the test of one model.
    """

    statistic: float
    p: float


@dataclass(frozen=True, slots=True)
class Rater:
    """What the tests say of one user.

    Parameters
    ----------
    user
        The user's number in the ballots.
    n_votes, n_decisive
        How many votes, and how many of them without a tie.
    reliability, position, one_model, tie_rate
        The four tests; reliability is one-sided (agrees too little), the others two-sided.
    model
        The model that *one_model* is about; None where no model has enough of the user's votes.
    p
        The four combined: the smallest after each is divided by its share, 0.7 for reliability, since a random clicker shows nowhere else, and 0.1 for
        each other (weighted Bonferroni); it holds however the tests depend on each other. At most 1.
    q
        *p* adjusted over all tested users by Benjamini and Hochberg; 1 where the user has too few votes to be tested.
    flagged
        Whether *q* is at most the wanted rate of false discoveries.
    reasons
        The tests that would by themselves have flagged the user; empty unless flagged.
    overwhelming
        Whether *p*, once the flagged do not widen the honest spread, times the number of tested users (Bonferroni) is at most ``OVERWHELMING``. False for
        all on a board where fewer than 30 users are tested, or where it would hold for more than a tenth of them: there nobody can say who is the odd one out.
    """

    user: int
    n_votes: int
    n_decisive: int
    reliability: Residual
    position: Residual
    one_model: Residual
    tie_rate: Residual
    model: str | None
    p: float
    q: float
    flagged: bool
    reasons: tuple[RaterTest, ...]
    overwhelming: bool


@dataclass(frozen=True, slots=True, eq=False)
class RaterReport:
    """All raters of a board, by user number.

    Parameters
    ----------
    raters
        One a user; votes of nobody have none.
    spread
        By test, how much honest raters differ: the standard deviation of their own log-odds (of a tie, of side A, of one model; for reliability, of the
        factor on the predicted log-odds), as estimated from all.
    fdr
        The wanted rate of false discoveries among the flagged.
    """

    raters: tuple[Rater, ...]
    spread: dict[RaterTest, float]
    fdr: float

    @property
    def overwhelming(self) -> tuple[Rater, ...]:
        return tuple(rater for rater in self.raters if rater.overwhelming)

    @property
    def flagged(self) -> tuple[Rater, ...]:
        return tuple(rater for rater in self.raters if rater.flagged)


@dataclass(frozen=True, slots=True, eq=False)
class _Users:
    """All users' tests, in the order of the enum, with the model that the third is about."""

    numbers: Indices
    n_votes: Indices
    n_decisive: Indices
    tests: dict[RaterTest, Tested]
    models: tuple[str | None, ...]

    @property
    def corrected(self) -> Matrix:
        """Shape ``(k, 4)``: each test's p divided by its share."""
        return np.stack([tested.p / _SHARE[test] for test, tested in self.tests.items()], axis=1)

    @property
    def p(self) -> Vector:
        """Shape ``(k,)``: the tests combined."""
        return np.asarray(np.minimum(1.0, self.corrected.min(axis=1)), dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class _Verdicts:
    """What follows from the tests, of shape ``(k,)`` each."""

    q: Vector
    flagged: Mask
    overwhelming: Mask


def examine_raters(
    ballots: Ballots, fit: Fit, *, fdr: float = DEFAULT_FDR, min_votes: int = 5
) -> RaterReport:
    """Test each user's votes against what the board predicts of an honest rater.

    Parameters
    ----------
    ballots
        The votes that were fitted, in any order; weights are left aside.
    fit
        The board's fit, under any tie rule.
    fdr
        The wanted rate of false discoveries, in (0, 1).
    min_votes
        Users with fewer votes are reported, and neither flagged nor corrected for.

    Returns
    -------
    RaterReport
        In the order of the users' numbers; empty where nobody is known.

    Raises
    ------
    ValueError
        If *fdr* is no rate, or the fit is of another number of models.

    Notes
    -----
    Each statistic is a sum of independent two-valued terms given the pairs, with exact tails up to ``EXACT_TERMS`` votes (:mod:`ranking.convolution`):
    ties among all votes; and among decisive votes, so that a liking for ties is no fault elsewhere, wins of side A, wins of each model, and agreement
    with the favourite weighted by the predicted log-odds (the score of a factor on them).
    Honest raters differ in taste, in care and in their liking for ties. A random effect of variance ``t`` on the log-odds adds ``t V**2`` to a statistic's
    variance ``V``; ``t`` is estimated for each test from all users by matching a clipped second moment (in the manner of Huber, "Robust estimation of a
    location parameter", Annals of Mathematical Statistics 35, 1964), and the exact tail, as a normal deviate, is divided by ``sqrt(1 + t V)``.
    What is expected, and the spread, come from votes weighed by the trust in each user (:mod:`ranking.honest`).
    Several who push one model hide each other: each of their votes is also one against its opponent, and widens the spread of all models. So those who are
    flagged are measured once more by a spread that leaves them out, which says who is *overwhelming*.
    Over users: Benjamini and Hochberg, "Controlling the false discovery rate", Journal of the Royal Statistical Society B 57, 1995.
    """
    if not 0 < fdr < 1:
        raise ValueError(f"{fdr} is no rate of false discoveries")
    if len(fit.strengths) != len(ballots.models):
        raise ValueError("the fit is of another board")
    honest = honest_yardstick(ballots, fit.strengths)
    users = _tested(ballots, fit.strengths, honest)
    verdicts = _verdicts(users, users.n_votes >= min_votes, fdr)
    if verdicts.flagged.any():
        unmasked = replace(honest, trust=honest.trust * ~verdicts.flagged)
        again = _tested(ballots, fit.strengths, unmasked)
        verdicts = replace(verdicts, overwhelming=_overwhelming(again, verdicts.flagged, min_votes))
    raters = _raters(users, verdicts)
    spread = {test: tested.spread for test, tested in users.tests.items()}
    return RaterReport(raters, spread, fdr)


def _tested(ballots: Ballots, strengths: Vector, honest: Honest) -> _Users:
    votes = ballots.take(ballots.user != NOBODY)
    numbers, whose = np.unique(votes.user, return_inverse=True)
    decisive = decisive_votes(votes, whose, strengths, honest)
    favoured, models = one_model(decisive)
    return _Users(
        numbers=numbers.astype(np.int64),
        n_votes=np.bincount(whose, minlength=len(numbers)),
        n_decisive=np.bincount(decisive.whose, minlength=len(numbers)),
        tests={
            RaterTest.RELIABILITY: reliability(decisive),
            RaterTest.POSITION: position(decisive),
            RaterTest.ONE_MODEL: favoured,
            RaterTest.TIE_RATE: tie_rate(votes, whose, strengths, honest),
        },
        models=tuple(None if model < 0 else votes.models[model] for model in models),
    )


def _verdicts(users: _Users, tested: Mask, fdr: float) -> _Verdicts:
    p, q = users.p, np.ones(len(users.p))
    q[tested] = scipy.stats.false_discovery_control(p[tested])
    return _Verdicts(q=q, flagged=q <= fdr, overwhelming=np.zeros(len(p), dtype=np.bool_))


def _raters(users: _Users, verdicts: _Verdicts) -> tuple[Rater, ...]:
    p, flagged = users.p, verdicts.flagged
    reached = users.corrected <= p[flagged].max(initial=0.0)
    return tuple(
        Rater(
            user=int(number),
            n_votes=int(users.n_votes[k]),
            n_decisive=int(users.n_decisive[k]),
            reliability=_residual(users, RaterTest.RELIABILITY, k),
            position=_residual(users, RaterTest.POSITION, k),
            one_model=_residual(users, RaterTest.ONE_MODEL, k),
            tie_rate=_residual(users, RaterTest.TIE_RATE, k),
            model=users.models[k],
            p=float(p[k]),
            q=float(verdicts.q[k]),
            flagged=bool(flagged[k]),
            reasons=tuple(test for at, test in enumerate(users.tests) if flagged[k] and reached[k, at]),
            overwhelming=bool(verdicts.overwhelming[k]),
        )
        for k, number in enumerate(users.numbers)
    )


def _overwhelming(users: _Users, flagged: Mask, min_votes: int) -> Mask:
    """Shape ``(k,)``: whose *p* no honest rater of such a board would reach, unless they are too many to be the odd ones out."""
    n_tested = int((users.n_votes >= min_votes).sum())
    found = flagged & (users.p * n_tested <= OVERWHELMING)
    if n_tested < _FEWEST_TESTED or found.sum() > _LARGEST_SHARE * n_tested:
        return np.zeros_like(found)
    return found


def _residual(users: _Users, test: RaterTest, k: int) -> Residual:
    tested = users.tests[test]
    return Residual(float(tested.statistic[k]), float(tested.p[k]))
