"""Rows by number, appended as they come: what a run has got so far, whatever kills it."""

from __future__ import annotations

import fcntl
import json
import os
from array import array
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from training.data.rows import Fields, line
from training.errors import BadData

_OFFSET_BITS = 44
_ABSENT = -1


class Journal:
    """JSON lines ``{"index": n, ..}`` in segments of a bounded number of rows; 8 bytes of memory a row.

    A row is one append of one line, so a kill leaves at most one line torn, the last; it is taken back when the journal is opened again.

    Parameters
    ----------
    folder
        Made if it is missing; holds ``part-00000.jsonl`` and so on.
    segment_rows
        How many rows a file takes.

    Raises
    ------
    BadData
        For a line, other than a torn last one, that is not a row, and for a row that is there twice.
    """

    def __init__(self, folder: Path, *, segment_rows: int = 10_000) -> None:
        self._folder, self._segment_rows = folder, segment_rows
        self._places = array("q")
        self._count = 0
        folder.mkdir(parents=True, exist_ok=True)
        parts = sorted(folder.glob("part-*.jsonl"))
        self._segment, self._rows, self._end = 0, 0, 0
        for number, part in enumerate(parts):
            self._segment, self._rows, self._end = number, 0, 0
            self._load(part, last=part is parts[-1])
        self._file = self._open()

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._file)

    def __len__(self) -> int:
        return self._count

    def __contains__(self, index: int) -> bool:
        return index < len(self._places) and self._places[index] != _ABSENT

    def __iter__(self) -> Iterator[tuple[int, Fields]]:
        """Rows in the order of their numbers."""
        for index in range(len(self._places)):
            if self._places[index] != _ABSENT:
                yield index, self.read(index)

    def read(self, index: int) -> Fields:
        """The row of that number. Raises KeyError where there is none."""
        if index not in self:
            raise KeyError(index)
        segment, offset = divmod(self._places[index], 1 << _OFFSET_BITS)
        with self._path(segment).open("rb") as file:
            file.seek(offset)
            fields: Fields = json.loads(file.readline())
        return fields

    def add(self, index: int, fields: Fields) -> None:
        """Append a row; it stands once this returns. Raises ValueError for a number that has one."""
        if index in self:
            raise ValueError(f"row {index} is there already")
        if self._rows >= self._segment_rows:
            os.close(self._file)
            self._segment, self._rows, self._end = self._segment + 1, 0, 0
            self._file = self._open()
        raw = line({"index": index, **fields})
        written = os.write(self._file, raw)
        if written != len(raw):  # a full disk takes a part
            os.ftruncate(self._file, self._end)
            raise OSError("the journal's disk is full")
        self._note(index)
        self._end += len(raw)

    def _note(self, index: int) -> None:
        missing = index + 1 - len(self._places)
        if missing > 0:
            self._places.extend([_ABSENT] * missing)
        self._places[index] = (self._segment << _OFFSET_BITS) + self._end
        self._count += 1
        self._rows += 1

    def _load(self, part: Path, *, last: bool) -> None:
        with part.open("rb") as file:
            for raw in file:
                if last and not raw.endswith(b"\n"):
                    os.truncate(part, self._end)
                    return
                self._note(self._index(raw, part))
                self._end += len(raw)

    def _index(self, raw: bytes, part: Path) -> int:
        place = f"{part}:{self._rows + 1}"
        try:
            index = json.loads(raw)["index"]
        except (ValueError, KeyError, TypeError):
            raise BadData(f"{place}: not a row of a journal") from None
        if not isinstance(index, int) or index < 0 or index in self:
            raise BadData(f"{place}: no row's number, or one that is there already")
        return index

    def _path(self, segment: int) -> Path:
        return self._folder / f"part-{segment:05d}.jsonl"

    def _open(self) -> int:
        return os.open(self._path(self._segment), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)


class Claim:
    """A folder that one process at a time writes, for one request; use it as ``with``.

    Parameters
    ----------
    request
        What is asked for: everything that shapes a row. It is kept in ``request.json``, and a later run must ask the same.

    Raises
    ------
    BadData
        If another process writes there, or if the folder holds the rows of another request; it names what differs.
    """

    def __init__(self, folder: Path, request: Fields) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            self._take(folder, json.loads(json.dumps(request)))
        except BaseException:
            os.close(self._lock)
            raise

    def __enter__(self) -> Claim:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._lock)

    def _take(self, folder: Path, request: Fields) -> None:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise BadData(f"{folder}: another process is writing there") from None
        path = folder / "request.json"
        if not path.exists():
            write_whole(path, json.dumps(request, ensure_ascii=False, indent=1).encode())
            return
        before = json.loads(path.read_bytes())
        differ = sorted(key for key in before.keys() | request.keys() if before.get(key) != request.get(key))
        if differ:
            raise BadData(f"{folder} holds the rows of another request: {', '.join(differ)} differ")


def write_whole(path: Path, raw: bytes) -> None:
    """Write a file that is there whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(raw)
    part.replace(path)
