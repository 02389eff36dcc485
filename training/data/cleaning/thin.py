"""The second pass: without what stands elsewhere too, and sketched for the next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from training.data.cleaning.grams import WordHashes, words
from training.data.cleaning.groups import Column, Records, decode_keys, encode
from training.data.cleaning.near import BANDS, MINIMA, Signatures, Sketcher, bands, leaders, stacked
from training.data.cleaning.options import Options
from training.data.cleaning.page import Page, line_keys
from training.data.cleaning.tally import Filter, Tally
from training.data.cleaning.work import Document, Work

_MOST_A_BAND = (
    16  # documents of a batch that share a band and are unlike each other; more add nothing but work
)
EVERYWHERE = np.uint64(1)  # a line goes from every document of the batch
Thinned: TypeAlias = tuple[int, Document, bool]  # its number in the batch before, and whether it changed
_KEPT_BY = 2  # it stays in that document, whose number is added, and goes from the others


def mark_equal(records: Records, bases: NDArray[np.int64], column: Column) -> None:
    """Note for each document that is equal to an earlier one which that is: its number in all batches, plus 1."""
    firsts = records.firsts()
    again = np.flatnonzero(firsts != np.arange(len(firsts)))
    numbers = bases[records.batches] + records.documents
    column.keep_least(numbers[again], numbers[firsts[again]] + 1)


def mark_repeated(records: Records, least: int, column: Column) -> None:
    """Note for each record of a line that stands in *least* documents or more who may keep it: the first document that has it."""
    if not len(records.keys):
        return
    firsts = records.firsts()
    starts = np.unique(firsts)
    many = np.repeat(
        np.add.reduceat(records.counts, starts) >= least, np.diff(np.append(starts, len(firsts)))
    )
    is_first = firsts == np.arange(len(firsts))
    values = np.where(is_first, records.documents + _KEPT_BY, int(EVERYWHERE))
    column.keep_least(records.places[many], values[many])


class Thinner:
    """What a process needs for the second pass."""

    def __init__(self, work: Work, options: Options) -> None:
        self._work, self._options = work, options
        # the number of each batch's first document, and of its first record of a line
        self._documents: NDArray[np.int64] = np.load(work.file("documents.npy"))
        self._lines: NDArray[np.int64] = np.load(work.file("lines.npy"))
        self._hashes = WordHashes()
        self._sketch = Sketcher(options.near_words)
        self._tally = Tally()

    def __call__(self, batch: int) -> dict[str, Any]:
        """Thin a batch, write what stays of it, and return its record."""
        self._tally = Tally()
        documents = self._repeated_lines_taken(batch, self._unequal(batch))
        if not self._options.near:
            return self._written(batch, [document for _, document, _ in documents], stacked([]))
        signatures = self._sketches(batch, documents)
        kept = self._unlike([document for _, document, _ in documents], signatures)
        return self._written(batch, [documents[at][1] for at in kept], signatures[kept])

    def _sketches(self, batch: int, documents: Sequence[Thinned]) -> Signatures:
        """Those of the first pass, made anew for documents that changed."""
        path = self._work.path("clean", batch, "signatures")
        made = np.fromfile(path, dtype=np.uint32).reshape(-1, MINIMA)
        found = made[[at for at, _, _ in documents]]
        for each, (_, document, changed) in enumerate(documents):
            if changed:
                found[each] = self._sketch(self._hashes.of(words(document[1])))
        return found

    def _written(self, batch: int, documents: list[Document], signatures: Signatures) -> dict[str, Any]:
        work = self._work
        if self._options.near:
            work.write("thin", batch, "bands", band_records(signatures))
            work.write("thin", batch, "signatures", signatures.tobytes())
        work.write_documents("thin", batch, documents)
        record = {
            "documents": len(documents),
            "bytes": sum(len(text.encode()) for _, text, _ in documents),
            "tally": self._tally.report(),
        }
        work.finish("thin", batch, record)
        for kind in ("texts", "signatures"):
            work.path("clean", batch, kind).unlink(missing_ok=True)
        return record

    def _unequal(self, batch: int) -> list[tuple[int, Document]]:
        """The batch's documents that are equal to no earlier one, with their numbers in the batch."""
        base = int(self._documents[batch])
        found = self._work.documents("clean", batch)
        with Column(self._work.file("equal")) as column:
            first = column.read(base, len(found))
        kept: list[tuple[int, Document]] = []
        for at, document in enumerate(found):
            if not first[at]:
                kept.append((at, document))
                continue
            wanted = self._tally.wants_example(Filter.EQUAL)
            of = self._work.place("clean", self._documents, int(first[at]) - 1) if wanted else ""
            self._tally.take(Filter.EQUAL, self._work.said(document[0]), document[1], of=of)
        return kept

    def _repeated_lines_taken(self, batch: int, documents: Sequence[tuple[int, Document]]) -> list[Thinned]:
        base, end = self._lines[batch : batch + 2].tolist()
        with Column(self._work.file("lines")) as column:
            marks = column.read(base, end - base)
        keys = decode_keys(self._work.path("clean", batch, "lines"))
        keepers = dict(zip(keys[marks > 0].tolist(), marks[marks > 0].tolist(), strict=True))
        if not keepers:
            return [(at, document, False) for at, document in documents]
        thinned = ((at, document, self._without(document, at, keepers)) for at, document in documents)
        return [(at, after, after is not before) for at, before, after in thinned if after is not None]

    def _without(self, document: Document, at: int, keepers: dict[int, int]) -> Document | None:
        place, text, fields = document
        found = line_keys(text, self._options.repeated_words)
        repeated = {found[key] for key in found.keys() & keepers.keys() if keepers[key] != at + _KEPT_BY}
        if not repeated:
            return document
        page = Page(place, self._work.said(place), fields, text)
        page.take(
            Filter.REPEATED_LINES, [n for n, line in enumerate(page.lines) if line in repeated], self._tally
        )
        page.close(self._tally)
        if len(words(page.text)) < self._options.min_words:
            self._tally.take(Filter.SHORT, page.said, page.text)
            return None
        return place, page.text, fields

    def _unlike(self, documents: list[Document], signatures: Signatures) -> list[int]:
        """Which are no near duplicates of an earlier one in the batch."""
        keys, numbers = sorted_bands(signatures)
        near, of = leaders(keys, numbers, signatures.__getitem__, self._options.near_similarity)
        first: dict[int, int] = {}
        for one, other in zip(near.tolist(), of.tolist(), strict=True):
            first[one] = min(other, first.get(one, other))
        for one in sorted(first):
            place, text, _ = documents[one]
            of_place = documents[first[one]][0]
            self._tally.take(Filter.NEAR, self._work.said(place), text, of=self._work.said(of_place))
        return [at for at in range(len(documents)) if at not in first]


def sorted_bands(signatures: Signatures) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Bands and their documents, by key and then by document."""
    keys = bands(signatures).reshape(-1)
    numbers = np.repeat(np.arange(len(signatures)), BANDS)
    order = np.argsort(keys, kind="stable")
    return keys[order], numbers[order]


def band_records(signatures: Signatures) -> bytes:
    """The bands of a batch's documents as a file; of each band the first 16 documents."""
    keys, numbers = sorted_bands(signatures)
    fresh = np.ones(len(keys), dtype=bool)
    fresh[1:] = keys[1:] != keys[:-1]
    starts = np.flatnonzero(fresh)
    rank = np.arange(len(keys)) - np.repeat(starts, np.diff(np.append(starts, len(keys))))
    few = rank < _MOST_A_BAND
    n = int(np.count_nonzero(few))
    return encode(keys[few], numbers[few].astype(np.uint32), np.ones(n, dtype=np.uint32))
