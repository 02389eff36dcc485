"""Whether a group of voters judges a model differently from everybody else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray
from scipy.special import ndtr

from ranking.ballots import Ballots
from ranking.fit import Vector, fit_bradley_terry, regular, win_probabilities
from ranking.tally import Indices, Matrix
from ranking.types import Outcome, TieRule

Mask = NDArray[np.bool_]

_FEWEST_USERS = 2
_NO_INFORMATION = 1e-9  # of a model's own, below which the group has nothing to be compared with


@dataclass(frozen=True, slots=True)
class PooledModel:
    """How a group judges one model.

    Parameters
    ----------
    model
        Its name.
    n_votes, n_users
        The group's votes on the model that the tie rule counts, and who cast them.
    effect
        By how many nats the group puts the model higher than the rest does, to first order; None where it cannot be told.
    error
        Its standard error, clustered by user.
    statistic
        The score in standard errors, positive where the group favours the model; None where it cannot be told.
    p, q
        Its two-sided p-value, 1 where nothing can be told, and the same adjusted over the models that can.
    flagged
        Whether *q* is at most the wanted rate of false discoveries.
    """

    model: str
    n_votes: int
    n_users: int
    effect: float | None
    error: float | None
    statistic: float | None
    p: float
    q: float
    flagged: bool


@dataclass(frozen=True, slots=True)
class PooledReport:
    """The models of a board, in the ballots' order.

    Parameters
    ----------
    models
        One entry a model.
    n_votes, n_users
        Of the group; each vote of nobody is a user's of its own.
    fdr
        The wanted rate of false discoveries.
    """

    models: tuple[PooledModel, ...]
    n_votes: int
    n_users: int
    fdr: float

    @property
    def flagged(self) -> tuple[PooledModel, ...]:
        return tuple(model for model in self.models if model.flagged)


@dataclass(frozen=True, slots=True, eq=False)
class _Scores:
    """Sums over users, ``k`` of them, and models.

    Parameters
    ----------
    all, group
        Shape ``(k, m)``: each user's residual points for each model, over all votes and over the group's.
    hessian, group_hessian
        Shape ``(m, m)``: the information of all votes and of the group's.
    n_votes, n_users
        Shape ``(m,)``: the group's votes on each model, and their users.
    """

    all: Matrix
    group: Matrix
    hessian: Matrix
    group_hessian: Matrix
    n_votes: Indices
    n_users: Indices


def compare_group(
    ballots: Ballots, group: Mask, *, ties: TieRule = TieRule.HALF, fdr: float = 0.05
) -> PooledReport:
    """Test for each model whether a group of voters judges it differently from the rest.

    Parameters
    ----------
    ballots
        All votes; weights are left aside.
    group
        Shape ``(n,)``: the votes of the group, say guests', a day's, a campaign's.
    ties
        ``HALF`` or ``DROP``: how ties count.
    fdr
        The wanted rate of false discoveries among the models, in (0, 1).

    Returns
    -------
    PooledReport
        A model is told nothing of (``statistic`` None, *p* 1) where fewer than two of the group's users voted on it, or all its votes are the group's.

    Raises
    ------
    ValueError
        If the mask has another shape, *fdr* is no rate, or the tie rule is another.
    NoFit
        If the votes have no fit: see :func:`~ranking.fit.fit_bradley_terry`.

    Notes
    -----
    A score test of one parameter at a time: a shift of the model's strength in the group's votes alone. The score is the group's residual points of the
    model under the fit to all votes, less what the fit's own strengths take up; its variance sums the squares of users' totals, so a user's votes may be
    as alike as they please (Liang and Zeger, "Longitudinal data analysis using generalized linear models", Biometrika 73, 1986; Boos, "On generalized
    score tests", The American Statistician 46, 1992). As that variance is taken around zero, the statistic cannot exceed the root of the number of users,
    and has tails lighter than the normal distribution's (Efron, "Student's t-test under symmetry conditions", Journal of the American Statistical Association
    64, 1969): a handful of users alone is never evidence of a group, however often they vote; that is what the tests of single raters are for.
    """
    if group.shape != (ballots.n_votes,):
        raise ValueError("the group is no mask of the votes")
    if not 0 < fdr < 1:
        raise ValueError(f"{fdr} is no rate of false discoveries")
    if ties not in {TieRule.HALF, TieRule.DROP}:
        raise ValueError(f"the test counts ties as half a win or not at all, not by {ties}")
    scores = _scores(ballots, group, fit_bradley_terry(ballots.tally(), ties=ties).strengths, ties)
    total, error, information = _efficient(scores)
    told = scores.n_users >= _FEWEST_USERS
    told &= (information > _NO_INFORMATION * np.diag(scores.hessian)) & (error > 0)
    statistic = np.where(told, total / np.where(told, error, 1.0), 0.0)
    p, q = 2 * ndtr(-np.abs(statistic)), np.ones(len(told))
    q[told] = scipy.stats.false_discovery_control(p[told])
    models = tuple(
        PooledModel(
            model=name,
            n_votes=int(scores.n_votes[k]),
            n_users=int(scores.n_users[k]),
            effect=float(total[k] / information[k]) if told[k] else None,
            error=float(error[k] / information[k]) if told[k] else None,
            statistic=float(statistic[k]) if told[k] else None,
            p=float(p[k]),
            q=float(q[k]),
            flagged=bool(told[k] and q[k] <= fdr),
        )
        for k, name in enumerate(ballots.models)
    )
    n_users = len(np.unique(ballots.clusters()[group]))
    return PooledReport(models, int(group.sum()), n_users, fdr)


def _scores(ballots: Ballots, group: Mask, strengths: Vector, ties: TieRule) -> _Scores:
    counted = np.ones(ballots.n_votes, dtype=np.bool_)
    if ties is TieRule.DROP:
        counted = ballots.outcome < Outcome.TIE.place
    votes, user, inside = (
        ballots.take(counted),
        ballots.clusters()[counted],
        group[counted].astype(np.float64),
    )
    p = win_probabilities(strengths)[votes.a, votes.b]
    residual = np.array([1.0, 0.0, 0.5, 0.5])[votes.outcome] - p
    met = _by_user(votes, user, inside, inside)
    return _Scores(
        all=_by_user(votes, user, residual, -residual),
        group=_by_user(votes, user, residual * inside, -residual * inside),
        hessian=_information(votes, p * (1 - p)),
        group_hessian=_information(votes, p * (1 - p) * inside),
        n_votes=met.sum(axis=0).astype(np.int64),
        n_users=(met > 0).sum(axis=0).astype(np.int64),
    )


def _by_user(votes: Ballots, user: Indices, on_a: Vector, on_b: Vector) -> Matrix:
    """Shape ``(k, m)``: sums over each user's votes of what they put on the models shown as A and as B."""
    k, m = int(user.max(initial=-1)) + 1, len(votes.models)
    sums = np.bincount(user * m + votes.a, weights=on_a, minlength=k * m)
    sums = sums + np.bincount(user * m + votes.b, weights=on_b, minlength=k * m)
    return np.asarray(sums.reshape(k, m), dtype=np.float64)


def _information(votes: Ballots, weight: Vector) -> Matrix:
    """Shape ``(m, m)``: the sum over votes of *weight* times the outer product of +1 on A and -1 on B."""
    m = len(votes.models)
    met = np.bincount(votes.a * m + votes.b, weights=weight, minlength=m * m).reshape(m, m)
    met = met + met.T
    return np.asarray(np.diag(met.sum(axis=1)) - met, dtype=np.float64)


def _efficient(scores: _Scores) -> tuple[Vector, Vector, Vector]:
    """For each model, shape ``(m,)``: the score of its shift in the group, its clustered standard error, and its information."""
    taken_up = np.linalg.solve(regular(scores.hessian)[0], scores.group_hessian)
    by_user = scores.group - scores.all @ taken_up
    information = np.diag(scores.group_hessian - scores.group_hessian @ taken_up)
    return by_user.sum(axis=0), np.sqrt((by_user**2).sum(axis=0)), information
