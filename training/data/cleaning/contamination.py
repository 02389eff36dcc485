"""Runs of words of evaluation sets, and the documents that hold one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.data.cleaning.grams import Hashes, WordHashes, grams, words
from training.data.cleaning.normalise import normalise
from training.data.rows import BadRows, Place, read_rows
from training.errors import BadData

FEWEST_WORDS = 8
MOST_RUNS = 1 << 25  # 256 MB of hashes, read from one file by all processes
_BITS = 27  # the first ones of a hash say whether it is worth a search
_BITS_OF_A_BYTE = np.left_shift(1, np.arange(8)).astype(np.uint8)
BETWEEN = np.uint64(0)  # stands between documents and for no word


@dataclass(frozen=True, slots=True)
class Against:
    """Runs of evaluation rows.

    Parameters
    ----------
    lengths
        Of runs, in words: the usual one, and those of rows that are shorter.
    runs, rows
        Sorted hashes of shape ``(n,)``, and for each the number of its row.
    places
        ``file:row`` of each row.
    """

    lengths: tuple[int, ...]
    runs: Hashes
    rows: NDArray[np.uint32]
    places: NDArray[np.str_]
    seen: NDArray[np.uint8]

    def find(self, hashes: Hashes) -> Iterator[tuple[int, str]]:
        """Where runs stand among words, and of which evaluation row each is.

        Parameters
        ----------
        hashes
            Of the words of one or more documents, with :data:`BETWEEN` between two documents.
        """
        for n in self.lengths:
            found = grams(hashes, n)
            bits = found >> np.uint64(64 - _BITS)
            likely = np.flatnonzero(self.seen[bits >> np.uint64(3)] & _bit(bits))
            at = np.searchsorted(self.runs, found[likely])
            at[at == len(self.runs)] = 0
            for place, run in zip(likely.tolist(), at.tolist(), strict=True):
                if self.runs[run] == found[place]:
                    yield place, str(self.places[self.rows[run]])


def build(files: Sequence[Path], n: int, folder: Path) -> dict[str, Any]:
    """Write the runs of evaluation rows to a folder; returns what the report says of them.

    Every text in a row, however deep in lists and objects, is cut into runs of *n* words. A text of fewer words is one run, from 8 words on: less is no
    evidence.

    Raises
    ------
    BadData
        For a file that cannot be read, or more than 2**25 runs.
    """
    bad, hashes, places = BadRows(), WordHashes(), list[str]()
    found: list[Hashes] = []
    owners: list[NDArray[np.uint32]] = []
    lengths, short, total = set[int](), 0, 0
    for place, text in _texts(files, bad):
        if not places or places[-1] != str(place):
            places.append(str(place))
        seen = hashes.of(words(normalise(text)[0]))
        if len(seen) < FEWEST_WORDS:
            short += 1
            continue
        length = min(n, len(seen))
        lengths.add(length)
        runs = np.unique(grams(seen, length))
        found.append(runs)
        owners.append(np.full(len(runs), len(places) - 1, dtype=np.uint32))
        total += len(runs)
        if total > MOST_RUNS:
            raise BadData(f"{place}: more than {MOST_RUNS:,} runs of words to compare with; name fewer rows")
    _write(folder, tuple(sorted(lengths)), found, owners, places)
    return {
        "files": [str(file) for file in files],
        "rows": len(places),
        "runs": total,
        "texts_too_short": short,
        "bad_rows": bad.report(),
    }


def load(folder: Path) -> Against | None:
    """What :func:`build` wrote; None where there was nothing to compare with. The hashes stay in the file, shared by processes."""
    if not (folder / "lengths.npy").exists():
        return None
    lengths = tuple(np.load(folder / "lengths.npy").tolist())
    runs = np.load(folder / "runs.npy", mmap_mode="r")
    rows = np.load(folder / "rows.npy", mmap_mode="r")
    places = np.load(folder / "places.npy", mmap_mode="r")
    return Against(lengths, runs, rows, places, np.load(folder / "seen.npy", mmap_mode="r"))


def _write(
    folder: Path,
    lengths: tuple[int, ...],
    found: list[Hashes],
    owners: list[NDArray[np.uint32]],
    places: list[str],
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    runs = np.concatenate([*found, np.zeros(0, dtype=np.uint64)])
    rows = np.concatenate([*owners, np.zeros(0, dtype=np.uint32)])
    order = np.argsort(runs, kind="stable")
    seen = np.zeros(1 << (_BITS - 3), dtype=np.uint8)
    bits = runs >> np.uint64(64 - _BITS)
    np.bitwise_or.at(seen, bits >> np.uint64(3), _bit(bits))
    np.save(folder / "runs.npy", runs[order])
    np.save(folder / "rows.npy", rows[order])
    np.save(folder / "places.npy", np.array(places or [""]))
    np.save(folder / "seen.npy", seen)
    np.save(folder / "lengths.npy", np.array(lengths if len(runs) else (), dtype=np.int64))


def _bit(bits: Hashes) -> NDArray[np.uint8]:
    return np.asarray(_BITS_OF_A_BYTE[bits & np.uint64(7)])


def _texts(files: Sequence[Path], bad: BadRows) -> Iterator[tuple[Place, str]]:
    for file in files:
        for place, fields in read_rows(file, bad):
            for text in _strings(fields):
                yield place, text


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)
