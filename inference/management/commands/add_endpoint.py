"""``manage.py add_endpoint --manifest FILE | --url URL --model NAME``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from inference import manifest, services
from inference.errors import BadManifest, EndpointNotAllowed
from inference.models import ModelEndpoint
from inference.types import Provider


class Command(BaseCommand):
    help = "Register a candidate and its endpoint. The site serves it without a restart."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--manifest", type=Path, help="a candidate.json that training wrote")
        parser.add_argument("--url", help="the server's address, such as http://127.0.0.1:8100/v1")
        parser.add_argument("--model", help="the model's name on the server")
        parser.add_argument("--name", default="", help="how people see it; the model's name if left out")
        parser.add_argument("--provider", choices=[each.value for each in Provider])

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            endpoint = self._add(options)
        except (BadManifest, EndpointNotAllowed) as error:
            self._refuse(str(error))
        report = {"endpoint": str(endpoint.pk), "candidate": endpoint.candidate.code}
        self.stdout.write(json.dumps(report | {"url": endpoint.base_url, "status": endpoint.status}))

    def _add(self, options: dict[str, Any]) -> ModelEndpoint:
        if not options["url"] or bool(options["manifest"]) == bool(options["model"]):
            self._refuse("give --url, and either --manifest FILE or --model NAME")
        if options["manifest"]:
            return services.register_candidate(
                manifest=manifest.read(options["manifest"]),
                base_url=options["url"],
                provider=Provider(options["provider"] or Provider.TRANSFORMERS),
            )
        return services.add_endpoint(
            base_url=options["url"],
            model=options["model"],
            name=options["name"],
            provider=Provider(options["provider"] or Provider.OPENAI),
        )

    def _refuse(self, message: str) -> None:
        self.stderr.write(message)
        raise SystemExit(2)
