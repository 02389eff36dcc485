"""Which models stay joined whichever one voter is left out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ranking.ballots import Ballots
from ranking.tally import Indices

Mask = NDArray[np.bool_]


def survivors(ballots: Ballots) -> Indices:
    """The models whose place does not hang on one voter.

    Parameters
    ----------
    ballots
        Votes that join all their models; a vote of nobody is a voter of its own. Weights are not looked at.

    Returns
    -------
    ndarray
        Shape ``(k,)``, ascending: a group that the votes among it join, and go on joining whichever one voter is left out. Empty if no such group holds
        after each voter more than half of the models that were left.

    Notes
    -----
    What a voter alone joins to the rest carries no spread between voters, so a leave-one-voter-out variance says nothing of it. Models that some voter could
    take away are removed all at once, and the rest is looked at again, until nothing changes: the order of voters and models does not matter.
    """
    kept: Indices = np.arange(len(ballots.models), dtype=np.int64)
    while len(kept):
        inner = _survivors_once(ballots.among(kept))
        if inner.all():
            return kept
        kept = kept[inner]
    return kept


def _survivors_once(ballots: Ballots) -> Mask:
    """Shape ``(m,)``: who stays with the majority after each voter's removal."""
    m = len(ballots.models)
    first, last = _first_and_last_voter(ballots)
    # two models that two voters compared stay joined: only what lies between such blocks can break
    blocks = _components(*np.divmod(np.flatnonzero(first < last), m), m)
    lone = np.flatnonzero((first == last) & (last >= 0))
    one, other, voter = blocks[lone // m], blocks[lone % m], last[lone]
    sizes = np.bincount(blocks, minlength=m)
    kept = _majority(one, other, sizes)
    for each in np.unique(voter[one != other]):
        rest = voter != each
        kept &= _majority(one[rest], other[rest], sizes)
    return np.asarray(kept[blocks], dtype=np.bool_)


def _first_and_last_voter(ballots: Ballots) -> tuple[Indices, Indices]:
    """Shape ``(m * m,)`` each: the lowest and the highest number of a voter who judged the pair; the first is above the last where nobody did."""
    m = len(ballots.models)
    voter = ballots.clusters()
    pair = np.minimum(ballots.a, ballots.b).astype(np.int64) * m + np.maximum(ballots.a, ballots.b)
    first, last = np.full(m * m, ballots.n_votes), np.full(m * m, -1)
    np.minimum.at(first, pair, voter)
    np.maximum.at(last, pair, voter)
    return first, last


def _components(one: Indices, other: Indices, m: int) -> Indices:
    arcs = coo_array((np.ones(len(one)), (one, other)), shape=(m, m))
    return np.asarray(connected_components(arcs, directed=False)[1], dtype=np.int64)


def _majority(one: Indices, other: Indices, sizes: Indices) -> Mask:
    """Shape ``(m,)``: which blocks, of *sizes* models each, are joined into a group of more than half of the models."""
    labels = _components(one, other, len(sizes))
    return np.asarray(2 * np.bincount(labels, weights=sizes)[labels] > sizes.sum(), dtype=np.bool_)
