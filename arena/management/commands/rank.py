"""``manage.py rank``: a board from the database."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from arena.services.campaigns import DEFAULT_SLUG
from ranking.cli import BAD_INPUT, add_fit_options, check_interval
from ranking.errors import BadInput
from ranking.formats import FORMATS, render
from ranking.models import Board
from ranking.selectors import criteria_of, live_board
from ranking.types import Criterion, TieRule


class Command(BaseCommand):
    help = "Print a board as it stands now."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--board", default=DEFAULT_SLUG, metavar="SLUG")
        parser.add_argument("--criterion", choices=[each.value for each in Criterion], default="overall")
        add_fit_options(parser)
        parser.add_argument("--format", choices=FORMATS, default="table")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            check_interval(options["interval"])
        except BadInput as error:
            raise CommandError(str(error), returncode=BAD_INPUT) from None
        board = Board.objects.filter(slug=options["board"]).first()
        if board is None:
            known = ", ".join(Board.objects.order_by("slug").values_list("slug", flat=True)) or "none yet"
            raise CommandError(
                f"no board is called {options['board']!r}; there are: {known}", returncode=BAD_INPUT
            )
        criterion = Criterion(options["criterion"])
        held = criteria_of(board)
        if criterion not in held:
            raise CommandError(f"this board holds only {', '.join(held)}", returncode=BAD_INPUT)
        result = live_board(
            board=board, criterion=criterion, ties=TieRule(options["ties"]), interval=options["interval"]
        )
        self.stdout.write(render(result, options["format"]), ending="")
