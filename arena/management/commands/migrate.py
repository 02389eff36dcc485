"""``manage.py migrate``: Django's, which waits for no lock longer than a moment and tries again."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.core.management.commands import migrate

from arena.database.patience import GivenUp, Patience, patiently


class Command(migrate.Command):
    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--lock-s",
            type=float,
            default=1.0,
            metavar="SECONDS",
            help="how long a statement waits for a lock",
        )
        parser.add_argument(
            "--statement-s",
            type=float,
            default=60.0,
            metavar="SECONDS",
            help="how long a statement takes at most",
        )
        parser.add_argument("--attempts", type=int, default=30, metavar="N")

    def handle(self, *args: Any, **options: Any) -> None:
        patience = Patience(options["lock_s"], options["statement_s"], options["attempts"])
        try:
            patiently(lambda: self._migrate(*args, **options), patience)
        except GivenUp as error:
            raise CommandError(
                f"{error}. Migrations before that one stand, nothing of that one does: call it again at a quieter hour, "
                "or with more --attempts, --lock-s (votes wait as long) or --statement-s"
            ) from None

    def _migrate(self, *args: Any, **options: Any) -> None:
        super().handle(*args, **options)
