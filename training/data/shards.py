"""Tokens on disk: shards that appear whole, in order, so that a killed run goes on where it was."""

from __future__ import annotations

import fcntl
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from training.data.encoding import Encoded, Position
from training.data.rows import BadRows
from training.data.store import Kind, Shard, Store, id_type

SCHEMA = "lehia.tokens/1"
DESCRIPTION = "store.json"
_PLACES = np.dtype("<i8")


class Writer:
    """Adds encoded chunks to a folder.

    Parameters
    ----------
    folder
        Shards that are in it are kept; of a shard that was not finished, nothing is.
    kind, vocabulary
        Of the segments.
    shard_tokens
        A shard ends with the chunk that brings it to so many.
    """

    def __init__(self, folder: Path, kind: Kind, vocabulary: int, *, shard_tokens: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._shard_tokens = folder, shard_tokens
        self._type = id_type(vocabulary)
        self._parts = ("ids", "ends", "spans") if kind == "chats" else ("ids", "ends")
        done = sorted(folder.glob("*.json"))
        state = json.loads(done[-1].read_text()) if done else {}
        self.shards = len(done)
        self.position = Position(**state.get("position", {}))
        self.counts = Counter(state.get("counts", {}))
        self.bad = bad_of(state.get("bad", {}))
        self._files: dict[str, BinaryIO] = {}
        self._tokens = 0

    def add(self, encoded: Encoded) -> None:
        """Add a chunk; the shard may end with it."""
        shard = encoded.shard
        self.bad.merge(encoded.bad)
        self.position = encoded.after
        if not len(shard.ends):
            return
        learnt = len(shard.ids) if shard.spans is None else int(np.diff(shard.spans).sum())
        parts = {
            "ids": shard.ids.astype(self._type),
            "ends": (shard.ends + self._tokens).astype(_PLACES),
            "spans": None if shard.spans is None else (shard.spans + self._tokens).astype(_PLACES),
        }
        for name in self._parts:
            self._file(name).write(np.ascontiguousarray(parts[name]).data)
        self._tokens += len(shard.ids)
        self.counts.update(segments=len(shard.ends), tokens=len(shard.ids), learnt=learnt)
        if self._tokens >= self._shard_tokens:
            self.finish()

    def finish(self) -> None:
        """End the shard, if there is something in it."""
        for name, file in self._files.items():
            file.close()
            (self._folder / f"{self.shards:05}.{name}.part").replace(
                self._folder / f"{self.shards:05}.{name}"
            )
        if self._files:
            state = {"position": asdict(self.position), "counts": dict(self.counts), "bad": self.bad.report()}
            write_json(self._folder / f"{self.shards:05}.json", state)
            self.shards += 1
        self._files, self._tokens = {}, 0

    def abandon(self) -> None:
        """Leave what is not finished."""
        for file in self._files.values():
            file.close()

    def _file(self, name: str) -> BinaryIO:
        if name not in self._files:
            self._files[name] = (self._folder / f"{self.shards:05}.{name}.part").open("wb")
        return self._files[name]


def open_store(folder: Path) -> Store:
    """A finished folder of shards, mapped into memory."""
    about = description(folder)
    names = [f"{number:05}" for number in range(about["shards"])]
    kind: Kind = about["kind"]
    return MappedStore(folder, kind, [_mapped(folder / name, kind, about["vocabulary"]) for name in names])


def description(folder: Path) -> dict[str, Any]:
    """What a finished folder says of itself; an empty mapping where it is not finished."""
    path = folder / DESCRIPTION
    if not path.is_file():
        return {}
    found: dict[str, Any] = json.loads(path.read_text())
    return found


class MappedStore(Store):
    """A store of files; another process opens them for itself instead of being sent their contents."""

    def __init__(self, folder: Path, kind: Kind, shards: list[Shard]) -> None:
        super().__init__(kind, shards)
        self.folder = folder

    def __reduce__(self) -> tuple[Any, ...]:
        return open_store, (self.folder,)


def _mapped(path: Path, kind: Kind, vocabulary: int) -> Shard:
    ids = np.memmap(path.with_suffix(".ids"), id_type(vocabulary), "r")
    ends = np.memmap(path.with_suffix(".ends"), _PLACES, "r")
    spans: NDArray[np.int64] | None = None
    if kind == "chats":
        spans = np.memmap(path.with_suffix(".spans"), _PLACES, "r").reshape(-1, 2)
    return Shard(ids, ends, spans)


def bad_of(report: dict[str, Any]) -> BadRows:
    """What :meth:`BadRows.report` told."""
    bad = BadRows()
    for reason, found in report.get("reasons", {}).items():
        bad.counts[reason] = found["rows"]
        bad.places[reason] = list(found["first"])
    return bad


def write_json(path: Path, value: object) -> None:
    """Written whole or not at all."""
    beside = path.with_name(f"{path.name}.part")
    beside.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n")
    beside.replace(path)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
