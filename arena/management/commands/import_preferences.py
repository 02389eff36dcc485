"""``manage.py import_preferences FILE --layout pairs --board SLUG``: fill an imported board."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from ranking.errors import BadInput, TallyMisuse
from ranking.models import Board
from ranking.readers import read_tally
from ranking.services import replace_tally
from ranking.types import BoardKind, Criterion

LAYOUTS = ("pairs", "ebaluatoia", "lmarena")


class Command(BaseCommand):
    help = "Replace an imported board's counts by those of a file. Repeating it changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--layout", choices=LAYOUTS, required=True)
        parser.add_argument("--board", required=True, help="the board's slug; made where it is new")
        parser.add_argument("--name", help="the board's name where it is new")
        parser.add_argument("--dry-run", action="store_true", help="read and count, change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["layout"] != "pairs":
            self._refuse(f"layout {options['layout']} is not in this version; use pairs")
        try:
            tally = read_tally(options["file"])
            if not options["dry_run"]:
                with transaction.atomic():
                    board, _ = Board.objects.get_or_create(
                        slug=options["board"],
                        defaults={
                            "name": options["name"] or options["board"],
                            "kind": BoardKind.IMPORTED.value,
                        },
                    )
                    replace_tally(board=board, tallies={Criterion.OVERALL: tally})
        except (BadInput, TallyMisuse) as error:
            self._refuse(f"{options['file']}: {error}")
        report = {"board": options["board"], "n_votes": tally.n_votes, "n_models": len(tally.models)}
        self.stdout.write(json.dumps(report | {"dry_run": options["dry_run"]}))

    def _refuse(self, message: str) -> None:
        self.stderr.write(message)
        raise SystemExit(2)
