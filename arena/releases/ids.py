"""The ids of a release's rows, 16 bytes each: kept beside its files and never given away, to find out later which of them were taken back."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

NAME = ".ids"
_BYTES = 16


def write(ids: Iterable[str], folder: Path) -> None:
    (folder / NAME).write_bytes(b"".join(sorted(UUID(each).bytes for each in ids)))


def read(folder: Path) -> set[bytes]:
    held = (folder / NAME).read_bytes()
    return {held[at : at + _BYTES] for at in range(0, len(held), _BYTES)}
