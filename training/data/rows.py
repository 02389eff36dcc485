"""Rows from JSON lines, plain, gzip or zstd, and from Parquet; what cannot be read is counted and located."""

from __future__ import annotations

import gzip
import io
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from training.errors import BadData

Fields = dict[str, Any]
LONGEST_BYTES = 1 << 28
_PARQUET_ROWS = 256
_PARQUET_BYTES = 1 << 20  # read ahead; without it a row group's column is held whole, however large
_LINES = (".jsonl", ".jsonl.gz", ".jsonl.zst")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row stands.

    Parameters
    ----------
    file
        As it was named.
    row
        The line, or the row of a Parquet file, counted from 1.
    """

    file: str
    row: int

    def __str__(self) -> str:
        return f"{self.file}:{self.row}"


@dataclass(slots=True)
class BadRows:
    """What could not be used: how many rows by reason, and where the first of each stand.

    Parameters
    ----------
    located
        How many places are kept for each reason.
    """

    located: int = 5
    counts: Counter[str] = field(default_factory=Counter)
    places: dict[str, list[str]] = field(default_factory=dict)

    def add(self, place: Place, reason: str) -> None:
        self.counts[reason] += 1
        kept = self.places.setdefault(reason, [])
        if len(kept) < self.located:
            kept.append(str(place))

    def merge(self, other: BadRows) -> None:
        """Add what another process counted."""
        self.counts.update(other.counts)
        for reason, places in other.places.items():
            kept = self.places.setdefault(reason, [])
            kept.extend(places[: self.located - len(kept)])

    def clear(self) -> None:
        """Begin anew; what was reported stays as it was."""
        self.counts = Counter()
        self.places = {}

    def report(self) -> dict[str, Any]:
        """``{"rows": n, "reasons": {reason: {"rows": n, "first": [place, ..]}}}``."""
        reasons = {
            reason: {"rows": rows, "first": list(self.places[reason])}
            for reason, rows in sorted(self.counts.items())
        }
        return {"rows": self.counts.total(), "reasons": reasons}

    @classmethod
    def of_report(cls, report: dict[str, Any]) -> BadRows:
        """What :meth:`report` gave, to go on counting."""
        reasons = report["reasons"]
        return cls(
            counts=Counter({reason: each["rows"] for reason, each in reasons.items()}),
            places={reason: list(each["first"]) for reason, each in reasons.items()},
        )


def inputs(paths: list[Path]) -> list[Path]:
    """The files behind files and folders, sorted within a folder.

    Raises
    ------
    BadData
        For a path that does not exist, a folder without rows, or a file of another kind.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(each for each in path.rglob("*") if each.is_file() and is_rows(each))
            if not inside:
                raise BadData(f"{path}: no JSON lines and no Parquet in this folder")
            found += inside
        elif not path.is_file():
            raise BadData(f"{path}: there is no such file")
        elif not is_rows(path):
            raise BadData(f"{path}: neither JSON lines ({', '.join(_LINES)}) nor .parquet")
        else:
            found.append(path)
    return found


def is_rows(path: Path) -> bool:
    """Whether the name is of a kind that :func:`read_rows` reads."""
    return path.name.endswith((*_LINES, ".parquet"))


def read_rows(
    path: Path, bad: BadRows, *, skip: int = 0, longest: int = LONGEST_BYTES
) -> Iterator[tuple[Place, Fields]]:
    """The rows of one file that are mappings, each with its place, in constant memory.

    Parameters
    ----------
    path
        By its name: ``.jsonl``, ``.jsonl.gz``, ``.jsonl.zst``, ``.parquet``.
    bad
        Takes up lines that are not UTF-8, not JSON or not an object. A blank line is nothing.
    skip
        How many rows, bad and blank ones included, were read before.
    longest
        Bytes a line may have; what is longer is a bad row, and never held whole.

    Raises
    ------
    BadData
        Where the file itself cannot be opened, or breaks off.
    """
    with _located(path):
        if path.suffix == ".parquet":
            yield from _read_parquet(path, skip)
        else:
            yield from _read_lines(path, bad, skip, longest)


def open_bytes(path: Path) -> BinaryIO:
    """A file opened to read, unpacked by its suffix; close it."""
    if path.suffix == ".gz":
        return io.BufferedReader(gzip.GzipFile(path, "rb"))
    if path.suffix == ".zst":
        from training.data.zstd import ZstdReader

        return io.BufferedReader(ZstdReader(path), 1 << 20)
    return path.open("rb")


def open_to_write(path: Path) -> BinaryIO:
    """A file opened to write, packed by its suffix; the same bytes in give the same bytes out."""
    if path.suffix == ".gz":
        return io.BufferedWriter(gzip.GzipFile(path, "wb", mtime=0))
    if path.suffix == ".zst":
        import zstandard

        return io.BufferedWriter(zstandard.open(path, "wb"))
    return path.open("wb")


def line(fields: Fields) -> bytes:
    """A row as a line of JSON."""
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def text_of(fields: Fields) -> str:
    """A document's text. Raises :class:`BadData` with a reason that can be counted."""
    text = fields.get("text")
    if not isinstance(text, str):
        raise BadData("no text")
    if not text.strip():
        raise BadData("empty text")
    return text


def messages_of(fields: Fields) -> list[dict[str, str]]:
    """A chat's messages, of ``conversations`` or ``messages``, with roles by the template's names.

    Raises
    ------
    BadData
        With a reason that can be counted.
    """
    raw = fields.get("conversations", fields.get("messages"))
    if not isinstance(raw, list) or not raw:
        raise BadData("no conversations")
    return [_message(each) for each in raw]


_ROLES = {"human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "system": "system"}


def _message(raw: object) -> dict[str, str]:
    if not isinstance(raw, dict):
        raise BadData("a message is not an object")
    role, content = raw.get("role", raw.get("from")), raw.get("content", raw.get("value"))
    role = role.strip() if isinstance(role, str) else None
    if role not in _ROLES:
        raise BadData("a message of an unknown role")
    if not isinstance(content, str):
        raise BadData("a message without text")
    return {"role": _ROLES[role], "content": content}


def lines_of(file: BinaryIO, longest: int) -> Iterator[bytes | None]:
    """The lines of a file; None for one of more than *longest* bytes, which is passed over in pieces."""
    while raw := file.readline(longest + 1):
        if len(raw) > longest and not raw.endswith(b"\n"):
            while raw and not raw.endswith(b"\n"):
                raw = file.readline(longest)
            yield None
        else:
            yield raw


def _read_lines(path: Path, bad: BadRows, skip: int, longest: int) -> Iterator[tuple[Place, Fields]]:
    with open_bytes(path) as file:
        for number, raw in enumerate(lines_of(file, longest), start=1):
            if number <= skip or (raw is not None and not raw.strip()):
                continue
            place = Place(str(path), number)
            if raw is None:
                bad.add(place, "a line of too many bytes")
                continue
            try:
                fields = json.loads(raw)
            except UnicodeDecodeError:
                bad.add(place, "not UTF-8")
            except (ValueError, RecursionError):  # brackets a thousand deep
                bad.add(place, "not JSON")
            else:
                if isinstance(fields, dict):
                    yield place, fields
                else:
                    bad.add(place, "not an object")


def _read_parquet(path: Path, skip: int) -> Iterator[tuple[Place, Fields]]:
    import pyarrow.parquet

    number = 0
    with pyarrow.parquet.ParquetFile(path, buffer_size=_PARQUET_BYTES, pre_buffer=False) as file:
        for batch in file.iter_batches(batch_size=_PARQUET_ROWS, use_threads=False):
            if number + batch.num_rows <= skip:
                number += batch.num_rows
                continue
            for fields in batch.to_pylist():
                number += 1
                if number > skip:
                    yield Place(str(path), number), fields


@contextmanager
def _located(path: Path) -> Iterator[None]:
    import pyarrow
    import zstandard

    # gzip and ZstdReader tell a file that breaks off by EOFError
    try:
        yield
    except (OSError, EOFError, zstandard.ZstdError, pyarrow.ArrowException) as error:
        raise BadData(f"{path}: {error}") from error
