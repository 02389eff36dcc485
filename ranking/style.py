"""Style control: strengths with length, Markdown, latency and side held, and what each of these is worth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ranking import connectivity
from ranking.ballots import Ballots
from ranking.board import CENTRE, PROVISIONAL_BATTLES, PROVISIONAL_HALF_WIDTH, SCALE
from ranking.contextual import Cells, ContextualFit, fit_cells, fit_contextual
from ranking.covariates import SIDE, Covariates
from ranking.errors import NoFit, NotConverged
from ranking.ranks import quantile
from ranking.tally import Indices, Matrix, Tally
from ranking.types import Outcome, Status
from ranking.voters import Spread, contextual_covariance, vote_covariance


@dataclass(frozen=True, slots=True)
class Term:
    """A coefficient, in rating points (400 / ln 10 a nat) a unit of its covariate, for the answer that has more of it.

    ``error``, ``low`` and ``high`` take votes as independent; the ``voter`` ones take voters as independent and are ``None`` where that is not possible.
    """

    name: str
    estimate: float
    error: float
    low: float
    high: float
    voter_error: float | None
    voter_low: float | None
    voter_high: float | None


@dataclass(frozen=True, slots=True)
class StyledRating:
    """A row: the rating with style held, its interval, and how far style moved it from the plain rating; ``None`` unless the status has a rating."""

    model: str
    rating: float | None
    low: float | None
    high: float | None
    shift: float | None
    status: Status


@dataclass(frozen=True, slots=True)
class StyleBoard:
    """A board with style held.

    Parameters
    ----------
    n_votes
        Votes between rated models that weigh anything.
    interval
        The intervals' confidence level.
    spread
        What the ratings' intervals, and the terms' ``voter`` ones, are taken from; ``VOTES`` where voters allow neither CR3 nor CR1.
    status
        ``OK``, or why nobody has a rating.
    ratings
        Best first, models without a rating last.
    terms
        One a covariate; none without ratings.
    """

    n_votes: int
    interval: float
    spread: Spread
    status: Status
    ratings: tuple[StyledRating, ...]
    terms: tuple[Term, ...]


def build_style_board(ballots: Ballots, covariates: Covariates, *, interval: float = 0.95) -> StyleBoard:
    """Rate with style held, on the votes among :func:`ranking.connectivity.core`.

    Parameters
    ----------
    ballots, covariates
        As in :func:`ranking.contextual.fit_contextual`.
    interval
        Confidence level, between 0 and 1.

    Returns
    -------
    StyleBoard
        With voter-clustered intervals: CR3, or CR1 where one voter alone holds the board together. A model outside the core has an explicit status.

    Raises
    ------
    UnboundedTally, NoFit, NotConverged
        Where the core has a plain fit but not one with these covariates: separation, or a covariate that cannot be told from the models.
    ValueError
        If the interval is no probability, or rows are missing.
    """
    _check_interval(interval)
    counts = ballots.weighted_counts()
    wins = counts[:, :, Outcome.A_BETTER.place] + counts[:, :, Outcome.B_BETTER.place].T
    even = counts[:, :, Outcome.TIE.place :].sum(axis=2)
    points = wins + (even + even.T) / 2
    rated = connectivity.core(points, wins)
    statuses = connectivity.outside(points, rated)
    if not len(rated):
        rows = [_unrated(name, status) for name, status in zip(ballots.models, statuses, strict=True)]
        whole = connectivity.standing(points)
        return StyleBoard(0, interval, Spread.VOTES, whole, tuple(rows), ())
    inner, within = _among(ballots, rated)
    return _styled(ballots.models, statuses, inner, covariates.take(within), interval)


def _styled(
    models: tuple[str, ...], statuses: list[Status], ballots: Ballots, covariates: Covariates, interval: float
) -> StyleBoard:
    fit = fit_contextual(ballots, covariates)
    plain = fit_contextual(ballots, Covariates((), np.zeros((ballots.n_votes, 0))))
    by_vote = contextual_covariance(ballots, covariates, fit, Spread.VOTES)
    by_voter, spread = _by_voter(ballots, covariates, fit)
    reach, m = quantile(interval) * SCALE, len(ballots.models)
    errors = np.sqrt(np.diag(by_vote if by_voter is None else by_voter))[:m]
    met = np.bincount(np.concatenate([ballots.a, ballots.b]), minlength=m)
    rows = {}
    for place, name in enumerate(ballots.models):
        rating, half = float(CENTRE + SCALE * fit.strengths[place]), float(reach * errors[place])
        shift = float(SCALE * (fit.strengths[place] - plain.strengths[place]))
        firm = (
            met[place] >= PROVISIONAL_BATTLES
            and quantile(0.95) * SCALE * errors[place] <= PROVISIONAL_HALF_WIDTH
        )
        status = Status.OK if firm else Status.PROVISIONAL
        rows[name] = StyledRating(name, rating, rating - half, rating + half, shift, status)
    listed = [rows.get(name) or _unrated(name, status) for name, status in zip(models, statuses, strict=True)]
    listed.sort(key=lambda row: (row.rating is None, -(row.rating or 0.0), row.model))
    terms = _terms(fit, by_vote, by_voter, reach)
    return StyleBoard(ballots.n_votes, interval, spread, Status.OK, tuple(listed), terms)


def _by_voter(ballots: Ballots, covariates: Covariates, fit: ContextualFit) -> tuple[Matrix | None, Spread]:
    for spread in (Spread.CR3, Spread.CR1):
        try:
            return contextual_covariance(ballots, covariates, fit, spread), spread
        except (NotConverged, NoFit):
            continue
    return None, Spread.VOTES


def _terms(fit: ContextualFit, by_vote: Matrix, by_voter: Matrix | None, reach: float) -> tuple[Term, ...]:
    terms = []
    for place, name in enumerate(fit.names, start=len(fit.strengths)):
        estimate = float(fit.coefficients[place - len(fit.strengths)]) * SCALE
        error = float(np.sqrt(by_vote[place, place]))
        voter = None if by_voter is None else float(np.sqrt(by_voter[place, place]))
        terms.append(
            Term(
                name=name,
                estimate=estimate,
                error=error * SCALE,
                low=estimate - reach * error,
                high=estimate + reach * error,
                voter_error=None if voter is None else voter * SCALE,
                voter_low=None if voter is None else estimate - reach * voter,
                voter_high=None if voter is None else estimate + reach * voter,
            )
        )
    return tuple(terms)


def _unrated(model: str, status: Status) -> StyledRating:
    return StyledRating(model, None, None, None, None, status)


def _among(ballots: Ballots, rated: Indices) -> tuple[Ballots, NDArray[np.bool_]]:
    """The votes among the rated models that weigh anything, models numbered anew, and which ones they are."""
    place = np.full(len(ballots.models), -1)
    place[rated] = np.arange(len(rated))
    a, b = place[ballots.a], place[ballots.b]
    within = (a >= 0) & (b >= 0)
    if ballots.weight is not None:
        within &= ballots.weight > 0
    part = ballots.take(within)
    names = tuple(ballots.models[index] for index in rated)
    return Ballots(names, a[within], b[within], part.outcome, part.user, part.weight), within


def position_bias(tally: Tally, *, interval: float = 0.95) -> Term:
    """What being shown as A is worth, from counts alone.

    Parameters
    ----------
    tally
        Counts of shape ``(m, m, 4)`` whose sides are those that were shown. Published pair counts are not: their first column is no side.
    interval
        Confidence level, between 0 and 1.

    Returns
    -------
    Term
        Rating points in favour of A, strengths held, fitted jointly on :func:`ranking.connectivity.core`; a tally knows no voters, so ``voter_*`` are ``None``.

    Raises
    ------
    UnboundedTally, DisconnectedTally, NoFit
        If no group of models can be rated, each pair was shown in one order (the side is then a difference of strengths), or a side always won.
    ValueError
        If the interval is no probability.

    Notes
    -----
    R. R. Davidson and R. J. Beaver, "On extending the Bradley-Terry model to incorporate within-pair order effects", Biometrics 33 (1977). As fast as a fit:
    a cell for each ordered pair.
    """
    _check_interval(interval)
    rated = connectivity.core(tally.points(), tally.wins().astype(np.float64))
    if not len(rated):
        raise NoFit(f"nobody can be rated: {connectivity.standing(tally.points())}")
    part = tally.at(rated)
    a, b = np.nonzero(part.counts.sum(axis=2))
    met = part.counts[a, b].astype(np.float64)
    weight = np.stack([met[:, 0], met[:, 1], met[:, 2] + met[:, 3]], axis=1)
    cells = Cells(len(rated), a, b, np.ones((len(a), 1)), weight, weight).together()
    fit = fit_cells(cells, (SIDE,))
    return _terms(fit, vote_covariance(cells, fit), None, quantile(interval) * SCALE)[0]


def _check_interval(interval: float) -> None:
    if not 0 < interval < 1:
        raise ValueError("the interval is a probability between 0 and 1")
