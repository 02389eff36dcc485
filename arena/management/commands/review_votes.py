"""``manage.py review_votes [--board SLUG]``: queue what speaks against volunteers, and hold what is overwhelming, without publishing."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from arena.services import reviews
from ranking.models import Board
from ranking.types import BoardKind

BAD_INPUT = 2


class Command(BaseCommand):
    help = (
        "Test each volunteer's votes and queue findings for staff in the admin. Repeating it changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--board", metavar="SLUG", help="only this live board")

    def handle(self, *args: Any, **options: Any) -> None:
        found = Board.objects.filter(kind=BoardKind.LIVE.value)
        if options["board"]:
            found = found.filter(slug=options["board"])
            if not found:
                raise CommandError(f"no live board is called {options['board']!r}", returncode=BAD_INPUT)
        report = {board.slug: asdict(reviews.review(board)) for board in found}
        self.stdout.write(json.dumps(report))
