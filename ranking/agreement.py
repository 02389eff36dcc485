"""How far judgements of the same answers agree."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from ranking.ballots import NOBODY, Codes
from ranking.fit import Vector
from ranking.tally import Counts, Indices, Matrix
from ranking.types import Outcome

MISSING = -1
_FEWEST_ITEMS = 10  # repeated items from which resampling them says anything
_BY_RANK = [Outcome.A_BETTER.place, Outcome.TIE.place, Outcome.B_BETTER.place]


class Metric(StrEnum):
    """How much two judgements differ: at all, or by how many judgements lie between them in the order A better, tie, B better."""

    NOMINAL = "nominal"
    ORDINAL = "ordinal"


class AgreementStatus(StrEnum):
    """Why there is an alpha, or none."""

    OK = "ok"
    NO_REPEATS = "no_repeats"
    NO_VARIATION = "no_variation"


@dataclass(frozen=True, slots=True)
class Alpha:
    """Krippendorff's alpha: 1 is full agreement, 0 what chance gives, below 0 less than that.

    Parameters
    ----------
    value
        The estimate.
    low, high
        Percentiles over resampled items; None for fewer than 10 repeated items.
    """

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement on repeated items.

    Parameters
    ----------
    status
        ``NO_REPEATS`` where no item has two users' judgements, ``NO_VARIATION`` where all say the same, so that chance would agree as well.
    n_items, n_judgements
        Items with at least two users' judgements, and these judgements.
    n_single, n_repeated, n_missing
        Judgements left aside: alone on their item, a user's second or later on the same item, missing. All five add up with *n_judgements*.
    nominal
        Over the four outcomes; None unless ``OK``.
    ordinal
        Over A better, tie, B better, with both bad a tie; None where these do not vary.
    """

    status: AgreementStatus
    n_items: int
    n_judgements: int
    n_single: int
    n_repeated: int
    n_missing: int
    nominal: Alpha | None
    ordinal: Alpha | None


def agreement(
    item: Codes, user: Codes, outcome: Codes, *, seed: int, level: float = 0.95, resamples: int = 1000
) -> Agreement:
    """Krippendorff's alpha of judgements on repeated items.

    Parameters
    ----------
    item
        Shape ``(n,)``: what was judged, any whole number an item. Sides must be the same way round each time.
    user
        Shape ``(n,)``: who judged; a user's first judgement of an item counts. Judgements of :data:`~ranking.ballots.NOBODY` are each a user's of its own.
    outcome
        Shape ``(n,)``: an outcome's place, or :data:`MISSING`.
    seed
        Of the bootstrap over items.
    level
        Of the intervals, in (0, 1).
    resamples
        How many resampled sets of items.

    Raises
    ------
    ValueError
        If the columns are of different lengths, an outcome is none, or the level or number of resamples is none.

    Notes
    -----
    Krippendorff, "Content Analysis", Sage 2019, chapter 12; bootstrap over items by percentiles (Efron and Tibshirani, "An Introduction to the Bootstrap",
    Chapman and Hall 1993). Items that were judged alike are resampled together, which changes nothing but the time. Resamples in which nothing varies
    have no alpha and are left out.
    """
    _check(item, user, outcome, level=level, resamples=resamples)
    told = outcome != MISSING
    first = _first_of_each(item[told], user[told])
    _, place = np.unique(item[told][first], return_inverse=True)
    counts = np.zeros((int(place.max(initial=-1)) + 1, len(Outcome)), dtype=np.int64)
    np.add.at(counts, (place, outcome[told][first]), 1)
    paired = counts[counts.sum(axis=1) >= 2]
    three = paired[:, _BY_RANK]
    three[:, 1] += paired[:, Outcome.BOTH_BAD.place]
    rng = np.random.default_rng(seed)
    nominal = _alpha(paired, Metric.NOMINAL, rng, level=level, resamples=resamples)
    ordinal = _alpha(three, Metric.ORDINAL, rng, level=level, resamples=resamples)
    status = AgreementStatus.OK if nominal else AgreementStatus.NO_VARIATION
    return Agreement(
        status=status if len(paired) else AgreementStatus.NO_REPEATS,
        n_items=len(paired),
        n_judgements=int(paired.sum()),
        n_single=int(counts.sum() - paired.sum()),
        n_repeated=int(told.sum() - counts.sum()),
        n_missing=int((~told).sum()),
        nominal=nominal,
        ordinal=ordinal,
    )


def krippendorff_alpha(counts: Counts, metric: Metric) -> float | None:
    """Krippendorff's alpha of items by values.

    Parameters
    ----------
    counts
        Shape ``(i, v)``: how often each item was given each value; values in their order. Items with fewer than two judgements are ignored.
    metric
        How much two values differ.

    Returns
    -------
    float or None
        None where fewer than two different values were given to the items that count.
    """
    value = _alphas(_coincidences(counts).sum(axis=0)[None], metric)[0]
    return None if np.isnan(value) else float(value)


def _check(item: Codes, user: Codes, outcome: Codes, *, level: float, resamples: int) -> None:
    if not item.shape == user.shape == outcome.shape == (len(item),):
        raise ValueError("the columns of judgements are of different lengths")
    if len(outcome) and not (outcome.min() >= MISSING and outcome.max() < len(Outcome)):
        raise ValueError("an outcome is none")
    if not 0 < level < 1 or resamples < 1:
        raise ValueError("the level or the number of resamples is none")


def _first_of_each(item: Codes, user: Codes) -> Indices:
    """The places of each user's first judgement of each item, and of all by nobody."""
    _, items = np.unique(item, return_inverse=True)
    numbers, users = np.unique(user, return_inverse=True)
    known = np.flatnonzero(user != NOBODY)
    # one whole number a pair: rows of two would sort ten times as long
    _, first = np.unique(items[known] * max(len(numbers), 1) + users[known], return_index=True)
    return np.sort(np.concatenate([known[first], np.flatnonzero(user == NOBODY)])).astype(np.int64)


def _coincidences(counts: Counts) -> Matrix:
    """Shape ``(i, v, v)``: each item's pairs of judgements by different users, each judgement weighing one in all."""
    v = counts.shape[1]
    pairs = counts[:, :, None] * counts[:, None, :] - np.eye(v, dtype=np.int64) * counts[:, None, :]
    return np.asarray(pairs / np.maximum(counts.sum(axis=1) - 1, 1)[:, None, None], dtype=np.float64)


def _alphas(coincidences: Matrix, metric: Metric) -> Vector:
    """Shape ``(r,)``: the alpha of each of *r* coincidence matrices, shape ``(r, v, v)``; no number where nothing varies."""
    totals = coincidences.sum(axis=2)
    middle = np.cumsum(totals, axis=1) - totals / 2
    distance = (middle[:, :, None] - middle[:, None, :]) ** 2
    if metric is Metric.NOMINAL:
        distance = np.broadcast_to(1.0 - np.eye(totals.shape[1]), distance.shape)
    observed = (coincidences * distance).sum(axis=(1, 2))
    by_chance = (totals[:, :, None] * totals[:, None, :] * distance).sum(axis=(1, 2))
    varies = by_chance > 0
    ratio = (totals.sum(axis=1) - 1) * observed / np.where(varies, by_chance, 1.0)
    return np.asarray(np.where(varies, 1 - ratio, np.nan), dtype=np.float64)


def _alpha(
    counts: Counts, metric: Metric, rng: np.random.Generator, *, level: float, resamples: int
) -> Alpha | None:
    value = krippendorff_alpha(counts, metric)
    if value is None:
        return None
    if len(counts) < _FEWEST_ITEMS:
        return Alpha(value, None, None)
    patterns, times = np.unique(counts, axis=0, return_counts=True)
    drawn = rng.multinomial(len(counts), times / len(counts), size=resamples)
    alphas = _alphas(np.tensordot(drawn, _coincidences(patterns), axes=1), metric)
    low, high = np.nanquantile(alphas, [(1 - level) / 2, (1 + level) / 2])
    return Alpha(value, float(low), float(high))
