"""``manage.py export_preferences --layout LAYOUT --format FORMAT --output DIR``: votes as a file for researchers."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from arena.errors import ExportRefused, ReleaseRefused
from arena.exports.files import Format
from arena.exports.filters import Filters
from arena.exports.layouts import LAYOUTS
from arena.management.accounts import add_by, asked_by
from arena.models import User
from arena.services import exports, release_copies
from arena.types import LanguageLevel

BAD_INPUT = 2
AD_HOC = "ad-hoc"
_NOT_OF_RELEASES = (
    *("campaign", "board", "source", "cutoff", "since", "until", "level"),
    *("excluded", "any_licence", "preview", "by"),
)


class Command(BaseCommand):
    requires_system_checks = ()
    """They load every page of the site: 24 MB that no row needs."""
    help = "Write the votes up to a moment into a file; repeating it with the same cut-off and key gives the same bytes."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--layout", choices=list(LAYOUTS), help="needed, but with --release")
        parser.add_argument("--format", choices=[each.value for each in Format], help="jsonl.gz, if left out")
        parser.add_argument(
            "--release",
            default="",
            metavar="NAME",
            help="the files of that release as they are frozen, or the one of a layout and format",
        )
        parser.add_argument("--output", type=Path, metavar="DIR", help="made where it is new")
        parser.add_argument("--preview", action="store_true", help="only say what the file would hold")
        parser.add_argument("--campaign", default="", metavar="CODE")
        parser.add_argument(
            "--board", default="", metavar="CODE", help="votes of all campaigns that the board ranks"
        )
        parser.add_argument(
            "--source",
            default="",
            metavar="BOARD",
            help="the imported votes of that board, in place of our own",
        )
        parser.add_argument(
            "--cutoff", type=_moment, metavar="ISO", help="the last moment that is in it; now, if left out"
        )
        parser.add_argument("--since", type=_moment, metavar="ISO", help="votes from then on")
        parser.add_argument("--until", type=_moment, metavar="ISO", help="votes before then")
        parser.add_argument(
            "--level", choices=[each.value for each in LanguageLevel], help="of the volunteer's Basque"
        )
        parser.add_argument(
            "--excluded",
            choices=["leave", "keep"],
            help="votes that do not count; left to the layout where it is not said",
        )
        parser.add_argument(
            "--any-licence",
            action="store_true",
            help="also texts that may not be published under CC0: for work inside the project only",
        )
        parser.add_argument(
            "--key", default=AD_HOC, metavar="NAME", help="pseudonyms are equal under one name"
        )
        add_by(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["release"]:
                return self._say(_released(options))
            order = _order(options)
            if options["preview"]:
                report = {"cutoff": order.filters.cutoff.isoformat(), **asdict(exports.preview(order))}
            else:
                report = _exported(order, options["output"], asked_by(options["by"]))
        except (ExportRefused, ReleaseRefused) as error:
            raise CommandError(str(error), returncode=BAD_INPUT) from None
        return self._say({"layout": order.layout.name, **report})

    def _say(self, report: dict[str, Any]) -> None:
        self.stdout.write(json.dumps(report))


def _order(options: dict[str, Any]) -> exports.Order:
    if not options["layout"]:
        raise ExportRefused("--layout says which rows are meant")
    filters = Filters(
        cutoff=options["cutoff"] or exports.latest_cutoff(),
        campaign=options["campaign"],
        board=options["board"],
        since=options["since"],
        until=options["until"],
        excluded={"leave": False, "keep": True}.get(options["excluded"]),
        level=LanguageLevel(options["level"]) if options["level"] else None,
        source=options["source"],
        any_licence=options["any_licence"],
    )
    return exports.Order(
        LAYOUTS[options["layout"]], Format(options["format"] or Format.GZIP), filters, options["key"]
    )


def _released(options: dict[str, Any]) -> dict[str, Any]:
    """What is frozen cannot be filtered once more."""
    folder: Path | None = options["output"]
    said = [name for name in _NOT_OF_RELEASES if options[name]]
    if said or options["key"] != AD_HOC:
        raise ReleaseRefused("a release is frozen: with --release only --layout, --format and --output go")
    if folder is None:
        raise ReleaseRefused("--output says where the files go")
    try:
        return release_copies.copy(
            options["release"], folder=folder, layout=options["layout"], form=options["format"]
        )
    except OSError as error:
        raise CommandError(f"{folder}: {error.strerror or error}") from None


def _exported(order: exports.Order, folder: Path | None, by: User | None) -> dict[str, Any]:
    if folder is None:
        raise ExportRefused("--output says where the file goes")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path, made = exports.export(order, folder=folder, by=by)
    except OSError as error:
        raise CommandError(f"{folder}: {error.strerror or error}") from None
    return {
        "file": str(path),
        "rows": made.rows,
        "bytes": made.size_bytes,
        "sha256": made.sha256,
        "cutoff": made.cutoff.isoformat(),
    }


def _moment(text: str) -> datetime:
    """A time of the site's zone where it names none."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else timezone.make_aware(found)
