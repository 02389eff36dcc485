"""Bradley-Terry with covariates of each vote: a joint maximum likelihood fit of strengths and coefficients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from scipy.sparse import csr_array
from scipy.special import expit

from ranking import connectivity
from ranking.ballots import Ballots
from ranking.covariates import Covariates
from ranking.errors import DisconnectedTally, NoFit, NotConverged, UnboundedTally
from ranking.fit import LONGEST_STEP, SCORE_TOLERANCE, Vector, regular
from ranking.tally import Indices, Matrix
from ranking.types import Outcome, Status

_MOST_STEPS = 200
_SHORTEST_STEP = 1e-8  # nats, as in ranking.fit
_SAFE_STEP = 0.5  # nats, as in ranking.fit
_SUSPECT = 20.0  # nats between two answers: no board is so steep unless its votes are separated
_RISE = 1e-6  # what counts as more than nothing in the solution of a linear programme
_DEPENDENT = 1e-10  # the smallest eigenvalue, of curvature with a unit diagonal, that is not rounding


@dataclass(frozen=True, slots=True, eq=False)
class ContextualFit:
    """Strengths and coefficients, fitted jointly.

    Parameters
    ----------
    names
        The ``q`` covariates.
    strengths
        Shape ``(m,)``, in nats, mean zero.
    coefficients
        Shape ``(q,)``, in nats a unit of the covariate, for the side that has more of it.
    hessian
        Shape ``(m + q, m + q)``, strengths first; its null space is the constant on the strengths.
    score_norm
        The largest absolute component of the score at the end, of covariates with a root mean square of one.
    """

    names: tuple[str, ...]
    strengths: Vector
    coefficients: Vector
    hessian: Matrix
    score_norm: float


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Votes of one kind, or single ones, as the fit sees them.

    Parameters
    ----------
    m
        How many models there are.
    a, b, x
        Shape ``(c,)``, ``(c,)`` and ``(c, q)``: the model shown as A, as B, and the covariates of each cell.
    weight, squared
        Shape ``(c, 3)``: summed weights, and summed squares of weights, of the votes for A, for B and for neither.
    """

    m: int
    a: Indices
    b: Indices
    x: Matrix
    weight: Matrix
    squared: Matrix

    @classmethod
    def of_ballots(cls, ballots: Ballots, covariates: Covariates) -> Cells:
        """A cell a vote, in their order; ``ValueError`` where there are more rows of one than of the other."""
        n = ballots.n_votes
        if len(covariates.values) != n:
            raise ValueError(f"{len(covariates.values)} rows of covariates for {n} votes")
        weight: Matrix = np.zeros((n, 3))
        result = np.minimum(ballots.outcome, Outcome.TIE.place)
        weight[np.arange(n), result] = 1.0 if ballots.weight is None else ballots.weight
        a, b = ballots.a.astype(np.int64), ballots.b.astype(np.int64)
        return cls(len(ballots.models), a, b, covariates.values, weight, np.square(weight))

    def together(self) -> Cells:
        """Equal cells added up, those without weight left out; a vote seen from the other side is the same vote."""
        used = self.weight.any(axis=1)
        a, b, x = self.a[used], self.b[used], self.x[used]
        flip = a > b
        a, b, x = np.where(flip, b, a), np.where(flip, a, b), np.where(flip[:, None], -x, x)
        first, group = _alike(a * self.m + b, x)
        weight, squared = (
            _added(np.where(flip[:, None], part[:, [1, 0, 2]], part), group, len(first))
            for part in (self.weight[used], self.squared[used])
        )
        return Cells(self.m, a[first], b[first], x[first], weight, squared)

    @property
    def points(self) -> tuple[Vector, Vector]:
        """What A and B won, shape ``(c,)`` each, with half of what was even."""
        half = self.weight[:, 2] / 2
        return self.weight[:, 0] + half, self.weight[:, 1] + half

    def advantage(self, beta: Vector) -> Vector:
        """Shape ``(c,)``: A's advantage in nats, under strengths and coefficients of shape ``(m + q,)``."""
        return np.asarray(beta[self.a] - beta[self.b] + self.x @ beta[self.m :], dtype=np.float64)

    def rows(self) -> csr_array[np.float64, tuple[int, int]]:
        """Shape ``(c, m + q)``: what each advantage takes from strengths and coefficients."""
        c, q = self.x.shape
        one, each = np.ones(c), np.arange(c)
        at = (
            np.concatenate([each, each, np.repeat(each, q)]),
            np.concatenate([self.a, self.b, np.tile(np.arange(self.m, self.m + q), c)]),
        )
        return csr_array((np.concatenate([one, -one, self.x.ravel()]), at), shape=(c, self.m + q))

    def score(self, residual: Vector) -> Vector:
        """The transposed rows times *residual*, shape ``(m + q,)``."""
        models = np.bincount(self.a, residual, self.m) - np.bincount(self.b, residual, self.m)
        return np.concatenate([models, self.x.T @ residual])

    def gram(self, weight: Vector) -> Matrix:
        """The weighted cross-products of the rows, shape ``(m + q, m + q)``."""
        m, wx = self.m, weight[:, None] * self.x
        between = np.bincount(self.a * m + self.b, weight, m * m).reshape(m, m)
        between = between + between.T
        cross = np.zeros((m, wx.shape[1]))
        for place, column in enumerate(wx.T):
            cross[:, place] = np.bincount(self.a, column, m) - np.bincount(self.b, column, m)
        models = np.diag(between.sum(axis=1)) - between
        return np.block([[models, cross], [cross.T, self.x.T @ wx]])


def _added(parts: Matrix, group: Indices, size: int) -> Matrix:
    sums: Matrix = np.zeros((size, parts.shape[1]))
    for place, column in enumerate(parts.T):
        sums[:, place] = np.bincount(group, column, size)
    return sums


def _alike(pair: Indices, x: Matrix) -> tuple[Indices, Indices]:
    """The first row of each group of equal rows, and each row's group.

    Rows are told apart by one number, which sorts much faster than rows do; should two different rows share it, nothing is grouped.
    """
    number = pair + x @ np.sqrt(np.arange(2, x.shape[1] + 2)) * np.pi
    _, first, group = np.unique(number, return_index=True, return_inverse=True)
    if (pair == pair[first][group]).all() and (x == x[first][group]).all():
        return first, group
    return np.arange(len(pair)), np.arange(len(pair))


def fit_contextual(ballots: Ballots, covariates: Covariates) -> ContextualFit:
    """Fit strengths and what style is worth, by maximum likelihood.

    Parameters
    ----------
    ballots
        ``n`` votes with their weights; a tie, or both bad, is half a win each.
    covariates
        ``n`` rows.

    Returns
    -------
    ContextualFit
        At a score below ``SCORE_TOLERANCE``, or below what rounding leaves.

    Raises
    ------
    DisconnectedTally, UnboundedTally
        If wins and ties do not join all models strongly; ``UnboundedTally`` also, naming them, if covariates predict all that they bear on (separation).
    NoFit
        If a covariate never differs, or is a combination of the models and other covariates.
    NotConverged
        If the votes are too steep for floating-point numbers.
    ValueError
        If rows are missing.

    Notes
    -----
    ``logit P(A beats B) = strength_A - strength_B + x . coefficients``: M. Cattelan, "Models for paired comparison data: a review with emphasis on dependent
    data", Statist. Sci. 27 (2012); for the side, R. R. Davidson and R. J. Beaver, "On extending the Bradley-Terry model to incorporate within-pair order
    effects", Biometrics 33 (1977). Newton's method on votes that are alike, added up. Separation: A. Albert and J. A. Anderson, "On the existence of maximum
    likelihood estimates in logistic regression models", Biometrika 71 (1984), found by linear programming (K. Konis, thesis, Oxford, 2007).
    """
    return fit_cells(Cells.of_ballots(ballots, covariates).together(), covariates.names)


def fit_cells(cells: Cells, names: tuple[str, ...]) -> ContextualFit:
    """As :func:`fit_contextual`, from votes that are added up already."""
    _check_models(cells)
    size = np.sqrt(np.average(cells.x**2, axis=0, weights=cells.weight.sum(axis=1)))
    idle = [name for name, each in zip(names, size, strict=True) if each == 0]
    if idle:
        raise NoFit(f"{', '.join(idle)}: the two answers never differ in it")
    scaled = Cells(cells.m, cells.a, cells.b, cells.x / size, cells.weight, cells.squared)
    _check_independent(scaled, names)
    beta, hessian, norm = _newton(scaled, names)
    units = np.concatenate([np.ones(cells.m), size])
    beta, m = beta / units, cells.m
    return ContextualFit(names, beta[:m], beta[m:], hessian * np.outer(units, units), norm)


def _check_models(cells: Cells) -> None:
    points = np.zeros((cells.m, cells.m))
    won, lost = cells.points
    np.add.at(points, (cells.a, cells.b), won)
    np.add.at(points, (cells.b, cells.a), lost)
    status = connectivity.check(points)
    if status is Status.UNBOUNDED:
        raise UnboundedTally("a group of models always won or always lost")
    if status is not Status.OK:
        raise DisconnectedTally("some models never met, directly or through others")


def _check_independent(cells: Cells, names: tuple[str, ...]) -> None:
    full = filled(cells.gram(cells.weight.sum(axis=1)), cells.m)
    scale = np.sqrt(np.diag(full))
    values, vectors = np.linalg.eigh(full / np.outer(scale, scale))
    if values[0] < _DEPENDENT:
        part = np.abs(vectors[cells.m :, 0]) > 1e-3 * np.abs(vectors[:, 0]).max()
        guilty = [name for name, each in zip(names, part, strict=True) if each]
        if not guilty:
            raise NotConverged("the weights are less even than floating-point numbers reach")
        raise NoFit(f"{', '.join(guilty)}: a combination of the models and other covariates")


def filled(hessian: Matrix, m: int) -> Matrix:
    """The Hessian with the constant on its first *m* places, the strengths, filled."""
    full = hessian.copy()
    full[:m, :m] = regular(hessian[:m, :m])[0]
    return full


def _newton(cells: Cells, names: tuple[str, ...]) -> tuple[Vector, Matrix, float]:
    won, lost = cells.points
    total = won + lost
    tolerance = max(SCORE_TOLERANCE, 4 * float(np.finfo(np.float64).eps) * float(total.sum()))
    beta: Vector = np.zeros(cells.m + cells.x.shape[1])
    suspected = False
    for _ in range(_MOST_STEPS):
        advantage = cells.advantage(beta)
        if not suspected and np.abs(advantage).max() > _SUSPECT:
            suspected = True
            _check_separation(cells, names)
        p, q = expit(advantage), expit(-advantage)
        score, hessian = cells.score(won * q - lost * p), cells.gram(total * p * q)
        try:
            step: Vector = np.asarray(np.linalg.solve(filled(hessian, cells.m), score), dtype=np.float64)
        except np.linalg.LinAlgError:
            raise NotConverged("the votes are steeper than floating-point numbers reach") from None
        norm, length = float(np.abs(score).max()), float(np.abs(cells.advantage(step)).max())
        found = beta, hessian, norm
        if norm < tolerance and length < _SHORTEST_STEP:
            return found
        beta = beta + _uphill(cells, beta, step, length)
    if norm < tolerance:  # a top so flat that rounding moves its place, but no interval could tell
        return found
    raise NotConverged(f"the score is still {norm:.3g} after {_MOST_STEPS} steps")


def _uphill(cells: Cells, beta: Vector, step: Vector, length: float) -> Vector:
    """The step, halved until the likelihood rises or the step is safe."""
    won, lost = cells.points

    def loss(place: Vector) -> float:
        advantage = cells.advantage(place)
        return float(won @ np.logaddexp(0.0, -advantage) + lost @ np.logaddexp(0.0, advantage))

    level, bound = loss(beta), min(1.0, LONGEST_STEP / max(length, LONGEST_STEP))
    step, length = step * bound, length * bound
    while length > _SAFE_STEP and not loss(beta + step) <= level:
        step, length = step / 2, length / 2
    return step


def _check_separation(cells: Cells, names: tuple[str, ...]) -> None:
    """Look for a direction along which no vote gets less likely and some get more: the likelihood rises along it without end."""
    won, lost = cells.points
    upward = cells.rows().multiply(np.where(lost == 0, 1.0, -1.0)[:, None])
    best = np.where((won == 0) | (lost == 0), np.inf, 0.0)
    gain = upward.T @ np.where(best > 0, 1.0, 0.0)
    solver = scipy.optimize
    found = solver.milp(
        -gain, constraints=solver.LinearConstraint(upward, 0.0, best), bounds=solver.Bounds(-1.0, 1.0)
    )
    if found.x is not None and found.x @ gain > _RISE:
        guilty = [name for name, each in zip(names, found.x[cells.m :], strict=True) if abs(each) > _RISE]
        raise UnboundedTally(f"{', '.join(guilty)}: predicts without fail every vote that it bears on")
