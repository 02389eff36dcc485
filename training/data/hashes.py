"""Names of files by what is in them."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from training.data.shards import locked, write_json

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Content:
    """A file's content.

    Parameters
    ----------
    sha256
        In hexadecimal digits.
    size
        Bytes.
    lines
        Of a file that is not packed, blank ones included; else None.
    """

    sha256: str
    size: int
    lines: int | None


def contents(files: list[Path], memory: Path, *, threads: int) -> list[Content]:
    """What is in files, each read once as long as it does not change.

    Parameters
    ----------
    memory
        A JSON file where what was found is kept, under the path with size, times of change and inode.
    threads
        Files read at a time.
    """
    known = _remembered(memory)
    keys = [_key(path) for path in files]
    fresh = {key: path for key, path in zip(keys, files, strict=True) if key not in known}
    if fresh:
        with ThreadPoolExecutor(threads) as pool:
            read = dict(zip(fresh, map(asdict, pool.map(_read, fresh.values())), strict=True))
        memory.parent.mkdir(parents=True, exist_ok=True)
        with locked(memory.with_name(f"{memory.name}.lock")):  # others may have read other files meanwhile
            known = _remembered(memory) | read
            write_json(memory, known)
    return [Content(**known[key]) for key in keys]  # type: ignore[arg-type]  # as it was written


def _remembered(memory: Path) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = json.loads(memory.read_text()) if memory.is_file() else {}
    return found


def _key(path: Path) -> str:
    stat = path.stat()
    return f"{path.absolute()} {stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns} {stat.st_ino}"


def _read(path: Path) -> Content:
    digest, size, lines = hashlib.sha256(), 0, 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            size += len(block)
            lines += block.count(b"\n")
    return Content(digest.hexdigest(), size, lines if path.suffix == ".jsonl" else None)
