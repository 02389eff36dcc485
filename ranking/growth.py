"""Many copies of a board at once, growing by simulated votes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.special import expit

from ranking.fit import Vector, win_probabilities
from ranking.knowledge import Knowledge
from ranking.pairing import pair_shares
from ranking.policies import SamplingPolicy
from ranking.tally import Matrix, Tally

PUBLISHED_TIES = 0.195
"""The share of ties among the 12,890 published votes (EMNLP 2025 study): what is assumed where a board cannot tell."""
_MOST_TIES = 3.6  # of 4: votes that are ties alone would be certain at once


@dataclass(frozen=True, eq=False)  # without slots, for what is worked out once
class Boards:
    """*r* boards of the same ``m`` models, each with a truth of its own.

    Parameters
    ----------
    truth
        Shape ``(r, m)``: the strengths that the votes follow, in nats.
    battles
        Shape ``(r, m, m)``, symmetric.
    information, meat
        Shape ``(r, m, m)``: the Hessian, and the covariance of the score, whose sandwich is the strengths' covariance.
    pull
        Shape ``(r, m)``: the score at the truth.
    tie_rate
        A pair's share of ties is this times ``p (1 - p)``.
    """

    truth: Vector
    battles: Matrix
    information: Matrix
    meat: Matrix
    pull: Vector
    tie_rate: float

    @cached_property
    def estimates(self) -> tuple[Vector, Matrix]:
        """Strengths, ``(r, m)``, mean zero, and their sandwich covariance, ``(r, m, m)``."""
        m = self.truth.shape[-1]
        size = np.trace(self.information, axis1=-2, axis2=-1)[..., None, None] / m
        inverse = np.linalg.inv(
            self.information + size / m
        )  # constants, made regular, meet no score and no meat
        strengths = self.truth + (inverse @ self.pull[..., None])[..., 0]
        centred = strengths - strengths.mean(axis=-1, keepdims=True)
        return np.asarray(centred, dtype=np.float64), np.asarray(
            inverse @ self.meat @ inverse, dtype=np.float64
        )


def boards_from(tally: Tally, known: Knowledge, *, repetitions: int, rng: np.random.Generator) -> Boards:
    """Copies of a board whose truths are drawn from what is known of it.

    A rated model's truth is normal around its estimate, with the sandwich covariance; another's is spread as the rated ones are, or is as good as everybody
    where none is rated.
    """
    covariance = np.where(np.outer(known.rated, known.rated), known.covariance, 0.0)
    truth = rng.multivariate_normal(known.strengths, covariance, size=repetitions, method="eigh")
    if known.rated.any():
        spread = float(known.strengths[known.rated].std())
        truth[:, ~known.rated] = rng.normal(0.0, spread, (repetitions, int((~known.rated).sum())))
    met = tally.counts.sum(axis=2).astype(np.float64)
    information = known.hessian + known.prior
    shape = (repetitions, *met.shape)
    return Boards(
        truth=truth,
        battles=np.broadcast_to(met + met.T, shape),
        information=np.broadcast_to(information, shape),
        meat=np.broadcast_to(known.hessian @ covariance @ known.hessian + known.prior, shape),
        pull=(known.strengths - truth) @ information,
        tie_rate=_tie_rate(tally, known),
    )


def grown(boards: Boards, votes: int, policy: SamplingPolicy, rng: np.random.Generator) -> Boards:
    """The boards after so many more votes each, drawn by *policy* from what each board then knows.

    Notes
    -----
    All votes of a call are drawn from one table, as if they were under way together. The score of *n* votes of a pair is taken as normal, with variance
    ``n (p (1 - p) - ties / 4)``, and the estimate as one Newton step from the truth: exact to first order, as the intervals are.
    """
    strengths, covariance = boards.estimates
    shares = pair_shares(
        policy,
        battles=boards.battles,
        strengths=strengths,
        covariance=covariance,
        seen=np.zeros_like(covariance[0]),
    )
    met = _drawn(shares, votes, rng)
    p = expit(boards.truth[:, :, None] - boards.truth[:, None, :])
    information = met * p * (1 - p)
    meat = information * (1 - boards.tie_rate / 4)
    noise = np.triu(rng.standard_normal(meat.shape), 1)
    score = np.sqrt(meat) * (noise - np.swapaxes(noise, 1, 2))
    return replace(
        boards,
        battles=boards.battles + met,
        information=boards.information + _laplacian(information),
        meat=boards.meat + _laplacian(meat),
        pull=boards.pull + score.sum(axis=2),
    )


def _drawn(shares: Matrix, votes: int, rng: np.random.Generator) -> Matrix:
    """Shape ``(r, m, m)``, symmetric: how often each pair is drawn."""
    rows, columns = np.triu_indices(shares.shape[-1], 1)
    flat = shares[:, rows, columns]
    met = np.zeros_like(shares)
    met[:, rows, columns] = rng.multinomial(votes, flat / flat.sum(axis=-1, keepdims=True))
    return met + np.swapaxes(met, 1, 2)


def _laplacian(weights: Matrix) -> Matrix:
    found = -weights
    at = np.arange(weights.shape[-1])
    found[:, at, at] = weights.sum(axis=-1)
    return found


def _tie_rate(tally: Tally, known: Knowledge) -> float:
    """Ties over the sum of ``p (1 - p)`` of the battles among rated models; the published share of even battles where none is."""
    if not known.rated.any():
        return 4 * PUBLISHED_TIES
    at = np.flatnonzero(known.rated)
    part = tally.at(at)
    p = win_probabilities(known.strengths[at])
    expected = (part.counts.sum(axis=2) * p * p.T).sum()
    return float(min(part.ties().sum() / 2 / expected, _MOST_TIES))
