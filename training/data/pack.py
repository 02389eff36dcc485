"""The plan of a pass: which piece of which segment lies where in which row. Indices only; no token is copied."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.data.best_fit import best_fit

AT_ONCE = 1 << 19
"""Pieces that are packed together: enough for full rows, few enough that neighbours differ from pass to pass."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Rows of one length, made of pieces of segments.

    Parameters
    ----------
    ends
        Where each row's pieces end, int64 of shape ``(rows,)``.
    segments, starts, lengths
        Of each piece: which segment it is of, where in that it begins, and its tokens; of shape ``(pieces,)``.
    """

    ends: NDArray[np.int64]
    segments: NDArray[np.int64]
    starts: NDArray[np.int32]
    lengths: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.ends)

    @property
    def tokens(self) -> int:
        return int(self.lengths.sum(dtype=np.int64))

    def fill(self, row_tokens: int) -> float:
        """The share of the rows' places that hold a token."""
        return self.tokens / (len(self) * row_tokens) if len(self) else 0.0


def plan(
    segments: NDArray[np.int64],
    lengths: NDArray[np.int32],
    *,
    row_tokens: int,
    seed: tuple[int, ...],
) -> Plan:
    """Pack segments into rows.

    Parameters
    ----------
    segments
        Names of the segments, any whole numbers, of shape ``(n,)``.
    lengths
        Their tokens, each at least 1. What is longer than a row is cut: the caller leaves out what may not be.
    row_tokens
        Tokens a row.
    seed
        Of which segments meet and of the order of rows; the same seed gives the same plan.

    Returns
    -------
    Plan
        Every token of every segment once. What fits a row is not cut; what does not is cut at whole rows.
    """
    rng = np.random.default_rng(list(seed))
    order = rng.permutation(len(segments))
    piece_of, starts, sizes = _cut(segments[order], lengths[order], row_tokens)
    rows, count = np.empty(len(sizes), dtype=np.int64), 0
    for first in range(0, len(sizes), AT_ONCE):
        part = best_fit(sizes[first : first + AT_ONCE], row_tokens)
        rows[first : first + AT_ONCE] = part + count
        count += int(part.max()) + 1
    rows = rng.permutation(count)[rows]
    laid = np.argsort(rows, kind="stable")
    ends = np.cumsum(np.bincount(rows, minlength=count), dtype=np.int64)
    return Plan(ends, piece_of[laid], starts[laid], sizes[laid])


def _cut(
    segments: NDArray[np.int64], lengths: NDArray[np.int32], row_tokens: int
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]:
    """Segments to pieces of at most a row: which segment, where it begins, how long it is."""
    pieces = -(-lengths // row_tokens)
    whole = np.repeat(lengths, pieces)
    within = np.arange(len(whole)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    starts = (within * row_tokens).astype(np.int32)
    return np.repeat(segments, pieces), starts, np.minimum(whole - starts, row_tokens).astype(np.int32)
