"""``manage.py import_preferences FILE --layout pairs --board SLUG``: fill an imported board."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from arena.services import boards
from ranking.errors import BadInput, TallyMisuse
from ranking.models import Board
from ranking.readers import Layout, read_tally
from ranking.services import replace_tally
from ranking.tally import Tally
from ranking.types import BoardKind, Criterion

LAYOUTS = ("pairs", "ebaluatoia", "lmarena")
BAD_INPUT = 2


class Command(BaseCommand):
    help = (
        "Replace an imported board's counts by those of a file, and publish it. Repeating it changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--layout", choices=LAYOUTS, required=True, help="pairs; the others are not in this version"
        )
        parser.add_argument("--board", required=True, metavar="SLUG", help="made where it is new")
        parser.add_argument("--name", help="the board's name where it is new; made from the slug if left out")
        parser.add_argument("--dry-run", action="store_true", help="read and check, change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        dry_run: bool = options["dry_run"]
        board = Board(
            slug=options["board"],
            name=options["name"] or _name(options["board"]),
            kind=BoardKind.IMPORTED.value,
        )
        try:
            board.clean_fields()
            tally = _read(options["file"], options["layout"])
            _replace(board, tally, dry_run=dry_run)
            if not dry_run:
                boards.publish(Board.objects.get(slug=board.slug))
        except ValidationError as error:
            raise CommandError(
                f"--board, --name: {'; '.join(error.messages)}", returncode=BAD_INPUT
            ) from None
        except (BadInput, TallyMisuse) as error:
            raise CommandError(f"{options['file']}: {error}", returncode=BAD_INPUT) from None
        report = {"board": board.slug, "n_votes": tally.n_votes, "n_models": len(tally.models)}
        self.stdout.write(json.dumps(report | {"dry_run": dry_run}))


def _read(file: Path, layout: str) -> Tally:
    if layout != Layout.PAIRS:
        raise BadInput(f"layout {layout} is not in this version; use pairs")
    return read_tally(file, layout=Layout.PAIRS)


def _replace(wanted: Board, tally: Tally, *, dry_run: bool) -> None:
    with transaction.atomic():
        board, _ = Board.objects.get_or_create(
            slug=wanted.slug, defaults={"name": wanted.name, "kind": wanted.kind}
        )
        replace_tally(board=board, tallies={Criterion.OVERALL: tally})
        transaction.set_rollback(dry_run)


def _name(slug: str) -> str:
    """The slug ``ebaluatoia-2025`` is called "Ebaluatoia 2025"."""
    return slug.replace("-", " ").capitalize()
