"""Do groups of votes rank the models differently? A test, and each slice's ratings drawn toward the pooled ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import sqrt

import numpy as np
import scipy
from numpy.typing import NDArray

from ranking import connectivity
from ranking.ballots import NOBODY, Ballots, Codes
from ranking.board import CENTRE, SCALE
from ranking.contextual import fit_contextual
from ranking.covariates import Covariates
from ranking.errors import NotConverged
from ranking.fit import Vector
from ranking.heterogeneity import (
    Heterogeneity,
    SliceFit,
    covariances,
    heterogeneity,
    shrink,
    variance_between,
)
from ranking.ranks import quantile
from ranking.rateable import rateable, weighted_points
from ranking.tally import Indices, Matrix
from ranking.types import Status
from ranking.voters import voter_covariance, voter_influences

FEWEST_USERS = 5


class SliceStatus(StrEnum):
    """What a slice can say. Ratings stand only where it is ``ok``, and no number at all where it is ``suppressed``."""

    OK = "ok"
    SUPPRESSED = "suppressed"
    INSUFFICIENT = "insufficient"
    DISCONNECTED = "disconnected"
    UNBOUNDED = "unbounded"


@dataclass(frozen=True, slots=True)
class SliceRating:
    """A model in a slice, on the scale of a board: from the slice's votes alone, and drawn toward the pooled rating (``None`` with a single rated slice)."""

    model: str
    rating: float
    low: float
    high: float
    shrunk: float | None
    shrunk_low: float | None
    shrunk_high: float | None


@dataclass(frozen=True, slots=True)
class Slice:
    """A slice; counts are of the votes among the pooled board's rated models, and ``None`` where it is suppressed."""

    name: str
    status: SliceStatus
    n_votes: int | None
    n_users: int | None
    ratings: tuple[SliceRating, ...]


@dataclass(frozen=True, slots=True)
class SliceReport:
    """All slices in the order given.

    Parameters
    ----------
    status
        ``OK``, or why the pooled votes have no ratings; then no slice has any.
    slices
        Each with its status.
    heterogeneity
        ``None`` with fewer than two rated slices, or too few voters for the number of models.
    spread
        By how many rating points a model's strength varies between slices beyond chance: the root of the estimated variance; ``None`` with fewer than two
        rated slices.
    interval
        The intervals' confidence level.
    """

    status: Status
    slices: tuple[Slice, ...]
    heterogeneity: Heterogeneity | None
    spread: float | None
    interval: float


def compare_slices(
    ballots: Ballots, place: Codes, names: Sequence[str], *, interval: float = 0.95
) -> SliceReport:
    """Rate each slice, test whether slices differ, and draw their ratings toward the pooled ones.

    Parameters
    ----------
    ballots
        ``n`` votes: all that the pooled board rests on.
    place
        Shape ``(n,)``: each vote's slice, as an index in *names*; -1 for none.
    names
        The slices: levels of Basque or education (each voter in one), or of prompt length, turns or period (voters in several).
    interval
        Confidence level, between 0 and 1.

    Returns
    -------
    SliceReport
        A slice is ``SUPPRESSED`` with fewer than :data:`FEWEST_USERS` known users: votes of nobody do not make it larger, as one person may have cast them
        all. It is ``DISCONNECTED``, ``UNBOUNDED`` or ``INSUFFICIENT`` where its votes do not rate every model that the pooled ones rate, or one user alone
        holds them together.

    Raises
    ------
    ValueError
        If a place has no name, a name repeats, lengths differ, or the interval is no probability.
    NoFit, NotConverged
        If all slices together cannot be fitted, which takes weights that are less even than floating-point numbers reach.

    Notes
    -----
    :func:`ranking.heterogeneity.heterogeneity` (Wald's test, clustered by user) and :func:`ranking.heterogeneity.shrink` (multivariate empirical Bayes with a
    moment estimate of the variance) state formulas, reasons and sources. A slice's own intervals are Student's, with the users less one as degrees of
    freedom, and CR3 errors.

    Suppression protects a slice on its own: who knows all other slices and the pooled counts can still subtract them.
    """
    _check(ballots.n_votes, place, names, interval)
    whole = rateable(ballots)
    at, voters = place[whole.within], whole.ballots.clusters()
    drafts = [_draft(whole.ballots, voters, at == index, name) for index, name in enumerate(names)]
    fits = [draft.fit for draft in drafts if draft.fit is not None]
    joint = covariances(fits) if len(fits) > 1 else None
    variance = None if joint is None else variance_between(fits, joint)
    shrunk = {} if variance is None else _shrunk(whole.ballots, fits, variance)
    models = whole.ballots.models
    return SliceReport(
        status=whole.standing,
        slices=tuple(_finished(draft, models, shrunk.get(draft.name), interval) for draft in drafts),
        heterogeneity=None if joint is None else heterogeneity(fits, joint),
        spread=None if variance is None else sqrt(variance) * SCALE,
        interval=interval,
    )


def _check(n_votes: int, place: Codes, names: Sequence[str], interval: float) -> None:
    if place.shape != (n_votes,):
        raise ValueError(f"places of shape {place.shape} for {n_votes} votes")
    if place.size and not -1 <= place.min() <= place.max() < len(names):
        raise ValueError("a slice has no name")
    if len(set(names)) != len(names):
        raise ValueError("a slice is named twice")
    if not 0 < interval < 1:
        raise ValueError("the interval is a probability between 0 and 1")


@dataclass(frozen=True, slots=True, eq=False)
class _Draft:
    name: str
    status: SliceStatus
    n_votes: int | None = None
    n_users: int | None = None
    fit: SliceFit | None = None


def _draft(ballots: Ballots, voters: Indices, chosen: NDArray[np.bool_], name: str) -> _Draft:
    users = ballots.user[chosen]
    n_users = len(np.unique(users[users != NOBODY]))
    if n_users < FEWEST_USERS:
        return _Draft(name, SliceStatus.SUPPRESSED)
    status, fit = _fitted(ballots.take(chosen), np.unique(voters[chosen]), name)
    return _Draft(name, status, int(chosen.sum()), n_users, fit)


def _fitted(part: Ballots, voters: Indices, name: str) -> tuple[SliceStatus, SliceFit | None]:
    points, wins = weighted_points(part)
    if len(connectivity.core(points, wins)) < len(part.models):
        found = connectivity.check(points)
        return SliceStatus.INSUFFICIENT if found is Status.OK else SliceStatus(found.value), None
    nothing = Covariates.none(part.n_votes)
    try:
        fit = fit_contextual(part, nothing)
        influences = voter_influences(part, nothing, fit)
    except NotConverged:
        return SliceStatus.INSUFFICIENT, None
    return SliceStatus.OK, SliceFit(name, fit.strengths, voters, influences)


def _shrunk(ballots: Ballots, fits: Sequence[SliceFit], variance: float) -> dict[str, tuple[Vector, Matrix]]:
    nothing = Covariates.none(ballots.n_votes)
    pooled = fit_contextual(ballots, nothing)
    covariance, _ = voter_covariance(ballots, nothing, pooled)
    return {fit.name: shrink(fit, pooled.strengths, covariance, variance) for fit in fits}


def _finished(
    draft: _Draft, models: tuple[str, ...], shrunk: tuple[Vector, Matrix] | None, interval: float
) -> Slice:
    fit = draft.fit
    if fit is None:
        return Slice(draft.name, draft.status, draft.n_votes, draft.n_users, ())
    reach = float(scipy.stats.t.ppf((1 + interval) / 2, len(fit.voters) - 1))
    own = _limits(fit.strengths, fit.covariance(fit), reach)
    drawn = [(None, None, None)] * len(models) if shrunk is None else _limits(*shrunk, quantile(interval))
    rows = [
        SliceRating(model, *mine, *theirs) for model, mine, theirs in zip(models, own, drawn, strict=True)
    ]
    rows.sort(key=lambda row: (-row.rating, row.model))
    return Slice(draft.name, draft.status, draft.n_votes, draft.n_users, tuple(rows))


def _limits(strengths: Vector, covariance: Matrix, reach: float) -> list[tuple[float, float, float]]:
    """Rating, low and high of each model."""
    ratings = CENTRE + SCALE * strengths
    half = reach * SCALE * np.sqrt(np.maximum(np.diag(covariance), 0.0))
    return [(float(x), float(x - h), float(x + h)) for x, h in zip(ratings, half, strict=True)]
