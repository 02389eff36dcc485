"""``manage.py backup [--output FOLDER]``: database, releases and log of erasures, as of one moment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from arena.errors import BackupRefused
from arena.services.backups import back_up


class Command(BaseCommand):
    help = "Save the database, the files of releases and the log of erasures in a new folder, while the site goes on."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--output",
            metavar="FOLDER",
            type=Path,
            help="where the new folder goes; LEHIA_BACKUPS if left out",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            made = back_up(options["output"] or settings.LEHIA_BACKUPS)
        except (BackupRefused, OSError) as error:
            raise CommandError(f"there is no backup: {error}") from None
        told = {
            "backup": str(made.folder),
            "bytes": sum(part.size_bytes for part in made.manifest.parts),
            "rows": made.manifest.state.rows,
            "releases_lacking": made.manifest.releases_lacking,
        }
        self.stdout.write(json.dumps(told))
