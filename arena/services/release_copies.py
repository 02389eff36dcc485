"""A release's files given away as a folder: what is copied is what was promised, or it is refused."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from arena.errors import ReleaseRefused
from arena.exports.files import digest
from arena.models import Release, ReleaseFile
from arena.selectors.releases import folder_of, public_releases, removal_lines
from arena.types import ReleaseState

REMOVALS = "removals.jsonl"


def copy(slug: str, *, folder: Path, layout: str | None = None, form: str | None = None) -> dict[str, Any]:
    """The files of the release *slug* into *folder*, or only those of a layout and format, with what is said of them.

    Beside a final release goes the list of rows that were taken back since. Raises :class:`ReleaseRefused` and :class:`OSError`.
    """
    release = givable(slug)
    files = [each for each in release.files.all() if _is_meant(each, layout, form)]
    if not files:
        raise ReleaseRefused(f"{slug} has no such file: {', '.join(release.contents)}")
    folder.mkdir(parents=True, exist_ok=True)
    for each in files:
        _copied(release, each, folder)
    if not layout and not form and release.state == ReleaseState.FINAL.value:
        (folder / REMOVALS).write_text("".join(removal_lines(release)))
    return {
        "release": slug,
        "state": release.state,
        "cutoff": release.cutoff.isoformat(),
        "removals": release.removals.count(),
        "files": [
            {
                "file": str(folder / each.name),
                "rows": each.rows,
                "bytes": each.size_bytes,
                "sha256": each.sha256,
            }
            for each in files
        ],
    }


def givable(slug: str) -> Release:
    """The release, with files that may be given away now. Raises :class:`ReleaseRefused`."""
    release = public_releases().filter(slug=slug).first()
    if release is None:
        raise ReleaseRefused(f"there is no release {slug} that has files")
    if release.is_behind:
        raise ReleaseRefused(
            f"something was taken out of {slug}: its files are made anew, ask again in some minutes"
        )
    return release


def _is_meant(file: ReleaseFile, layout: str | None, form: str | None) -> bool:
    """Descriptions go with the whole alone."""
    if not layout and not form:
        return True
    return bool(file.layout) and (
        (not layout or file.layout == layout) and (not form or file.name == f"{file.layout}.{form}")
    )


def _copied(release: Release, file: ReleaseFile, folder: Path) -> None:
    part = folder / f"{file.name}.part"
    try:
        shutil.copyfile(folder_of(release) / file.name, part)
        if digest(part) != file.sha256:
            raise ReleaseRefused(f"{release.slug}: {file.name} is not what it was; restore it from a backup")
        part.replace(folder / file.name)
    finally:
        part.unlink(missing_ok=True)
