"""Equal keys of many batches, found on disk: memory goes by a bound, not by how many there are."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from training.data.cleaning.grams import Hashes

_RECORD_BYTES = 16  # a key of 8, a document and a count of 4 each
MOST_RECORDS = 1 << 21  # held at a time: about 150 MB with what sorting needs
_NOBODY = 0


@dataclass(frozen=True, slots=True)
class Records:
    """Records of all batches whose keys lie in one range, by key, batch and document.

    Parameters
    ----------
    keys, batches, documents, counts
        Of shape ``(n,)``; a document's number counts within its batch.
    places
        Of shape ``(n,)``: where each record stands in all files, counted from the first.
    """

    keys: Hashes
    batches: NDArray[np.int64]
    documents: NDArray[np.int64]
    counts: NDArray[np.int64]
    places: NDArray[np.int64]

    def firsts(self) -> NDArray[np.int64]:
        """For each record the index of the first with its key."""
        fresh = np.ones(len(self.keys), dtype=bool)
        fresh[1:] = self.keys[1:] != self.keys[:-1]
        starts = np.flatnonzero(fresh)
        return np.repeat(starts, np.diff(np.append(starts, len(self.keys))))


def encode(keys: Hashes, documents: NDArray[np.uint32], counts: NDArray[np.uint32]) -> bytes:
    """A batch's records as a file: keys in rising order, then documents, then counts."""
    order = np.lexsort((documents, keys))
    return keys[order].tobytes() + documents[order].tobytes() + counts[order].tobytes()


def decode_keys(path: Path) -> Hashes:
    """The keys of a batch's file, in order."""
    n = path.stat().st_size // _RECORD_BYTES
    return np.fromfile(path, dtype=np.uint64, count=n)


def ranges(files: Sequence[Path], most: int = MOST_RECORDS) -> Iterator[Records]:
    """All records of files in ranges of keys of about *most* records each.

    Keys are hashes, hence even; a file holds a key a bounded number of times, so that no range outgrows the rest by more than the number of files.
    """
    sizes = np.array([file.stat().st_size // _RECORD_BYTES for file in files], dtype=np.int64)
    bases = np.concatenate(([0], np.cumsum(sizes)))
    parts = max(1, -(-int(bases[-1]) // most))
    for part in range(parts):
        low, high = part * (1 << 64) // parts, (part + 1) * (1 << 64) // parts
        yield _gathered(files, sizes, bases, low, high)


def _gathered(
    files: Sequence[Path], sizes: NDArray[np.int64], bases: NDArray[np.int64], low: int, high: int
) -> Records:
    slices = [_slice(file, int(n), low, high) for file, n in zip(files, sizes, strict=True)]
    lengths = [len(keys) for keys, *_ in slices]
    places = [
        np.arange(start, start + n) + base
        for (_, _, _, start), n, base in zip(slices, lengths, bases[:-1], strict=True)
    ]
    keys = np.concatenate([np.zeros(0, dtype=np.uint64), *(keys for keys, *_ in slices)])
    documents = np.concatenate([np.zeros(0, dtype=np.uint32), *(each[1] for each in slices)])
    counts = np.concatenate([np.zeros(0, dtype=np.uint32), *(each[2] for each in slices)])
    order = np.argsort(keys, kind="stable")  # files come in order, and each is sorted
    return Records(
        keys[order],
        np.repeat(np.arange(len(files)), lengths)[order],
        documents[order].astype(np.int64),
        counts[order].astype(np.int64),
        np.concatenate([np.zeros(0, dtype=np.int64), *places])[order],
    )


def _slice(
    file: Path, n: int, low: int, high: int
) -> tuple[Hashes, NDArray[np.uint32], NDArray[np.uint32], int]:
    if not n:
        nothing = np.zeros(0, dtype=np.uint32)
        return np.zeros(0, dtype=np.uint64), nothing, nothing, 0
    keys = np.memmap(file, dtype=np.uint64, mode="r", shape=(n,))
    start = int(np.searchsorted(keys, np.uint64(low)))
    end = n if high >> 64 else int(np.searchsorted(keys, np.uint64(high)))
    count = end - start
    mine = np.array(keys[start:end])
    documents = np.fromfile(file, dtype=np.uint32, count=count, offset=8 * n + 4 * start)
    counts = np.fromfile(file, dtype=np.uint32, count=count, offset=12 * n + 4 * start)
    return mine, documents, counts, start


class Column:
    """A file of one 64-bit number for each of *n* things, 0 where nothing was set; read and written in pieces.

    Setting the same again leaves the same file, so that a pass that was cut off starts over.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)

    def resize(self, n: int) -> None:
        """As many zeros as there are things; a sparse file where the system has such."""
        os.truncate(self._file, 8 * n)

    def read(self, start: int, count: int) -> NDArray[np.uint64]:
        return np.frombuffer(os.pread(self._file, 8 * count, 8 * start), dtype=np.uint64)

    def keep_least(self, places: NDArray[np.int64], values: NDArray[np.int64]) -> None:
        """Set values, each at least 1, where there is none or a greater one."""
        for place, value in zip(places.tolist(), values.tolist(), strict=True):
            there = int.from_bytes(os.pread(self._file, 8, 8 * place), "little")
            if there == _NOBODY or value < there:
                os.pwrite(self._file, value.to_bytes(8, "little"), 8 * place)
