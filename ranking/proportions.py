"""Shares of things that come in clusters, with their intervals. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

_FEWEST_CLUSTERS = 2


@dataclass(frozen=True, slots=True)
class Proportion:
    """A share and its interval.

    Parameters
    ----------
    share
        From 0 to 1.
    low, high
        Ends of the interval, within 0 and 1.
    n
        How many things it is a share of.
    design
        How many times as wide the variance is as if the things were independent; at least 1.
    """

    share: float
    low: float
    high: float
    n: int
    design: float


def clustered_share(hits: NDArray[np.int64], totals: NDArray[np.int64], *, level: float = 0.95) -> Proportion:
    """The share of hits over all clusters, with Wilson's interval on the number of independent things that the clusters are worth.

    Parameters
    ----------
    hits, totals
        Shape ``(k,)``: in each cluster, how many hits there are and of how many things; clusters without any are left out.
    level
        Of the interval, between 0 and 1.

    Returns
    -------
    Proportion
        Where all things are hits, or none, or one cluster holds them all, the design is taken as 1: nothing can be told of it.

    Raises
    ------
    ValueError
        If there is nothing to share, or more hits than things.

    Notes
    -----
    Wilson's score interval (JASA 1927) with the effective sample size of Korn and Graubard (Survey Methodology 1998); the variance of the share between
    clusters is the ratio estimator's, with k / (k - 1).
    """
    full = totals > 0
    hits, totals = hits[full], totals[full]
    n, k = int(totals.sum()), len(totals)
    if not n or (hits > totals).any() or (hits < 0).any():
        raise ValueError("a share needs things, and no more hits than things")
    share = float(hits.sum() / n)
    independent = share * (1 - share) / n
    design = 1.0
    if k >= _FEWEST_CLUSTERS and independent > 0:
        spread = float(((hits - share * totals) ** 2).sum()) * k / (k - 1) / n**2
        design = max(1.0, spread / independent)
    low, high = _wilson(share, n / design, level)
    return Proportion(share, low, high, n, design)


def _wilson(share: float, n: float, level: float) -> tuple[float, float]:
    z2 = float(ndtri((1 + level) / 2)) ** 2
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    return max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half))
