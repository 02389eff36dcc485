"""Which segments a pass takes of each factor, so that the stream has the recipe's shares of tokens."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]


def quotas(tokens: Mapping[str, int], shares: Mapping[str, float]) -> dict[str, int]:
    """How many tokens of each factor a pass takes.

    Parameters
    ----------
    tokens
        How many each factor has.
    shares
        Of the pass, by factor; they sum to one.

    Returns
    -------
    dict
        The factor that is scarcest for its share is taken whole, and none more than once: ``min(tokens / share) * share``.
    """
    taken = {name: share for name, share in shares.items() if share > 0}
    whole = min(tokens[name] / share for name, share in taken.items())
    return {name: min(round(whole * share), tokens[name]) for name, share in taken.items()}


def window(lengths: NDArray[np.int32], quota: int, *, seed: tuple[int, ...], epoch: int) -> Indices:
    """The segments of one factor that a pass takes, in the order drawn.

    A factor is an endless row of shuffles of all its segments, and each pass takes the next *quota* tokens of it: whatever the quota, everything is seen once
    before anything is seen twice.

    Parameters
    ----------
    lengths
        Tokens of each segment, of shape ``(segments,)``.
    quota
        Tokens, at most all there are; a segment belongs to the pass in which it begins.
    seed
        Of the shuffles.
    epoch
        The pass, counted from 0.

    Returns
    -------
    numpy.ndarray
        Indices of segments. Where one shuffle ends and the next begins inside a pass, a segment can come twice.
    """
    total = int(lengths.sum(dtype=np.int64))
    first, end = epoch * quota, (epoch + 1) * quota
    found = [np.empty(0, dtype=np.int64)]
    for turn in range(first // max(total, 1), -(-end // max(total, 1))):
        order = np.random.default_rng([*seed, turn]).permutation(len(lengths))
        starts = np.cumsum(lengths[order], dtype=np.int64) - lengths[order] + turn * total
        low, high = np.searchsorted(starts, [first, end])
        found.append(order[low:high])
    return np.concatenate(found)
