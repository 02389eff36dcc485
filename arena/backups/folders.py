"""A backup is a folder: it gets its name once all of it is on the disk, and its manifest knows every file by its checksum."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO

import msgspec

from arena.errors import BackupRefused
from inference.processes import locked

MANIFEST, DATABASE, ERASURES, RELEASES = "manifest.json", "database.dump", "erasures.jsonl", "releases"
FORMAT = 1
_DRAFT = ".unfinished-"


class Part(msgspec.Struct, frozen=True):
    name: str
    size_bytes: int
    sha256: str


class BoardState(msgspec.Struct, frozen=True):
    """A criterion of a board: its tally, the fit of it, and the last published one."""

    board: str
    criterion: str
    n_votes: int
    tally_checksum: str
    snapshot_checksum: str
    ratings: dict[str, float | None]


class State(msgspec.Struct, frozen=True):
    """What a restored database must equal."""

    rows: dict[str, int]
    boards: list[BoardState]


class Manifest(msgspec.Struct, frozen=True):
    format: int
    made_at: datetime
    code_version: str
    postgres: int
    """Major version of the server."""
    pg_dump: int
    migrations: list[str]
    state: State
    releases_lacking: list[str]
    """Releases some of whose files were not there."""
    parts: list[Part]


_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(Manifest).decode


@contextmanager
def drafting(parent: Path, name: str, *, lock: Path) -> Iterator[Path]:
    """A folder to fill, with :func:`seal` as the last step; it gets its name if the block ends well and is gone otherwise, now or at the next time.

    One process at a time; raises :class:`BackupRefused` for a second one, ``OSError``.
    """
    parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with locked(lock, within_s=0):
            for left in parent.glob(f"{_DRAFT}*"):
                shutil.rmtree(left)
            draft = parent / f"{_DRAFT}{name}"
            draft.mkdir(mode=0o700)
            try:
                yield draft
                draft.rename(parent / name)
            except BaseException:
                shutil.rmtree(draft, ignore_errors=True)
                raise
            sync(parent)
    except TimeoutError:
        raise BackupRefused(f"another backup is being made in {parent}") from None


def seal(draft: Path, manifest: Manifest) -> None:
    """Write the manifest, and wait until all is on the disk."""
    with private(draft / MANIFEST) as file:
        file.write(msgspec.json.format(_encode(manifest), indent=2))
    for path in sorted(draft.rglob("*"), reverse=True):
        sync(path)
    sync(draft)


def parts_of(draft: Path) -> list[Part]:
    """Every file but the manifest, read back."""
    files = sorted(path for path in draft.rglob("*") if path.is_file() and path != draft / MANIFEST)
    return [_part(draft, path) for path in files]


def read(folder: Path) -> Manifest:
    """The manifest of a backup all of whose files are there and as they were written. Raises :class:`BackupRefused`, ``OSError``."""
    try:
        manifest = _decode((folder / MANIFEST).read_bytes())
    except FileNotFoundError:
        raise BackupRefused(f"{folder} is no whole backup: it has no {MANIFEST}") from None
    except msgspec.DecodeError as error:
        raise BackupRefused(f"{folder / MANIFEST} cannot be read: {error}") from None
    if manifest.format != FORMAT:
        raise BackupRefused(f"{folder} has format {manifest.format}; this code reads {FORMAT}")
    for part in manifest.parts:
        if not (folder / part.name).is_file():
            raise BackupRefused(f"{part.name} is missing from {folder}")
        if _part(folder, folder / part.name) != part:
            raise BackupRefused(f"{part.name} in {folder} is not what was saved: its checksum differs")
    return manifest


def all_in(parent: Path) -> list[Path]:
    """Every whole backup there, the oldest first."""
    return sorted(path.parent for path in parent.glob(f"*/{MANIFEST}"))


def copy(source: Path, target: Path) -> None:
    """Every file below *source* to below *target*, in the place of what lies there, each whole or not at all. Raises ``OSError``."""
    for path in sorted(path for path in source.rglob("*") if path.is_file()):
        place = target / path.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        fresh = place.with_name(f".{place.name}.fresh")
        with path.open("rb") as file, private(fresh) as made:
            shutil.copyfileobj(file, made)
        sync(fresh)
        fresh.replace(place)


def private(path: Path) -> IO[bytes]:
    """A new file that its owner alone can read. Raises ``OSError``."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _part(folder: Path, path: Path) -> Part:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Part(str(path.relative_to(folder)), path.stat().st_size, digest)
