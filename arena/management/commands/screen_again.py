"""``manage.py screen_again [--board SLUG] [--dry-run]``: judge votes again by today's rules on identity leaks and languages."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from arena.services.screening_again import screen_again
from ranking.models import Board
from ranking.types import BoardKind

BAD_INPUT = 2


class Command(BaseCommand):
    help = (
        "Ask today's rules on identity leaks and languages again of votes that are cast: what they say now enters the ledger of exclusions,"
        " what they no longer say is lifted there, and the tallies follow. Look at --dry-run first. Repeating it changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--board", metavar="SLUG", help="only votes of this live board")
        parser.add_argument("--dry-run", action="store_true", help="only say what would change")

    def handle(self, *args: Any, **options: Any) -> None:
        board = Board.objects.filter(slug=options["board"], kind=BoardKind.LIVE.value).first()
        if options["board"] and board is None:
            raise CommandError(f"no live board is called {options['board']!r}", returncode=BAD_INPUT)
        told = screen_again(board=board, dry_run=options["dry_run"])
        self.stdout.write(json.dumps({**asdict(told), "dry_run": options["dry_run"]}))
