"""A whole cleaning: passes over batches, resumable at each batch."""

from __future__ import annotations

import fcntl
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from training.data.cleaning import contamination
from training.data.cleaning.clean import Batch, Cleaner
from training.data.cleaning.crew import Crew
from training.data.cleaning.groups import Column, ranges
from training.data.cleaning.near import SignatureFiles
from training.data.cleaning.options import Options
from training.data.cleaning.shards import Shard, Writer, mark_near, planned
from training.data.cleaning.sources import documents
from training.data.cleaning.tally import Tally
from training.data.cleaning.thin import Thinner, mark_equal, mark_repeated
from training.data.cleaning.work import Document, Place, Work, read_json, write_json
from training.data.rows import BadRows
from training.errors import BadData

SCHEMA = "lehia.corpus/1"
_DOCUMENT_WEIGHT = 500  # characters that the keeping of a document costs beside its own
_EVERY_S = {True: 0.5, False: 15.0}  # a log file wants fewer lines than a terminal


def clean_corpus(
    files: Sequence[Path], folder: Path, options: Options, *, against: Sequence[Path] = (), processes: int = 1
) -> dict[str, Any]:
    """Clean documents into shards of JSON lines; returns the report, which also stands in ``report.json``.

    Killed at any moment and called again with the same inputs, it goes on, and leaves the same bytes as if it had not been.

    Parameters
    ----------
    files
        Of rows, plain text and HTML.
    folder
        Takes ``corpus-N.jsonl.zst``, ``report.json``, and ``work/`` until it is done. One call at a time.
    against
        Files of evaluation rows, from which no document may share a run of words.
    processes
        How many; the result does not depend on it.

    Raises
    ------
    BadData
        For inputs that cannot be read, and a folder with another cleaning in it.
    RunFailed
        If a process ends without an answer.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        work = Work(folder, tuple(map(str, files)))
        _begun(folder, files, options, against)
        report = read_json(folder / "report.json")
        if report is None:
            with Crew(processes) as crew:
                report = _Run(work, options, crew).report(files, against)
            write_json(folder / "report.json", report)
        shutil.rmtree(work.root, ignore_errors=True)
        return report


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / ".lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BadData(f"{folder}: another process is at work here") from error
        yield


def _begun(folder: Path, files: Sequence[Path], options: Options, against: Sequence[Path]) -> None:
    """Note what is asked of the folder, or refuse what differs from it."""
    request = {
        "options": options.model_dump(mode="json"),
        "inputs": [_state(file) for file in files],
        "against": [_state(file) for file in against],
    }
    there = read_json(folder / "request.json")
    if there is None:
        write_json(folder / "request.json", request)
    elif there != request:
        differing = [name for name in request if there.get(name) != request[name]]
        raise BadData(
            f"{folder}: begun with other {' and '.join(differing)}; name another folder, or remove this one"
        )


def _state(file: Path) -> dict[str, Any]:
    status = file.stat()
    return {"file": str(file), "bytes": status.st_size, "changed_ns": status.st_mtime_ns}


class _Run:
    def __init__(self, work: Work, options: Options, crew: Crew) -> None:
        self._work, self._options, self._crew = work, options, crew

    def report(self, files: Sequence[Path], against: Sequence[Path]) -> dict[str, Any]:
        compared = self._compare(against)
        batches = self._clean(files)
        self._mark(batches)
        sizes = self._thin(batches)
        if self._options.near:
            self._mark_near(batches)
        shards = planned(sizes, self._options.shard_mb * 1_000_000)
        self._write(shards)
        return self._summed(batches, shards) | {"against": compared}

    def _compare(self, against: Sequence[Path]) -> dict[str, Any]:
        marker = self._work.file("against.json")
        done = read_json(marker)
        if done is None:
            done = contamination.build(against, self._options.against_words, self._work.file("against"))
            write_json(marker, done)
        return done

    def _clean(self, files: Sequence[Path]) -> int:
        marker = self._work.file("clean.json")
        done = read_json(marker)
        if done is not None:
            return int(done["batches"])
        first, start = self._finished()
        asked = 0

        def open_batches() -> Iterator[Batch]:
            nonlocal asked
            with _bar("clean", unit="char", unit_scale=True) as bar:
                for batch in read_batches(files, start, first, self._options):
                    asked = batch.number + 1
                    if self._work.done("clean", batch.number) is None:
                        yield batch
                    bar.set_postfix_str(
                        f"file {min(batch.end[0] + 1, len(files))} of {len(files)}", refresh=False
                    )
                    bar.update(sum(len(text) for _, text, _ in batch.documents))

        for _ in self._crew.each("clean", partial(Cleaner, self._work, self._options), open_batches()):
            pass
        batches = max(first, asked)
        write_json(marker, {"batches": batches})
        return batches

    def _finished(self) -> tuple[int, Place]:
        """How many batches in a row are finished, and where the last of them ends."""
        number, end = 0, (0, 0)
        while (record := self._work.done("clean", number)) is not None:
            number, end = number + 1, (record["end"][0], record["end"][1])
        return number, end

    def _bases(self, stage: str, batches: int) -> NDArray[np.int64]:
        counts = [(self._work.done(stage, batch) or {})["documents"] for batch in range(batches)]
        return np.concatenate(([0], np.cumsum(np.array(counts, dtype=np.int64))))

    def _mark(self, batches: int) -> None:
        marker, work = self._work.file("marked.json"), self._work
        if read_json(marker) is not None:
            return
        documents_at = self._bases("clean", batches)
        lines = work.paths("clean", batches, "lines")
        lines_at = np.concatenate(([0], np.cumsum([each.stat().st_size // 16 for each in lines]))).astype(
            np.int64
        )
        np.save(work.file("documents.npy"), documents_at)
        np.save(work.file("lines.npy"), lines_at)
        with Column(work.file("equal")) as equal, Column(work.file("lines")) as repeated:
            equal.resize(int(documents_at[-1]))
            repeated.resize(int(lines_at[-1]))
            for records in _shown("equal", ranges(work.paths("clean", batches, "equal"))):
                mark_equal(records, documents_at, equal)
            for records in _shown("lines", ranges(lines)):
                mark_repeated(records, self._options.repeated_in, repeated)
        write_json(marker, {})

    def _thin(self, batches: int) -> list[int]:
        missing = [batch for batch in range(batches) if self._work.done("thin", batch) is None]
        with _bar("thin", unit="batch", total=batches, initial=batches - len(missing)) as bar:
            for _ in self._crew.each("thin", partial(Thinner, self._work, self._options), missing):
                bar.update()
        return [(self._work.done("thin", batch) or {})["bytes"] for batch in range(batches)]

    def _mark_near(self, batches: int) -> None:
        marker, work = self._work.file("near.json"), self._work
        if read_json(marker) is not None:
            return
        bases = self._bases("thin", batches)
        np.save(work.file("near.npy"), bases)
        signatures = SignatureFiles(work.paths("thin", batches, "signatures"), bases)
        with Column(work.file("near")) as column:
            column.resize(int(bases[-1]))
            for records in _shown("near", ranges(work.paths("thin", batches, "bands"))):
                mark_near(records, bases, column, signatures, self._options.near_similarity)
        write_json(marker, {})

    def _write(self, shards: Sequence[Shard]) -> None:
        missing = [shard for shard in shards if self._work.done("shards", shard.number) is None]
        with _bar("write", unit="file", total=len(shards), initial=len(shards) - len(missing)) as bar:
            for _ in self._crew.each("write", partial(Writer, self._work, self._options), missing):
                bar.update()

    def _summed(self, batches: int, shards: Sequence[Shard]) -> dict[str, Any]:
        tally, bad = Tally(), BadRows()
        for stage, count in (("clean", batches), ("thin", batches), ("shards", len(shards))):
            for number in range(count):
                record = self._work.done(stage, number) or {}
                tally.merge(Tally.of_report(record["tally"]))
                if stage == "clean":
                    bad.merge(BadRows.of_report(record["bad"]))
        return {
            "schema": SCHEMA,
            "inputs": len(self._work.inputs),
            "options": self._options.model_dump(mode="json"),
            "bad_rows": bad.report(),
            **tally.report(),
            "shards": [shard.name for shard in shards],
        }


def read_batches(files: Sequence[Path], start: Place, number: int, options: Options) -> Iterator[Batch]:
    """Documents from a place on, in batches that depend on nothing but what follows that place.

    Parameters
    ----------
    start
        The last place that was read before, as file and row; (0, 0) is the beginning.
    number
        Of the first batch.
    """
    batch, bad, size = list[Document](), BadRows(), 0
    for at in range(start[0], len(files)):
        for row, text, fields in documents(files[at], bad, options, skip=start[1] if at == start[0] else 0):
            batch.append(((at, row), text, fields))
            size += len(text) + _DOCUMENT_WEIGHT
            if size >= options.batch_characters:
                yield Batch(number, batch, bad.report(), (at, row))
                batch, size, number = [], 0, number + 1
                bad.clear()  # the same one, since it is being filled
    if batch or bad.counts:
        yield Batch(number, batch, bad.report(), (len(files), 0))


def _shown(name: str, parts: Iterator[Any]) -> Iterator[Any]:
    with _bar(name, unit="part") as bar:
        for part in parts:
            yield part
            bar.update()


def _bar(name: str, **kwargs: Any) -> tqdm:
    return tqdm(
        desc=name, file=sys.stderr, mininterval=_EVERY_S[sys.stderr.isatty()], dynamic_ncols=True, **kwargs
    )
