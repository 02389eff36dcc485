"""Documents that repeat themselves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from training.data.cleaning.grams import Hashes, grams
from training.data.cleaning.options import Options

_FEWEST_WORDS = 50  # below, a run that stands twice is a large share by chance


def repeats_itself(lines: Sequence[str], hashes: Hashes, options: Options) -> bool:
    """Whether too much of a document stands in it before.

    Parameters
    ----------
    lines, hashes
        Its lines, and the hashes of its words.

    Notes
    -----
    After Rae et al. (Gopher, 2021, table A1), with shares of words in place of shares of characters: lines that stood before; the most frequent run of 2, 3,
    4 words; runs of 5 and of 10 words that stood before. Runs are asked of documents from 50 words on.
    """
    if _again_in_lines(lines) > options.repeated_lines_share:
        return True
    if len(hashes) < _FEWEST_WORDS:
        return False
    limits = ((2, options.top_2_words_share), (3, options.top_3_words_share), (4, options.top_4_words_share))
    if any(_top_share(hashes, n, limit) > limit for n, limit in limits):
        return True
    again = ((5, options.again_5_words_share), (10, options.again_10_words_share))
    return any(_again_share(hashes, n) > limit for n, limit in again)


def _again_in_lines(lines: Sequence[str]) -> float:
    """The share of a document's characters in lines that stood in it before."""
    full = [line for line in lines if line]
    if len(set(full)) == len(full):
        return 0.0
    seen: set[str] = set()
    again = 0
    for line in full:
        again += len(line) if line in seen else 0
        seen.add(line)
    return again / sum(map(len, full))


def _again_share(hashes: Hashes, n: int) -> float:
    ordered = np.sort(grams(hashes, n))
    return float(np.count_nonzero(ordered[1:] == ordered[:-1])) / max(1, len(ordered))


def _top_share(hashes: Hashes, n: int, limit: float) -> float:
    """The share of words in the most frequent run of *n*; 0 where it cannot reach the limit."""
    ordered = np.sort(grams(hashes, n))
    again = ordered[1:] == ordered[:-1]
    if (np.count_nonzero(again) + 1) * n <= limit * len(hashes):
        return 0.0
    ends = np.flatnonzero(np.append(~again, True))
    most = int(np.diff(ends, prepend=-1).max())
    return most * n / len(hashes) if most > 1 else 0.0
