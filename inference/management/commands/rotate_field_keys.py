"""``manage.py rotate_field_keys [--dry-run]``: after a new key was put first into ``LEHIA_FIELD_KEYS``."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from inference.services.keys import rotate_field_keys


class Command(BaseCommand):
    help = "Encrypt the stored keys of endpoints with the first of LEHIA_FIELD_KEYS. Repeating it changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="count, and change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        counted = rotate_field_keys(dry_run=options["dry_run"])
        self.stdout.write(json.dumps({"dry_run": options["dry_run"], **asdict(counted)}))
        if counted.unreadable:
            self.stderr.write(
                f"{counted.unreadable} keys can be read with none of LEHIA_FIELD_KEYS: put the lost key back, or set these keys anew"
            )
            raise SystemExit(1)
