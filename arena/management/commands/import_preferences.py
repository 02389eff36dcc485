"""``manage.py import_preferences FILE --layout pairs|ebaluatoia|lmarena --board SLUG [--dry-run]``: fill an imported board."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from arena.errors import BadRows, OtherVotes
from arena.management.accounts import add_by, asked_by
from arena.models import User
from arena.services import imports
from arena.types import VoteSource
from ranking.errors import BadInput, TallyMisuse
from ranking.models import Board
from ranking.readers import Layout
from ranking.types import BoardKind

LAYOUTS = (Layout.PAIRS.value, *(each.value for each in VoteSource))
BAD_INPUT = 2


class Command(BaseCommand):
    help = (
        "Fill an imported board from a file, all of it or nothing, and publish it. Counts of pairs take the place of the board's;"
        " votes are added to it, and those that it has already passed over. Repeating it changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "file",
            type=Path,
            help="pairs: CSV, JSON lines, Parquet; votes: JSON lines, plain, gzip or zstd, or Parquet",
        )
        parser.add_argument(
            "--layout",
            choices=LAYOUTS,
            required=True,
            help="pairs: model_a, model_b, n, a_wins, b_wins, ties; ebaluatoia, lmarena: votes with their conversations, as published",
        )
        parser.add_argument(
            "--board",
            required=True,
            metavar="SLUG",
            help="made where it is new; it holds votes of one layout",
        )
        parser.add_argument("--name", help="the board's name where it is new; made from the slug if left out")
        add_by(parser)
        parser.add_argument("--dry-run", action="store_true", help="read and check, change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        file: Path = options["file"]
        wanted = Board(
            slug=options["board"],
            name=options["name"] or _name(options["board"]),
            kind=BoardKind.IMPORTED.value,
        )
        try:
            wanted.clean_fields()
            done = _imported(wanted, options, file, by=asked_by(options["by"]))
        except ValidationError as error:
            raise CommandError(
                f"--board, --name: {'; '.join(error.messages)}", returncode=BAD_INPUT
            ) from None
        except (BadInput, BadRows, TallyMisuse, OtherVotes) as error:
            raise CommandError(f"{file}: {error}", returncode=BAD_INPUT) from None
        self.stdout.write(json.dumps({"board": wanted.slug, **asdict(done), "dry_run": options["dry_run"]}))


def _imported(
    wanted: Board, options: dict[str, Any], file: Path, *, by: User | None
) -> imports.ImportedCounts:
    layout, dry_run = options["layout"], options["dry_run"]
    if layout == Layout.PAIRS:
        return imports.import_pairs(wanted=wanted, path=file, dry_run=dry_run, by=by)
    source = VoteSource(layout)
    return imports.import_votes(wanted=wanted, source=source, path=file, dry_run=dry_run, by=by)


def _name(slug: str) -> str:
    """The slug ``ebaluatoia-2025`` is called "Ebaluatoia 2025"."""
    return slug.replace("-", " ").capitalize()
