"""Words and runs of words as 64-bit numbers, the same in every process and on every machine."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_64_intdigest

Hashes = NDArray[np.uint64]
_WORD = re.compile(r"\w+")
_MOST_WORDS = 200_000
_FACTOR = np.uint64(0x9E3779B97F4A7C15)  # odd: no two hashes of a word meet


def words(text: str) -> list[str]:
    """Runs of letters and digits, in lower case."""
    return _WORD.findall(text.casefold())


class WordHashes(dict[str, int]):
    """A word's hash, remembered for the last 200,000 different words or so."""

    def __missing__(self, word: str) -> int:
        if len(self) >= _MOST_WORDS:
            self.clear()
        found = self[word] = xxh3_64_intdigest(word.encode())
        return found

    def of(self, found: Sequence[str]) -> Hashes:
        """Hashes of shape ``(n,)``."""
        return np.fromiter(map(self.__getitem__, found), dtype=np.uint64, count=len(found))


def grams(hashes: Hashes, n: int) -> Hashes:
    """A hash for each *n* words in a row, of shape ``(max(0, m - n + 1),)`` for *m* words; their order counts."""
    count = max(0, len(hashes) - n + 1)
    found = np.zeros(count, dtype=np.uint64)
    for at in range(n):
        found = found * _FACTOR + hashes[at : at + count]
    return mixed(found)


def mixed(values: Hashes) -> Hashes:
    """Every bit depends on every other: the end of MurmurHash3, one to one."""
    values = (values ^ (values >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    values = (values ^ (values >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return values ^ (values >> np.uint64(33))
