"""What a board rests on: a tally, or single votes with their voters and weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ranking import connectivity
from ranking.ballots import Ballots
from ranking.clusters import clustered_covariance
from ranking.fit import Vector, fit_bradley_terry, fit_points
from ranking.points import points_of, wins_of
from ranking.rao_kupper import fit_rao_kupper, rao_kupper_covariance
from ranking.resilience import survivors
from ranking.tally import Indices, Matrix, Tally
from ranking.types import TieRule
from ranking.uncertainty import sandwich_covariance, weighted_sandwich


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """The strengths that the votes allow, and how sure they are.

    Parameters
    ----------
    rated
        Shape ``(k,)``, ascending: the models that can be rated together, with an interval; the rest is about them. None, or at least one.
    strengths
        Shape ``(k,)``, in nats.
    covariance
        Shape ``(k, k)``, in nats squared, its variances positive.
    freedom
        Degrees of freedom of the covariance; infinite where every vote stands for itself.
    """

    rated: Indices
    strengths: Vector
    covariance: Matrix
    freedom: float = np.inf

    @classmethod
    def nothing(cls) -> Estimate:
        return cls(np.empty(0, dtype=np.int64), np.empty(0), np.empty((0, 0)))


class Evidence(Protocol):
    """Votes that a board can be made of."""

    @property
    def tally(self) -> Tally:
        """The votes as they were cast, each counted once."""

    def points(self, ties: TieRule) -> Matrix:
        """Shape ``(m, m)``: what row scored against column, as the fit sees it."""

    def estimate(self, ties: TieRule) -> Estimate:
        """Fit the models that can be rated. Raises ``NotConverged`` where floating-point numbers do not reach."""


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """A tally: votes are independent and weigh one each."""

    tally: Tally

    def points(self, ties: TieRule) -> Matrix:
        """As half wins under Rao-Kupper too: wins and ties together are what joins models there."""
        return self.tally.points(TieRule.HALF if ties is TieRule.RAO_KUPPER else ties)

    def estimate(self, ties: TieRule) -> Estimate:
        rated = connectivity.core(self.points(ties), self.tally.wins().astype(np.float64))
        if not len(rated):
            return Estimate.nothing()
        part = self.tally.at(rated)
        if ties is TieRule.RAO_KUPPER:
            with_ties = fit_rao_kupper(part)
            return Estimate(rated, with_ties.strengths, rao_kupper_covariance(part, with_ties))
        fit = fit_bradley_terry(part, ties=ties)
        return Estimate(rated, fit.strengths, sandwich_covariance(part, fit))


class Cast:
    """Single votes, by their weights; independent, or clustered by voter. Ties count as half wins or not at all.

    Parameters
    ----------
    ballots
        The votes. Those of weight zero do not enter the board at all. Only the proportions of weights matter, so they are scaled to at most 1.
    clustered
        Whether intervals are clustered by voter.
    """

    def __init__(self, ballots: Ballots, *, clustered: bool) -> None:
        self._ballots = _scaled(ballots)
        self._clustered = clustered
        self._estimates: dict[TieRule, Estimate] = {}
        self.tally = self._ballots.tally()
        self._counts = self._summed(power=1)

    def points(self, ties: TieRule) -> Matrix:
        return points_of(self._counts, ties)

    def estimate(self, ties: TieRule) -> Estimate:
        if ties not in self._estimates:
            self._estimates[ties] = self._estimated(ties)
        return self._estimates[ties]

    def _estimated(self, ties: TieRule) -> Estimate:
        rated = self._rated(ties)
        if not len(rated):
            return Estimate.nothing()
        among = np.ix_(rated, rated)
        fit = fit_points(points_of(self._counts[among], ties), ties=ties)
        if not self._clustered:
            return Estimate(rated, fit.strengths, weighted_sandwich(self._summed(power=2)[among], fit))
        found = clustered_covariance(self._ballots.among(rated), fit)
        told = np.diag(found.covariance) > 0
        return Estimate(
            rated[told], fit.strengths[told], found.covariance[np.ix_(told, told)], found.n_clusters - 1
        )

    def _summed(self, power: int) -> Matrix:
        if self._ballots.weight is None:
            return self.tally.counts.astype(np.float64)
        return self._ballots.weighted_counts(power)

    def _rated(self, ties: TieRule) -> Indices:
        """Clustered, the models are those that stay joined whichever one voter is left out."""
        points, wins = self.points(ties), wins_of(self._counts)
        group = connectivity.core(points, wins)
        while self._clustered and len(group):
            inner = group[survivors(self._ballots.among(group).entering(ties))]
            inner = inner[connectivity.core(points[np.ix_(inner, inner)], wins[np.ix_(inner, inner)])]
            if len(inner) == len(group):
                break
            group = inner
        return group


def _scaled(ballots: Ballots) -> Ballots:
    if ballots.weight is None or not ballots.n_votes:
        return ballots
    counted = ballots.take(ballots.weight > 0)
    weight = ballots.weight[ballots.weight > 0]
    return counted.reweighted(weight / weight.max()) if len(weight) else counted
