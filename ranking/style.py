"""Style control: strengths with length, Markdown, latency and side held, and what each of these is worth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ranking import connectivity
from ranking.ballots import Ballots
from ranking.board import CENTRE, PROVISIONAL_BATTLES, PROVISIONAL_HALF_WIDTH, SCALE
from ranking.contextual import Cells, ContextualFit, fit_cells, fit_contextual
from ranking.covariates import SIDE, Covariates
from ranking.errors import NoFit
from ranking.fit import Vector
from ranking.ranks import quantile
from ranking.rateable import rateable
from ranking.tally import Matrix, Tally
from ranking.types import Status
from ranking.voters import Spread, contextual_covariance, vote_covariance, voter_covariance


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
    if len(covariates.values) != ballots.n_votes:
        raise ValueError(f"{len(covariates.values)} rows of covariates for {ballots.n_votes} votes")
    part = rateable(ballots)
    unrated = [_unrated(name, each) for name, each in zip(ballots.models, part.statuses, strict=True)]
    if part.standing is not Status.OK:
        return StyleBoard(0, interval, Spread.VOTES, part.standing, tuple(unrated), ())
    return _styled(unrated, part.ballots, covariates.take(part.within), interval)


def _styled(
    unrated: list[StyledRating], ballots: Ballots, covariates: Covariates, interval: float
) -> StyleBoard:
    fit = fit_contextual(ballots, covariates)
    by_vote = contextual_covariance(ballots, covariates, fit, Spread.VOTES)
    by_voter, spread = voter_covariance(ballots, covariates, fit)
    errors = np.sqrt(np.diag(by_voter)) * SCALE
    rated = {row.model: row for row in _rated(ballots, fit, errors, interval)}
    rows = [rated.get(row.model, row) for row in unrated]
    rows.sort(key=lambda row: (row.rating is None, -(row.rating or 0.0), row.model))
    clustered = None if spread is Spread.VOTES else by_voter
    terms = _terms(fit, by_vote, clustered, quantile(interval) * SCALE)
    return StyleBoard(ballots.n_votes, interval, spread, Status.OK, tuple(rows), terms)


def _rated(ballots: Ballots, fit: ContextualFit, errors: Vector, interval: float) -> list[StyledRating]:
    plain = fit_contextual(ballots, Covariates.none(ballots.n_votes))
    met = np.bincount(np.concatenate([ballots.a, ballots.b]), minlength=len(ballots.models))
    rows = []
    for place, name in enumerate(ballots.models):
        rating, error = float(CENTRE + SCALE * fit.strengths[place]), float(errors[place])
        firm = met[place] >= PROVISIONAL_BATTLES and quantile(0.95) * error <= PROVISIONAL_HALF_WIDTH
        half = quantile(interval) * error
        rows.append(
            StyledRating(
                model=name,
                rating=rating,
                low=rating - half,
                high=rating + half,
                shift=float(SCALE * (fit.strengths[place] - plain.strengths[place])),
                status=Status.OK if firm else Status.PROVISIONAL,
            )
        )
    return rows


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
