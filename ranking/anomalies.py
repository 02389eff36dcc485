"""Which pairs met more or less often than the sampling explains."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import scipy
from numpy.typing import NDArray

from ranking.fit import Vector
from ranking.tally import Matrix, Tally


class Correction(StrEnum):
    """How p-values of many pairs are adjusted: for one false alarm at all, or for their share among the alarms."""

    HOLM = "holm"
    BENJAMINI_HOCHBERG = "benjamini_hochberg"


class Sampling(StrEnum):
    """How often a pair met, given what was expected."""

    AS_EXPECTED = "as_expected"
    OVER = "over"
    UNDER = "under"


@dataclass(frozen=True, slots=True)
class PairCount:
    """How often a pair met.

    Parameters
    ----------
    model_a, model_b
        The pair, in the tally's order.
    n, expected
        Battles observed, and expected of its share of all battles.
    residual
        Standard deviations from *expected*; None where no other number could have come out.
    p
        Twice the smaller exact binomial tail, at most 1.
    adjusted
        *p* corrected for the number of pairs.
    sampling
        ``OVER`` or ``UNDER`` where *adjusted* is at most the report's level.
    """

    model_a: str
    model_b: str
    n: int
    expected: float
    residual: float | None
    p: float
    adjusted: float
    sampling: Sampling


@dataclass(frozen=True, slots=True)
class SamplingReport:
    """All pairs of a tally.

    Parameters
    ----------
    pairs
        Largest residual first.
    level
        At which adjusted p-values flag a pair.
    correction
        How they were adjusted.
    dispersion
        The mean squared residual: about 1 for independent draws, less where the sampler evens counts out; None without a residual.
    """

    pairs: tuple[PairCount, ...]
    level: float
    correction: Correction
    dispersion: float | None

    @property
    def flagged(self) -> tuple[PairCount, ...]:
        return tuple(pair for pair in self.pairs if pair.sampling is not Sampling.AS_EXPECTED)


def examine_sampling(
    tally: Tally,
    *,
    shares: Matrix | None = None,
    level: float = 0.05,
    correction: Correction = Correction.HOLM,
) -> SamplingReport:
    """Compare how often each pair met with its share of all battles.

    Parameters
    ----------
    tally
        Counts of shape ``(m, m, 4)``; sides do not matter.
    shares
        Shape ``(m, m)``, not negative: what each battle's sampling gave each pair, say the sum of its logged propensities; both triangles are
        added up and scaled to sum to one. Equal shares if left out.
    level
        In (0, 1), for the adjusted p-values.
    correction
        Holm's, the stricter, if left out.

    Returns
    -------
    SamplingReport
        Empty for fewer than two models; without battles nothing is flagged.

    Raises
    ------
    ValueError
        If the shares have another shape, a negative or no number, or none at all for any pair; or the level is none.

    Notes
    -----
    A pair's count is binomial given all battles, and its residual is standardised with ``n s (1 - s)`` (Agresti, "Categorical Data Analysis", Wiley 2013,
    section 1.5). A sampler that evens counts out keeps them closer than that, so its flags err on the side of silence. Holm, "A simple sequentially
    rejective multiple test procedure", Scandinavian Journal of Statistics 6, 1979; Benjamini and Hochberg, Journal of the Royal Statistical Society B 57, 1995.
    """
    if not 0 < level < 1:
        raise ValueError(f"{level} is no level of a test")
    rows, columns = np.triu_indices(len(tally.models), 1)
    share = _pair_shares(tally, shares)[rows, columns]
    met = tally.counts.sum(axis=2)
    n = (met + met.T)[rows, columns]
    p = _two_sided(n, share)
    adjusted = holm(p) if correction is Correction.HOLM else scipy.stats.false_discovery_control(p)
    residual = _residuals(n, share)
    pairs = [
        PairCount(
            model_a=tally.models[rows[k]],
            model_b=tally.models[columns[k]],
            n=int(n[k]),
            expected=float(share[k] * n.sum()),
            residual=None if np.isnan(residual[k]) else float(residual[k]),
            p=float(p[k]),
            adjusted=float(adjusted[k]),
            sampling=_sampling(n[k] > share[k] * n.sum(), flagged=adjusted[k] <= level),
        )
        for k in range(len(n))
    ]
    told = residual[~np.isnan(residual)]
    dispersion = float((told**2).mean()) if len(told) else None
    return SamplingReport(tuple(sorted(pairs, key=_standing_out)), level, correction, dispersion)


def holm(p: Vector) -> Vector:
    """Holm's adjusted p-values, shape ``(k,)``: those at most *a* hold all true hypotheses back with probability 1 - *a*."""
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(1.0, stepped)
    return adjusted


def _pair_shares(tally: Tally, shares: Matrix | None) -> Matrix:
    m = len(tally.models)
    given = np.ones((m, m)) if shares is None else np.asarray(shares, dtype=np.float64)
    if given.shape != (m, m) or not np.isfinite(given).all() or (given < 0).any():
        raise ValueError(f"shares of shape {given.shape} for {m} models, or one is negative or no number")
    both = np.triu(given + given.T, 1)
    if m > 1 and not both.any():
        raise ValueError("no pair has a share")
    return both / both.sum() if m > 1 else both


def _two_sided(n: NDArray[np.int64], share: Vector) -> Vector:
    total = n.sum()
    smaller = np.minimum(scipy.stats.binom.cdf(n, total, share), scipy.stats.binom.sf(n - 1, total, share))
    return np.asarray(np.minimum(1.0, 2 * smaller), dtype=np.float64)


def _residuals(n: NDArray[np.int64], share: Vector) -> Vector:
    """Shape ``(k,)``; no number where a pair's count could not vary."""
    expected = share * n.sum()
    varies = expected * (1 - share) > 0
    spread = np.sqrt(np.where(varies, expected * (1 - share), 1.0))
    return np.asarray(np.where(varies, (n - expected) / spread, np.nan), dtype=np.float64)


def _sampling(more: np.bool_, *, flagged: np.bool_) -> Sampling:
    if not flagged:
        return Sampling.AS_EXPECTED
    return Sampling.OVER if more else Sampling.UNDER


def _standing_out(pair: PairCount) -> float:
    """Largest residual first; before all, a pair that met although it had no share."""
    if pair.residual is None:
        return -np.inf if pair.p < 1 else 0.0
    return -abs(pair.residual)
