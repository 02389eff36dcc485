"""Near duplicates: documents that share most of their runs of words with an earlier one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from datasketch import MinHash
from numpy.typing import NDArray

from training.data.cleaning.grams import Hashes, grams, mixed

BANDS, BAND = 32, 4
MINIMA = BANDS * BAND
_ROUNDS = 8
_TOGETHER = 4096
_PAIRS = 1 << 14
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
Signatures = NDArray[np.uint32]
Numbers = NDArray[np.int64]


class Sketcher:
    """MinHash of documents, of 128 minima each.

    Notes
    -----
    The sketch is datasketch's (``affine32``): the share of equal minima of two documents estimates the Jaccard similarity of their runs with a standard error
    of at most 0.045.

    Parameters
    ----------
    n
        Words in a row that are compared; of shorter documents all words.
    """

    def __init__(self, n: int) -> None:
        self._n = n
        self._sketch = MinHash(num_perm=MINIMA, scheme="affine32", hashfunc=int)

    def __call__(self, hashes: Hashes) -> Signatures:
        """The signature of a document of these words, of shape ``(128,)``."""
        self._sketch.clear()  # making one anew takes as long as using it
        runs = (mixed(grams(hashes, min(self._n, len(hashes)))) >> np.uint64(32)).tolist()
        for start in range(0, len(runs), _TOGETHER):
            self._sketch.update_batch(runs[start : start + _TOGETHER])
        return np.asarray(self._sketch.hashvalues, dtype=np.uint32)


def stacked(signatures: Sequence[Signatures]) -> Signatures:
    """Signatures of shape ``(n, 128)``, also of no document."""
    return np.stack(signatures) if signatures else np.zeros((0, MINIMA), dtype=np.uint32)


def bands(signatures: Signatures) -> Hashes:
    """A key for each of 32 bands of 4 minima, of shape ``(n, 32)``.

    Two documents of similarity *s* share one with probability 1 - (1 - s^4)^32: 98.8 % at 0.6, 99.98 % at 0.7, 0.3 % at 0.1.
    """
    cut = signatures.astype(np.uint64).reshape(len(signatures), BANDS, BAND)
    keys = np.tile(np.arange(1, BANDS + 1, dtype=np.uint64), (len(signatures), 1))
    for at in range(BAND):
        keys = keys * _FACTOR + cut[:, :, at]
    return mixed(keys)


def similar(one: Signatures, other: Signatures) -> NDArray[np.float64]:
    """Estimates of the similarity of *n* pairs, from signatures of shape ``(n, 128)``; what ``MinHash.jaccard`` gives for one."""
    return np.asarray((one == other).mean(axis=1))


def leaders(
    keys: Hashes,
    documents: Numbers,
    signatures_of: Callable[[Numbers], Signatures],
    similarity: float,
) -> tuple[Numbers, Numbers]:
    """Documents that are near duplicates of an earlier one, and that one.

    Parameters
    ----------
    keys, documents
        Bands of documents, of shape ``(n,)``, by key and then by document.
    signatures_of
        Signatures of shape ``(m, 128)`` for *m* documents in rising order.
    similarity
        The least estimate that makes a near duplicate.

    Returns
    -------
    duplicates, of
        Of equal shape, one pair for each that was found; a document may have several.

    Notes
    -----
    Within a band the first document leads; those that are not like it are compared with the first of themselves, and so on, eight times: time is linear in
    the documents of a band. A document need not stay to lead, so that the result does not depend on the order in which bands are looked at.
    """
    found: list[tuple[Numbers, Numbers]] = []
    for _ in range(_ROUNDS):
        fresh = np.ones(len(keys), dtype=bool)
        fresh[1:] = keys[1:] != keys[:-1]
        if fresh.all():
            break
        starts = np.flatnonzero(fresh)
        heads = np.repeat(documents[starts], np.diff(np.append(starts, len(keys))))
        pairs = np.stack((documents[~fresh], heads[~fresh]))
        unique, back = np.unique(pairs, axis=1, return_inverse=True)
        near = _compared(unique, signatures_of) >= similarity
        found.append((unique[0][near], unique[1][near]))
        rest = ~near[back.reshape(-1)]
        keys, documents = keys[~fresh][rest], documents[~fresh][rest]
    nothing = np.zeros(0, dtype=np.int64)
    return (
        np.concatenate([*(one for one, _ in found), nothing]),
        np.concatenate([*(of for _, of in found), nothing]),
    )


def _compared(pairs: Numbers, signatures_of: Callable[[Numbers], Signatures]) -> NDArray[np.float64]:
    """Similarities of pairs of shape ``(2, n)``, in pieces of bounded memory."""
    found: list[NDArray[np.float64]] = []
    for start in range(0, pairs.shape[1], _PAIRS):
        piece = pairs[:, start : start + _PAIRS]
        needed, at = np.unique(piece, return_inverse=True)
        signatures = signatures_of(needed)
        one, other = at.reshape(piece.shape)
        found.append(similar(signatures[one], signatures[other]))
    return np.concatenate([*found, np.zeros(0)])


class SignatureFiles:
    """Signatures of documents by their number in all batches, read from the batches' files as asked.

    Parameters
    ----------
    files
        One for each batch.
    bases
        The number of each batch's first document, and that of all documents: of shape ``(batches + 1,)``.
    """

    def __init__(self, files: Sequence[Path], bases: Numbers) -> None:
        self._files, self._bases = files, bases

    def __call__(self, documents: Numbers) -> Signatures:
        found = np.empty((len(documents), MINIMA), dtype=np.uint32)
        batches = np.searchsorted(self._bases, documents, side="right") - 1
        for batch in np.unique(batches).tolist():
            mine = np.flatnonzero(batches == batch)
            stored = np.memmap(self._files[batch], dtype=np.uint32, mode="r").reshape(-1, MINIMA)
            found[mine] = stored[documents[mine] - self._bases[batch]]
        return found
