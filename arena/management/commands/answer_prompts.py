"""``manage.py answer_prompts SET``: every candidate answers a prompt set, here and now; going on where it was cut off."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from arena.models import PromptSet
from arena.services.prompt_sets import answer_set


class Command(BaseCommand):
    help = "Have every candidate answer a prompt set; standard output is one JSON object."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("set", help="the set's code")

    def handle(self, *args: Any, **options: Any) -> None:
        found = PromptSet.objects.filter(slug=options["set"]).first()
        if found is None:
            known = ", ".join(PromptSet.objects.values_list("slug", flat=True)) or "none"
            raise CommandError(f"no prompt set {options['set']!r}; there are: {known}", returncode=2)
        progress = answer_set(set_id=found.pk)
        said = {"wanted": progress.wanted, "complete": progress.complete, "failed": progress.failed}
        self.stdout.write(json.dumps(said))
        if not progress.wanted:
            raise CommandError("no candidate has an active endpoint, or another process answers the set")
        if progress.complete < progress.wanted:
            raise CommandError("some answers lack; run it again once the model servers are well")
