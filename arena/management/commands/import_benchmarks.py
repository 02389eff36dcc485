"""``manage.py import_benchmarks FILE [--layout csv|lm-eval] [--dry-run]``: store benchmark scores."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from arena.management.accounts import add_by, asked_by
from arena.services.imports import import_scores
from ranking.correlation import LANGUAGES
from ranking.errors import BadInput
from ranking.scores import ScoreLayout

BAD_INPUT = 2


class Command(BaseCommand):
    help = "Store the benchmark scores of a file; those of other benchmarks and models stay. Repeating it changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--layout",
            choices=[each.value for each in ScoreLayout],
            default=ScoreLayout.CSV.value,
            help="csv: a row a model, a column a benchmark, in per cent; lm-eval: a result file of lm-evaluation-harness",
        )
        parser.add_argument(
            "--language",
            choices=LANGUAGES,
            help="of all benchmarks of the file; read from the file's name or the benchmarks' if left out",
        )
        parser.add_argument(
            "--model",
            metavar="NAME",
            help="what boards call the model of an lm-eval file; its own name if left out",
        )
        add_by(parser)
        parser.add_argument("--dry-run", action="store_true", help="read and check, change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        layout = ScoreLayout(options["layout"])
        try:
            found, stored = import_scores(
                path=options["file"],
                layout=layout,
                language=options["language"],
                model=options["model"],
                dry_run=options["dry_run"],
                by=asked_by(options["by"]),
            )
        except BadInput as error:
            raise CommandError(f"{options['file']}: {error}", returncode=BAD_INPUT) from None
        report = {
            "layout": layout.value,
            "languages": sorted({each.language for each in found.scores}),
            "n_models": len({each.model for each in found.scores}),
            "n_benchmarks": len({(each.language, each.benchmark) for each in found.scores}),
            "n_scores": len(found.scores),
            **asdict(stored),
            "skipped": list(found.skipped),
            "dry_run": options["dry_run"],
        }
        self.stdout.write(json.dumps(report))
