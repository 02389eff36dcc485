"""``manage.py restore BACKUP [--replace]``: put a backup in the database's place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from arena.backups import folders
from arena.errors import BackupRefused
from arena.services.restore import restore

BAD_INPUT = 2


class Command(BaseCommand):
    help = "Check a backup, restore it beside what there is, check that, make it forget who was erased since, and only then use it."
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "backup", metavar="BACKUP", type=Path, help="the folder that manage.py backup made"
        )
        parser.add_argument(
            "--verify", action="store_true", help="check the backup's files, and restore nothing"
        )
        parser.add_argument(
            "--replace",
            action="store_true",
            help="also where the database is not empty; it stays under another name",
        )
        parser.add_argument(
            "--erasures",
            metavar="FILE",
            type=Path,
            action="append",
            help="a log of erasures of each host; this host's if left out",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            told = self._verified(options["backup"]) if options["verify"] else self._restored(options)
        except (BackupRefused, OSError, ValueError) as error:
            raise CommandError(f"nothing was restored: {error}", returncode=BAD_INPUT) from None
        except (DatabaseError, psycopg.Error) as error:
            raise CommandError(f"nothing was restored: {error}") from None
        self.stdout.write(json.dumps(told))

    def _verified(self, backup: Path) -> dict[str, object]:
        manifest = folders.read(backup)
        return {
            "made_at": manifest.made_at.isoformat(),
            "code_version": manifest.code_version,
            "rows": manifest.state.rows,
        }

    def _restored(self, options: dict[str, Any]) -> dict[str, object]:
        done = restore(
            options["backup"],
            replace=options["replace"],
            logs=options["erasures"] or [settings.LEHIA_ERASURE_LOG],
        )
        return {
            "made_at": done.manifest.made_at.isoformat(),
            "rows": done.manifest.state.rows,
            "migrated": done.migrated,
            "replayed": done.replayed,
            "releases_lacking": done.releases_lacking,
            "kept": done.before,
        }
