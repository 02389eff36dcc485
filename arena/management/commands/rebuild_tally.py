"""``manage.py rebuild_tally [--check] [--board SLUG]``: count the votes again."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from arena.services import boards
from ranking.models import Board
from ranking.types import BoardKind


class Command(BaseCommand):
    help = "Rebuild the tallies of live boards from the votes, or check that they equal them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="change nothing; exit 1 where a tally differs"
        )
        parser.add_argument("--board", help="only this board")

    def handle(self, *args: Any, **options: Any) -> None:
        found = Board.objects.filter(kind=BoardKind.LIVE.value)
        if options["board"]:
            found = found.filter(slug=options["board"])
            if not found:
                self.stderr.write(f"no live board is called {options['board']!r}")
                raise SystemExit(2)
        report = {board.slug: boards.rebuild(board=board, check=options["check"]) for board in found}
        self.stdout.write(json.dumps({"equal": report}))
        if options["check"] and not all(report.values()):
            raise SystemExit(1)
