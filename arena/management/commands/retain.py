"""``manage.py retain [--dry-run]``: delete what was kept long enough, as the worker does every hour."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from arena.services import retention


class Command(BaseCommand):
    help = "Delete what is past its time, rule by rule (docs/privacy.md), and print how much that was."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="delete nothing; print what would go")

    def handle(self, *args: Any, **options: Any) -> None:
        told = retention.retain(dry_run=options["dry_run"])
        self.stdout.write(json.dumps(told))
        if failed := [rule.name for rule in retention.RULES if rule.name not in told]:
            raise CommandError(f"failed: {', '.join(failed)}; the log says why")
