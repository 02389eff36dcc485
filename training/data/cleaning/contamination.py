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
from training.data.cleaning.work import read_json, write_json
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
    files, places
        Of evaluation rows, and the file and row of each: of shape ``(rows, 2)``.
    seen
        A bit for each possible beginning of a hash: whether there is such a run.
    """

    lengths: tuple[int, ...]
    runs: Hashes
    rows: NDArray[np.uint32]
    files: tuple[str, ...]
    places: NDArray[np.uint32]
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
                    file, row = self.places[self.rows[run]].tolist()
                    yield place, f"{self.files[file]}:{row}"


def build(files: Sequence[Path], n: int, folder: Path) -> dict[str, Any]:
    """Write the runs of evaluation rows to a folder; returns what the report says of them.

    Every text in a row, however deep in lists and objects, is cut into runs of *n* words. A text of fewer words is one run, from 8 words on: less is no
    evidence.

    Raises
    ------
    BadData
        For a file that cannot be read, or more than 2**25 runs.
    """
    bad, hashes, places = BadRows(), WordHashes(), list[tuple[int, int]]()
    found: list[Hashes] = []
    owners: list[NDArray[np.uint32]] = []
    lengths, short, total = set[int](), 0, 0
    for file, place, text in _texts(files, bad):
        if not places or places[-1] != (file, place.row):
            places.append((file, place.row))
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
    if found:
        _write(folder, sorted(lengths), found, owners, places)
        write_json(folder / "files.json", {"files": [str(file) for file in files]})
    return {
        "files": [str(file) for file in files],
        "rows": len(places),
        "runs": total,
        "texts_too_short": short,
        "bad_rows": bad.report(),
    }


def load(folder: Path) -> Against | None:
    """What :func:`build` wrote; None where there was nothing to compare with. The hashes stay in the file, shared by processes."""
    named = read_json(folder / "files.json")
    if named is None:
        return None
    lengths = tuple(np.load(folder / "lengths.npy").tolist())
    runs = np.load(folder / "runs.npy", mmap_mode="r")
    rows = np.load(folder / "rows.npy", mmap_mode="r")
    places = np.load(folder / "places.npy", mmap_mode="r")
    seen = np.load(folder / "seen.npy", mmap_mode="r")
    return Against(lengths, runs, rows, tuple(named["files"]), places, seen)


def _write(
    folder: Path,
    lengths: list[int],
    found: list[Hashes],
    owners: list[NDArray[np.uint32]],
    places: list[tuple[int, int]],
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    runs = np.concatenate(found)
    found.clear()  # they are half of what this holds
    order = np.argsort(runs, kind="stable")
    seen = np.zeros(1 << (_BITS - 3), dtype=np.uint8)
    bits = runs >> np.uint64(64 - _BITS)
    np.bitwise_or.at(seen, bits >> np.uint64(3), _bit(bits))
    np.save(folder / "runs.npy", runs[order])
    np.save(folder / "rows.npy", np.concatenate(owners)[order])
    np.save(folder / "places.npy", np.array(places, dtype=np.uint32))
    np.save(folder / "seen.npy", seen)
    np.save(folder / "lengths.npy", np.array(lengths, dtype=np.int64))


def _bit(bits: Hashes) -> NDArray[np.uint8]:
    return np.asarray(_BITS_OF_A_BYTE[bits & np.uint64(7)])


def _texts(files: Sequence[Path], bad: BadRows) -> Iterator[tuple[int, Place, str]]:
    for number, file in enumerate(files):
        for place, fields in read_rows(file, bad):
            for text in _strings(fields):
                yield number, place, text


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)
