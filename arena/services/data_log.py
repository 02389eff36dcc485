"""The log of who took data that is not public, and who brought data in. One line a deed."""

from __future__ import annotations

from pathlib import Path

from arena.exports.files import digest
from arena.models import DataEntry, ExportJob, User
from arena.types import DataAct


def note_download(job: ExportJob, *, by: User, size_bytes: int) -> DataEntry:
    """That somebody was given the file of a finished export, or so many bytes of it."""
    if job.export is None:
        raise ValueError("an export without a file cannot be downloaded")
    return DataEntry.objects.create(
        act=DataAct.DOWNLOADED.value,
        by=by,
        layout=job.layout,
        about=job.path.name,
        rows=job.export.rows,
        size_bytes=size_bytes,
        sha256=job.export.sha256,
    )


def note_import(path: Path, *, layout: str, about: str, rows: int, by: User | None) -> DataEntry:
    """That the site was filled from a file; inside the transaction that does it. Reads the file once more. Raises :class:`OSError`."""
    return DataEntry.objects.create(
        act=DataAct.IMPORTED.value,
        by=by,
        layout=layout,
        about=about,
        rows=rows,
        size_bytes=path.stat().st_size,
        sha256=digest(path),
    )
