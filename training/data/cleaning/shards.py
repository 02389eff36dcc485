"""The last pass: what stays, as JSON lines with where it came from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.data.cleaning.groups import Column, Records
from training.data.cleaning.near import SignatureFiles, leaders
from training.data.cleaning.options import Options
from training.data.cleaning.tally import Filter, Tally
from training.data.cleaning.work import Work
from training.data.rows import line, open_to_write


@dataclass(frozen=True, slots=True)
class Shard:
    """Batches that are written to one file, the last not included."""

    number: int
    first: int
    last: int

    @property
    def name(self) -> str:
        return f"corpus-{self.number:05d}.jsonl.zst"


def planned(sizes: Sequence[int], most: int) -> list[Shard]:
    """Batches of these bytes in shards of about *most*: none is split, and each holds one at least."""
    shards: list[Shard] = []
    first, size = 0, 0
    for batch, each in enumerate(sizes):
        if batch > first and size + each > most:
            shards.append(Shard(len(shards), first, batch))
            first, size = batch, 0
        size += each
    if sizes:
        shards.append(Shard(len(shards), first, len(sizes)))
    return shards


def mark_near(
    records: Records, bases: NDArray[np.int64], column: Column, signatures: SignatureFiles, similarity: float
) -> None:
    """Note for each near duplicate of a document in an earlier batch which that is: its number in all batches, plus 1."""
    numbers = bases[records.batches] + records.documents
    near, of = leaders(records.keys, numbers, signatures, similarity)
    column.keep_least(near, of + 1)


class Writer:
    """What a process needs to write shards."""

    def __init__(self, work: Work, options: Options) -> None:
        self._work, self._options = work, options
        # the number of each batch's first document after the second pass
        self._bases: NDArray[np.int64] | None = np.load(work.file("near.npy")) if options.near else None

    def __call__(self, shard: Shard) -> dict[str, Any]:
        """Write a shard whole, and return its record."""
        tally = Tally()
        path = self._work.folder / shard.name
        beside = path.with_name("new-" + path.name)  # its end says how it is packed
        with open_to_write(beside) as file:
            for batch in range(shard.first, shard.last):
                file.write(b"".join(self._lines(batch, tally)))
        beside.replace(path)
        record = {"file": shard.name, "tally": tally.report()}
        self._work.finish("shards", shard.number, record)
        return record

    def _lines(self, batch: int, tally: Tally) -> Iterator[bytes]:
        found = self._work.documents("thin", batch)
        first = self._leaders(batch, len(found))
        for (place, text, fields), leader in zip(found, first, strict=True):
            if leader:
                of = self._said(leader - 1) if tally.wants_example(Filter.NEAR) else ""
                tally.take(Filter.NEAR, self._work.said(place), text, of=of)
            else:
                tally.kept.add(text)
                source = {"source": self._work.inputs[place[0]], "row": place[1]}
                yield line({"text": text} | source | fields)

    def _leaders(self, batch: int, count: int) -> list[int]:
        """For each document the one that it is a near duplicate of, plus 1; 0 for none."""
        if self._bases is None:
            return [0] * count
        with Column(self._work.file("near")) as column:
            return list(column.read(int(self._bases[batch]), count).tolist())

    def _said(self, document: int) -> str:
        return "" if self._bases is None else self._work.place("thin", self._bases, document)
