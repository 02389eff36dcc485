"""Restoring a backup: beside what there is, checked, and only then in its place."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.models import F
from django.utils import timezone
from psycopg import sql

from arena import erasure_log
from arena.backups import folders, tools
from arena.backups.folders import BoardState, Manifest, State
from arena.database import elsewhere
from arena.erasure_log import Line
from arena.errors import BackupRefused
from arena.models import Release
from arena.selectors import backups
from arena.selectors.releases import folder_of, public_releases
from arena.services import boards
from arena.services.backups import has_files
from arena.services.replay import replay
from arena.types import ReleaseState
from ranking.models import Board
from ranking.types import BoardKind

logger = logging.getLogger(__name__)

_SAME_RATING = 1e-6


@dataclass(frozen=True, slots=True)
class Restored:
    manifest: Manifest
    migrated: int
    """Migrations that the backup was behind."""
    replayed: int
    """Erasures, withdrawals and hidings that were done again."""
    releases_lacking: list[str]
    """Final releases some of whose files are neither in the backup nor on this machine."""
    before: str
    """What the database in use until then is called now; empty where there was none."""


def restore(folder: Path, *, replace: bool, logs: Sequence[Path]) -> Restored:
    """Put a backup in the place of an empty database, or with *replace* of the one there is, which stays under another name.

    Until the end nothing that is in use was touched: whatever fails leaves it as it was. Nobody else may be connected. *logs* are those of erasures, of all
    hosts. Raises :class:`BackupRefused`, ``OSError``, ``ValueError`` for a log that cannot be read.
    """
    manifest = folders.read(folder)
    tool = _fitting(manifest)
    lines = _lines(folder, logs)
    empty = backups.is_empty()
    if not empty and not replace:
        raise BackupRefused(
            "the database is not empty; --replace puts the backup in its place, and keeps it under another name"
        )
    if others := backups.other_sessions():
        raise BackupRefused(
            f"{others} other connections use the database: stop the site and its workers first"
        )
    stamp = f"{timezone.now():%Y%m%d_%H%M%S}"
    name = elsewhere.address()["dbname"]
    if empty:
        with _emptied_again():
            return _filled(folder, manifest, tool, lines, before="")
    fresh, before = f"{name}_restored_{stamp}", f"{name}_before_{stamp}"
    with _database(fresh):
        with elsewhere.database(fresh):
            restored = _filled(folder, manifest, tool, lines, before=before)
        _swap(name, fresh, before)
    return restored


def _fitting(manifest: Manifest) -> tools.Tool:
    """The tool that reads the backup, once it is known that server and code can take it."""
    server = backups.postgres_major()
    if server < manifest.postgres:
        raise BackupRefused(f"the backup is of PostgreSQL {manifest.postgres}; this server is {server}")
    if unknown := sorted({*manifest.migrations} - backups.known_migrations()):
        raise BackupRefused(
            f"the backup is of newer code ({manifest.code_version}): this one does not know {', '.join(unknown)}"
        )
    return tools.fitting("pg_restore", least=max(server, manifest.pg_dump))


def _lines(folder: Path, logs: Sequence[Path]) -> list[Line]:
    """What is to be forgotten by all logs and by the backup's copy, which this host's log then has as well."""
    if not all(path.exists() for path in logs):
        raise BackupRefused(
            f"the log of erasures is missing ({', '.join(map(str, logs))}): without it, whoever was erased since the backup would be back. "
            "Put it there, or name the logs of all hosts by --erasures; /dev/null where it is lost"
        )
    return erasure_log.read([*logs, folder / folders.ERASURES])


def _keep_lines(lines: Sequence[Line]) -> None:
    log: Path = settings.LEHIA_ERASURE_LOG
    held = set(erasure_log.read([log])) if log.exists() else set()
    for line in lines:
        if line not in held:
            erasure_log.append(log, line)


def _filled(
    folder: Path, manifest: Manifest, tool: tools.Tool, lines: Sequence[Line], *, before: str
) -> Restored:
    """The database this process is led to, filled, brought forward, checked, and made to forget."""
    tools.load(tool, elsewhere.address(), dumped=folder / folders.DATABASE)
    migrated = len(backups.known_migrations() - {*manifest.migrations})
    call_command("migrate", verbosity=0)
    _check(manifest.state, backups.state())
    _check_tallies()
    if (folder / folders.RELEASES).is_dir():
        folders.copy(folder / folders.RELEASES, settings.LEHIA_RELEASES)
    lacking = _tend_releases()
    _keep_lines(lines)
    replayed = replay(lines).total()
    if replayed:
        _check_tallies()
    return Restored(manifest, migrated, replayed, lacking, before)


def _check(wanted: State, found: State) -> None:
    """Raises :class:`BackupRefused` naming what is not as it was saved."""
    wrong = [
        f"{n} rows in {table}, not {wanted.rows[table]}"
        for table, n in found.rows.items()
        if wanted.rows.get(table, n) != n
    ]
    places = {(each.board, each.criterion): each for each in found.boards}
    for saved in wanted.boards:
        wrong += _differences(saved, places.get((saved.board, saved.criterion)))
    if wrong:
        raise BackupRefused(f"the restored database is not what was saved: {'; '.join(wrong)}")


def _differences(saved: BoardState, found: BoardState | None) -> Iterator[str]:
    where = f"board {saved.board}, {saved.criterion}"
    if found is None:
        yield f"{where}: missing"
        return
    for name in ("n_votes", "tally_checksum", "snapshot_checksum"):
        if getattr(saved, name) != getattr(found, name):
            yield f"{where}: {name} differs"
    if {*saved.ratings} != {*found.ratings} or any(
        not _same(rating, found.ratings[model]) for model, rating in saved.ratings.items()
    ):
        yield f"{where}: ratings differ"


def _same(one: float | None, other: float | None) -> bool:
    return one is other if one is None or other is None else abs(one - other) <= _SAME_RATING


def _check_tallies() -> None:
    for board in Board.objects.filter(kind=BoardKind.LIVE.value):
        if not boards.rebuild(board=board, check=True):
            raise BackupRefused(f"the votes of board {board.slug} do not give its tally")


def _tend_releases() -> list[str]:
    """Those on hold whose files are not there are made anew by the worker; final ones that lack some are returned."""
    lacking = [each for each in public_releases() if not has_files(each, folder_of(each))]
    held = [each.pk for each in lacking if each.state == ReleaseState.HELD.value]
    Release.objects.filter(pk__in=held).update(removals_noted=F("removals_noted") + 1)
    return [each.slug for each in lacking if each.pk not in held]


@contextmanager
def _emptied_again() -> Iterator[None]:
    """A database that was empty is so again if the block fails."""
    try:
        yield
    except BaseException:
        connection.close()
        with connection.cursor() as cursor:
            cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        raise


@contextmanager
def _database(name: str) -> Iterator[None]:
    """A new one; gone again if the block fails."""
    with elsewhere.server() as server:
        try:
            server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        except psycopg.errors.InsufficientPrivilege:
            raise BackupRefused(
                "the site's database user may not make databases (CREATEDB): restore into an empty one instead"
            ) from None
    try:
        yield
    except BaseException:
        with elsewhere.server() as server:
            server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        raise


def _swap(name: str, fresh: str, before: str) -> None:
    """Both names change in one transaction. Whoever came meanwhile is sent away first: what they wrote stays in the old one."""
    usual, new, old = (sql.Identifier(each) for each in (name, fresh, before))
    elsewhere.lead_to(name)  # leaves no connection of our own behind
    with elsewhere.server() as server:
        server.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(usual))
        try:
            server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
            )
            with server.transaction():
                server.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(usual, old))
                server.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(new, usual))
        except BaseException:
            server.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(usual))
            raise
        server.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(old))
