"""A log of who was to be forgotten, beside the database: a backup that is restored must forget them again. It holds keys and times alone."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from uuid import UUID

import msgspec


class Deed(StrEnum):
    ERASED = "erased"
    """A participant, an account, or both."""
    JOINED = "joined"
    """A guest became part of another participant: whoever erases that one erases the guest too, where a backup has both."""
    WITHDRAWN = "withdrawn"
    """A consent; with *votes*, those cast until then as well."""
    HIDDEN = "hidden"
    SHOWN = "shown"
    """A battle, from and to others."""


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    at: datetime
    deed: Deed
    participant: UUID | None = None
    account: UUID | None = None
    guest: UUID | None = None
    battle: UUID | None = None
    votes: bool = False


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Line).decode


def append(path: Path, line: Line) -> None:
    """Add a line, on the disk when this returns; processes take turns. Raises ``OSError``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    is_new = not path.exists()
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        start = b"" if _ends_whole(file.fileno()) else b"\n"
        file.write(start + _encode(line) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    if is_new:
        _sync_folder(path.parent)


def read(paths: Iterable[Path]) -> list[Line]:
    """All lines of these files by time, each once. Raises ``ValueError`` naming a line that cannot be read, ``OSError``."""
    found = {line: None for path in paths for line in _lines(path)}
    return sorted(found, key=lambda line: line.at)


def _lines(path: Path) -> Iterator[Line]:
    """The half of a line that a fall cut off is nothing: what it was about did not happen either."""
    rows = path.read_bytes().split(b"\n")
    for number, row in enumerate(rows, start=1):
        if not row.strip():
            continue
        try:
            yield _decode(row)
        except msgspec.DecodeError as error:
            if row.startswith(b"{") and not row.endswith(b"}"):
                continue
            raise ValueError(f"{path}, line {number}: {error}") from None


def _ends_whole(descriptor: int) -> bool:
    size = os.fstat(descriptor).st_size
    return size == 0 or os.pread(descriptor, 1, size - 1) == b"\n"


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
