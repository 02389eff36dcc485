"""The folder of work under way: what a pass has finished is there whole, or not at all."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import numpy as np
import zstandard
from numpy.typing import NDArray

from training.data.cleaning.sources import Kept

Place: TypeAlias = tuple[int, int]  # number of the file among the inputs, row
Document: TypeAlias = tuple[Place, str, Kept]
_DOCUMENTS = msgspec.msgpack.Decoder(list[tuple[tuple[int, int], str, Kept]])


@dataclass(frozen=True)
class Work:
    """Files of a run by pass and batch.

    Parameters
    ----------
    folder
        Of the run.
    inputs
        The input files, as they were named.
    """

    folder: Path
    inputs: tuple[str, ...]

    @cached_property
    def root(self) -> Path:
        return self.folder / "work"

    def path(self, stage: str, batch: int, kind: str) -> Path:
        return self.root / stage / f"{batch:07d}.{kind}"

    def paths(self, stage: str, batches: int, kind: str) -> list[Path]:
        return [self.path(stage, batch, kind) for batch in range(batches)]

    def file(self, name: str) -> Path:
        """A file of the whole run."""
        return self.root / name

    def said(self, place: Place) -> str:
        """``file:row``."""
        return f"{self.inputs[place[0]]}:{place[1]}"

    def done(self, stage: str, batch: int) -> dict[str, Any] | None:
        """What a finished batch recorded; None where it is not finished."""
        return read_json(self.path(stage, batch, "json"))

    def finish(self, stage: str, batch: int, record: dict[str, Any]) -> None:
        """Record that a batch is whole; the last that is written of it."""
        write_json(self.path(stage, batch, "json"), record)

    def write(self, stage: str, batch: int, kind: str, raw: bytes) -> None:
        path = self.path(stage, batch, kind)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(raw)

    def write_documents(self, stage: str, batch: int, documents: Sequence[Document]) -> None:
        """Texts to read again, and apart from them their places."""
        raw = msgspec.msgpack.encode(documents)
        self.write(stage, batch, "texts", zstandard.ZstdCompressor(level=1).compress(raw))
        places = np.array([place for place, _, _ in documents], dtype=np.uint32)
        self.write(stage, batch, "places", places.tobytes())

    def documents(self, stage: str, batch: int) -> list[Document]:
        raw = self.path(stage, batch, "texts").read_bytes()
        return _DOCUMENTS.decode(zstandard.ZstdDecompressor().decompress(raw))

    def place(self, stage: str, bases: NDArray[np.int64], document: int) -> str:
        """``file:row`` of a document by its number in all batches."""
        batch = int(np.searchsorted(bases, document, side="right")) - 1
        at = int(document - bases[batch])
        file, row = np.fromfile(self.path(stage, batch, "places"), dtype=np.uint32, count=2, offset=8 * at)
        return self.said((int(file), int(row)))


def read_json(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    return dict(found)


def write_json(path: Path, record: dict[str, Any]) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".new")
    beside.write_text(json.dumps(record, ensure_ascii=False, indent=1) + "\n")
    beside.replace(path)
