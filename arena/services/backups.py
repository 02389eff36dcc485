"""Backups: the database as of one moment, the files of its releases, and a manifest by which a restore checks itself."""

from __future__ import annotations

import logging
import shutil
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.utils import timezone

from arena import erasure_log
from arena.backups import folders, tools
from arena.backups.folders import Manifest
from arena.database import elsewhere
from arena.errors import BackupRefused
from arena.models import Release
from arena.selectors import backups
from arena.selectors.exports import one_snapshot
from arena.selectors.releases import folder_of, public_releases
from ranking.version import code_version

logger = logging.getLogger(__name__)

_WITHOUT = "arena_cache"  # counts of limits, some by address: nothing that a backup should keep for a month


@dataclass(frozen=True, slots=True)
class Made:
    folder: Path
    manifest: Manifest


def back_up(parent: Path) -> Made:
    """A new folder in *parent*, whole and on the disk when this returns; otherwise there is none.

    Votes go on meanwhile: everything is of the moment at which it begins. Raises :class:`BackupRefused`, ``OSError``.
    """
    tool = tools.fitting("pg_dump", least=backups.postgres_major())
    at = timezone.now()
    name = f"lehia-{at:%Y%m%dT%H%M%S}Z"
    with folders.drafting(parent, name, lock=settings.LEHIA_DATA / "locks" / "backup") as draft:
        with one_snapshot():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_export_snapshot()")
                snapshot = str(cursor.fetchone()[0])
            dumped = draft / folders.DATABASE
            tools.dump(tool, elsewhere.address(), snapshot=snapshot, to=dumped, without=_WITHOUT)
            state, migrations = backups.state(), backups.applied_migrations()
            releases = list(public_releases().prefetch_related("files"))
        lacking = [each.slug for each in releases if not _copied(each, draft)]
        _copy_erasures(draft / folders.ERASURES)
        manifest = Manifest(
            format=folders.FORMAT,
            made_at=at,
            code_version=code_version(),
            postgres=backups.postgres_major(),
            pg_dump=tool.major,
            migrations=migrations,
            state=state,
            releases_lacking=lacking,
            parts=folders.parts_of(draft),
        )
        folders.seal(draft, manifest)
    logger.info("backup %s: %d files", name, len(manifest.parts))
    return Made(parent / name, manifest)


def _copied(release: Release, draft: Path) -> bool:
    """Its files into the draft. One on hold may be made anew meanwhile: then it lacks them, and is made anew after a restore too."""
    source, target = folder_of(release), draft / folders.RELEASES / release.slug / release.build
    try:
        folders.copy(source, target)
    except FileNotFoundError:
        shutil.rmtree(target, ignore_errors=True)
        return False
    return has_files(release, target)


def has_files(release: Release, folder: Path) -> bool:
    """Whether a release's files lie there as long as they were made. One query, unless they were fetched."""
    found = ((folder / each.name, each.size_bytes) for each in release.files.all())
    return all(path.is_file() and path.stat().st_size == size for path, size in found)


def _copy_erasures(target: Path) -> None:
    """The log as it is now. Where there is none yet it is begun, so that a restore can tell an empty one from a lost one."""
    log: Path = settings.LEHIA_ERASURE_LOG
    log.parent.mkdir(parents=True, exist_ok=True)
    log.touch(mode=0o600)
    with folders.private(target) as file:
        file.write(log.read_bytes())
    try:
        erasure_log.read([target])
    except ValueError as error:
        raise BackupRefused(f"the log of erasures cannot be read: {error}") from None
