"""Documents that repeat themselves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

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
    return len(hashes) >= _FEWEST_WORDS and _runs_again(hashes, options)


def _runs_again(hashes: Hashes, options: Options) -> bool:
    tops = {2: options.top_2_words_share, 3: options.top_3_words_share, 4: options.top_4_words_share}
    limits = {5: options.again_5_words_share, 10: options.again_10_words_share}
    again = len(hashes)
    for n in (2, 3, 4, 5, 10):
        # a run of n stands again only where its beginning does: most documents need no more than runs of 2 and 3
        if not _may_matter(again, n, len(hashes), tops, limits):
            continue
        ordered = np.sort(grams(hashes, n))
        same = ordered[1:] == ordered[:-1]
        again = int(np.count_nonzero(same))
        if n in limits and again > limits[n] * len(ordered):
            return True
        if n in tops and (again + 1) * n > tops[n] * len(hashes):
            most = _longest(same) + 1
            if most > 1 and most * n > tops[n] * len(hashes):
                return True
    return False


def _may_matter(again: int, n: int, words: int, tops: dict[int, float], limits: dict[int, float]) -> bool:
    """Whether runs of *n* or more can pass a limit, if *again* shorter ones stood before."""
    longer = [(each, limit) for each, limit in tops.items() if each >= n]
    if any((again + 1) * each > limit * words for each, limit in longer):
        return True
    return any(again > limit * (words - each + 1) for each, limit in limits.items() if each >= n)


def _longest(same: NDArray[np.bool_]) -> int:
    """How many times in a row that is true."""
    ends = np.flatnonzero(np.append(~same, True))
    return int(np.diff(ends, prepend=-1).max()) - 1


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
