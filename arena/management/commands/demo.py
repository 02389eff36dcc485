"""``manage.py demo``: everything on one machine; ``--check``: play one battle on it and report."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from arena.demo import check, models, run
from arena.embedded.errors import EmbeddedError
from inference.fleet.config import Engine


class Command(BaseCommand):
    help = "Start the site with embedded services and candidates trained on this machine."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--data", type=Path, help="the data folder; LEHIA_DATA or var/ if left out")
        parser.add_argument(
            "--models", choices=models.NAMES.values(), default=models.NAMES[Engine.TRANSFORMERS]
        )
        parser.add_argument("--check", action="store_true", help="play one battle in a folder of its own")

    def handle(self, *args: Any, **options: Any) -> None:
        engine = next(each for each, name in models.NAMES.items() if name == options["models"])
        if options["data"] and options["data"].resolve() != settings.LEHIA_DATA:
            self._again_with(options["data"].resolve())
        try:
            if options["check"]:
                raise SystemExit(check.run_in_folder_of_its_own(self.stdout, engine))
            raise SystemExit(run.run(run.layout_for(port=options["port"], engine=engine)))
        except EmbeddedError as error:
            self.stderr.write(str(error))
            raise SystemExit(1) from None

    def _again_with(self, data: Path) -> None:
        """Settings are read once: another data folder means another process in our place."""
        import sys

        os.environ["LEHIA_DATA"] = str(data)
        os.execv(sys.executable, [sys.executable, *sys.argv])  # noqa: S606  # ourselves again
