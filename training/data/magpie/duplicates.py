"""Groups of instructions that ask nearly the same, in 300 bytes of memory an instruction."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from datasketch import MinHash
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Signatures: TypeAlias = "npt.NDArray[np.uint32]"
_PERMUTATIONS, _SCHEME = 64, "affine32"
_BAND = 4
ALIKE = 0.7
_WORDS = 3
_CHUNK = 1 << 16
_MIX = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93], np.uint64)


def doubles(texts: Iterable[tuple[int, str]]) -> set[int]:
    """The numbers of texts that a text of a lower number is nearly the same as, directly or through others: all but the first of each group.

    Parameters
    ----------
    texts
        In the order of their numbers.

    Notes
    -----
    Two texts are near duplicates where the Jaccard similarity of their sets of three words in a row, estimated from 64 minima (Broder 1997;
    datasketch's MinHash), is 0.7 or more: standard error 0.06. Candidates share one of 16 bands of 4 minima, which pairs at 0.7 do with
    probability 0.99; within a band's bucket each text is held against the first and the one before it.
    """
    numbers, signatures = _signed(texts)
    if len(numbers) < 2:
        return set()
    pairs = np.concatenate([_alike(signatures, band) for band in range(0, _PERMUTATIONS, _BAND)])
    edges = coo_array(
        (np.ones(len(pairs), dtype=np.int8), (pairs[:, 0], pairs[:, 1])), shape=(len(numbers),) * 2
    )
    _, groups = connected_components(edges, directed=False)
    _, first = np.unique(groups, return_index=True)
    return set(np.delete(numbers, first).tolist())


def _signed(texts: Iterable[tuple[int, str]]) -> tuple[npt.NDArray[np.int64], Signatures]:
    """Numbers, shape ``(n,)``, and minima, shape ``(n, 64)``."""
    numbers, minima = array("q"), array("I")
    pattern = MinHash(num_perm=_PERMUTATIONS, scheme=_SCHEME)
    for number, text in texts:
        sketch = MinHash(num_perm=_PERMUTATIONS, permutations=pattern.permutations, scheme=_SCHEME)
        sketch.update_batch(list(_shingles(text)))
        numbers.append(number)
        minima.frombytes(sketch.hashvalues.astype(np.uint32, copy=False).tobytes())
    return np.frombuffer(numbers, np.int64), np.frombuffer(minima, np.uint32).reshape(-1, _PERMUTATIONS)


def _shingles(text: str) -> Iterator[bytes]:
    words = re.findall(r"\w+", text.casefold()) or [text]
    for start in range(max(1, len(words) - _WORDS + 1)):
        yield " ".join(words[start : start + _WORDS]).encode()


def _alike(signatures: Signatures, band: int) -> npt.NDArray[np.int64]:
    """Pairs of rows, shape ``(p, 2)``, that share a band and are near duplicates."""
    key = signatures[:, band : band + _BAND].astype(np.uint64) @ _MIX  # chance equals are sorted out below
    order = np.argsort(key, kind="stable")
    ranked = key[order]
    same = np.flatnonzero(ranked[1:] == ranked[:-1]) + 1
    first = np.searchsorted(ranked, ranked[same])
    ones, others = np.concatenate([order[first], order[same - 1]]), np.concatenate([order[same]] * 2)
    pairs: npt.NDArray[np.int64] = np.unique(np.stack([ones, others], 1), axis=0)
    chunks = [pairs[start : start + _CHUNK] for start in range(0, len(pairs), _CHUNK)]
    close = [(signatures[each[:, 0]] == signatures[each[:, 1]]).mean(axis=1) >= ALIKE for each in chunks]
    kept: npt.NDArray[np.int64] = pairs[np.concatenate([np.zeros(0, bool), *close])]
    return kept
