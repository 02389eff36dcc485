"""``manage.py replay_erasures [FILE...]``: after a backup was restored, forget again what it brought back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from arena import erasure_log
from arena.erasure_log import Deed
from arena.services.replay import replay

BAD_INPUT = 2


class Command(BaseCommand):
    help = "Erase, withdraw and hide again in a restored database what the log says. Repeating it changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "files",
            metavar="FILE",
            nargs="*",
            type=Path,
            help="logs of all hosts of the site; this host's if left out",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            lines = erasure_log.read(options["files"] or [settings.LEHIA_ERASURE_LOG])
        except (OSError, ValueError) as error:
            raise CommandError(str(error), returncode=BAD_INPUT) from None
        done = replay(lines)
        told = {deed.value: done[deed] for deed in Deed if deed is not Deed.JOINED}
        self.stdout.write(json.dumps({"lines": len(lines), **told}))
