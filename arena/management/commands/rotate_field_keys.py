"""``manage.py rotate_field_keys [--dry-run]``: after a new key was put first into ``LEHIA_FIELD_KEYS``."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from arena.services.keys import rotate


class Command(BaseCommand):
    help = (
        "Encrypt what is stored encrypted (keys of endpoints and of exports, seeds of second factors) with the first of "
        "LEHIA_FIELD_KEYS. Repeating it changes nothing; once it says that nothing else is left, older keys can go."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="count, and change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        counted = rotate(dry_run=options["dry_run"])
        told = {what: asdict(each) for what, each in counted.items()}
        self.stdout.write(json.dumps({"dry_run": options["dry_run"], **told}))
        if unreadable := sum(each.unreadable for each in counted.values()):
            self.stderr.write(
                f"{unreadable} can be read with none of LEHIA_FIELD_KEYS: put the lost key back, or set them anew"
            )
            raise SystemExit(1)
