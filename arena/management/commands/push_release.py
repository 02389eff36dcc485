"""``manage.py push_release NAME --repo OWNER/NAME``: a final release to the Hugging Face hub."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from arena.errors import ReleaseRefused
from arena.services.release_push import push

BAD_INPUT = 2


class Command(BaseCommand):
    help = "Send a final release to the Hugging Face hub, with the token in HF_TOKEN."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("release", metavar="NAME")
        parser.add_argument("--repo", required=True, metavar="OWNER/NAME", help="made where it is new")
        parser.add_argument("--private", action="store_true", help="a new one is shown to its owners alone")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            address = push(options["release"], repo=options["repo"], private=options["private"])
        except ReleaseRefused as error:
            raise CommandError(str(error), returncode=BAD_INPUT) from None
        self.stdout.write(
            json.dumps({"release": options["release"], "repo": options["repo"], "commit": address})
        )
