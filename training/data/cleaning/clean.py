"""The first pass: each document for itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
from xxhash import xxh3_64_intdigest

from training.data.cleaning import contamination
from training.data.cleaning.grams import Hashes, WordHashes, words
from training.data.cleaning.groups import encode
from training.data.cleaning.language import LANGUAGES, identifier, sample
from training.data.cleaning.lines import is_damaged, is_menu, is_notice, is_symbols, shapes
from training.data.cleaning.near import Sketcher, stacked
from training.data.cleaning.normalise import normalise
from training.data.cleaning.options import Options
from training.data.cleaning.page import Page, line_keys
from training.data.cleaning.quality import repeats_itself
from training.data.cleaning.tally import Amount, Filter, Tally
from training.data.cleaning.work import Document, Place, Work

_TOGETHER = 400_000  # characters looked at together: numpy's arrays of them fit the cache
_SAMPLE_BYTES = 200  # of a line: more makes it no surer
_PAGE_BYTES = 1000


@dataclass(slots=True)
class Batch:
    """Documents read together.

    Parameters
    ----------
    number
        Counted from 0.
    documents
        As they stand in the files.
    bad
        What ``BadRows.report`` said of rows since the last batch.
    end
        The last place that was read: where the next batch goes on.
    """

    number: int
    documents: list[Document]
    bad: dict[str, Any]
    end: Place


class Cleaner:
    """What a process needs to clean batches."""

    def __init__(self, work: Work, options: Options) -> None:
        self._work, self._options = work, options
        self._against = contamination.load(work.file("against"))
        self._wanted = {LANGUAGES.index(name) for name in options.languages}
        self._sketch = Sketcher(options.near_words) if options.near else None
        self._hashes = WordHashes()
        self._tally = Tally()

    def __call__(self, batch: Batch) -> dict[str, Any]:
        """Clean a batch, write what stays of it, and return its record."""
        self._tally = Tally()
        found = [each for part in _parts(batch.documents) for each in self._cleaned(part)]
        first = self._unequal([document for document, _ in found])
        documents = [found[at][0] for at in first.values()]
        number = batch.number
        if self._sketch is not None:
            signatures = stacked([self._sketch(found[at][1]) for at in first.values()])
            self._work.write("clean", number, "signatures", signatures.tobytes())
        self._work.write_documents("clean", number, documents)
        self._work.write("clean", number, "equal", _records(list(first)))
        self._work.write("clean", number, "lines", self._line_records(documents))
        record = {
            "documents": len(first),
            "end": list(batch.end),
            "bad": batch.bad,
            "tally": self._tally.report(),
        }
        self._work.finish("clean", number, record)
        return record

    def _cleaned(self, documents: Sequence[Document]) -> Iterator[tuple[Document, Hashes]]:
        """What stays of documents, and the hashes of its words."""
        pages = [self._page(document) for document in documents]
        self._count(pages)
        for page in pages:
            self._take_lines(page)
        hashes: list[Hashes] = []
        kept: list[Page] = []
        for page in self._in_language(pages):
            page.close(self._tally)
            found = self._hashes.of(words(page.text))
            reason = self._poor(page, found)
            if reason is not None:
                self._tally.take(reason, page.said, page.text)
            else:
                kept.append(page)
                hashes.append(found)
        dirty = self._contaminated(hashes)
        for at, page in enumerate(kept):
            if at in dirty:
                self._tally.take(Filter.CONTAMINATED, page.said, page.text, of=dirty[at])
            else:
                yield (page.place, page.text, page.fields), hashes[at]

    def _page(self, document: Document) -> Page:
        place, raw, fields = document
        text, mends = normalise(raw)
        read = Amount()
        read.add(raw)
        normalised = read if text == raw else Amount()
        if normalised is not read:
            normalised.add(text)
        self._tally.read.merge(read)
        self._tally.normalised.merge(normalised)
        for mend in mends:
            self._tally.mended[mend] = self._tally.mended.get(mend, 0) + 1
        return Page(place, self._work.said(place), fields, text)

    def _count(self, pages: Sequence[Page]) -> None:
        """Count the letters of all lines, and take lines of symbols out."""
        found = shapes([line for page in pages for line in page.lines])
        symbols = np.flatnonzero(is_symbols(found, self._options.line_letters_share)).tolist()
        start, at = 0, 0
        for page in pages:
            end = start + len(page.lines)
            page.shape = found.part(start, end)
            first = at
            while at < len(symbols) and symbols[at] < end:
                at += 1
            page.take(Filter.SYMBOL_LINES, [each - start for each in symbols[first:at]], self._tally)
            start = end

    def _take_lines(self, page: Page) -> None:
        page.take(Filter.DAMAGED_LINES, is_damaged(page.lines, page.text), self._tally)
        page.take(Filter.NOTICES, is_notice(page.lines, page.text), self._tally)
        menu = is_menu(page.lines, page.text, page.shape.spaces, self._options.menu_lines)
        page.take(Filter.MENUS, menu, self._tally)

    def _in_language(self, pages: Sequence[Page]) -> Iterator[Page]:
        """Pages in the languages to keep, without their lines in others. Of a page without any line nothing is asked."""
        least = self._options.language_letters
        asked = [page.long_lines(least) for page in pages]
        texts = [
            sample(page.lines[at], _SAMPLE_BYTES)
            for page, lines in zip(pages, asked, strict=True)
            for at in lines
        ]
        # where no line is long enough, the page is looked at as a whole
        texts += [
            sample(page.text, _PAGE_BYTES) for page, lines in zip(pages, asked, strict=True) if not lines
        ]
        found, sure = identifier().classify(texts)
        languages, confidences = found.tolist(), sure.tolist()
        line, whole = 0, sum(map(len, asked))
        for page, lines in zip(pages, asked, strict=True):
            start, count = (line, len(lines)) if lines else (whole, 1)
            line, whole = line + len(lines), whole + (not lines)
            mine = slice(start, start + count)
            if not any(page.lines) or self._is_wanted(page, lines, languages[mine], confidences[mine]):
                yield page
            else:
                page.close(self._tally)
                self._tally.take(Filter.FOREIGN_DOCUMENTS, page.said, page.text)

    def _is_wanted(
        self, page: Page, lines: list[int], languages: list[int], confidences: list[float]
    ) -> bool:
        """Let lines vote with their letters, if some are certain those alone; take foreign lines out of a page that may stay."""
        least = self._options.language_confidence
        certain = [sure >= least for sure in confidences]
        letters = page.shape.letters[lines].tolist() if lines else [1]
        votes = [0] * len(LANGUAGES)
        for language, weight, counts in zip(languages, letters, certain, strict=True):
            votes[language] += weight if counts or not any(certain) else 0
        name = LANGUAGES[votes.index(max(votes))]
        self._tally.languages[name] = self._tally.languages.get(name, 0) + 1
        if sum(votes[each] for each in self._wanted) < self._options.language_share * sum(votes):
            return False
        foreign = [
            at
            for at, language, sure in zip(lines, languages, certain, strict=False)
            if sure and language not in self._wanted
        ]
        page.take(Filter.FOREIGN_LINES, foreign, self._tally)
        return True

    def _poor(self, page: Page, hashes: Hashes) -> Filter | None:
        options = self._options
        if len(hashes) < options.min_words:
            return Filter.SHORT
        if int(page.shape.letters.sum()) < options.letters_share * int(page.shape.visible.sum()):
            return Filter.SYMBOLS
        if repeats_itself(page.lines, hashes, options):
            return Filter.REPETITIVE
        return None

    def _contaminated(self, hashes: Sequence[Hashes]) -> dict[int, str]:
        """Which documents hold a run of an evaluation set, and of which row."""
        if self._against is None or not hashes:
            return {}
        between = np.array([contamination.BETWEEN], dtype=np.uint64)
        ends = list(accumulate(len(found) + 1 for found in hashes))
        together = np.concatenate([piece for found in hashes for piece in (found, between)])
        dirty: dict[int, str] = {}
        for place, row in self._against.find(together):
            dirty.setdefault(int(np.searchsorted(ends, place, side="right")), row)
        return dirty

    def _unequal(self, documents: Sequence[Document]) -> dict[int, int]:
        """The first of equal documents in a batch, by their hashes."""
        first: dict[int, int] = {}
        for at, (place, text, _) in enumerate(documents):
            key = xxh3_64_intdigest(text.encode())
            if first.setdefault(key, at) != at:
                of = self._work.said(documents[first[key]][0])
                self._tally.take(Filter.EQUAL, self._work.said(place), text, of=of)
        return first

    def _line_records(self, documents: Sequence[Document]) -> bytes:
        """For each line long enough its hash, the first document that has it, and how many have."""
        first: dict[int, int] = {}
        counts: dict[int, int] = {}
        for at, (_, text, _) in enumerate(documents):
            for key in line_keys(text, self._options.repeated_words):
                first.setdefault(key, at)
                counts[key] = counts.get(key, 0) + 1
        return encode(
            np.fromiter(first, dtype=np.uint64, count=len(first)),
            np.fromiter(first.values(), dtype=np.uint32, count=len(first)),
            np.fromiter(counts.values(), dtype=np.uint32, count=len(counts)),
        )


def _records(hashes: Sequence[int]) -> bytes:
    n = len(hashes)
    return encode(
        np.array(hashes, dtype=np.uint64), np.arange(n, dtype=np.uint32), np.ones(n, dtype=np.uint32)
    )


def _parts(documents: Sequence[Document]) -> Iterator[list[Document]]:
    part: list[Document] = []
    size = 0
    for document in documents:
        part.append(document)
        size += len(document[1])
        if size >= _TOGETHER:
            yield part
            part, size = [], 0
    if part:
        yield part
