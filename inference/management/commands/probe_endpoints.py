"""``manage.py probe_endpoints``: look at every endpoint in use, now."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand

from inference import services
from inference.models import ModelEndpoint


class Command(BaseCommand):
    help = "Probe every endpoint in use and print what was seen."

    def handle(self, *args: Any, **options: Any) -> None:
        services.probe_endpoints()
        for endpoint in ModelEndpoint.objects.select_related("candidate"):
            self.stdout.write(
                json.dumps(
                    {
                        "candidate": endpoint.candidate.code,
                        "status": endpoint.status,
                        "health": endpoint.health,
                        "detail": endpoint.health_detail,
                        "first_token_ms": endpoint.probe_first_token_ms,
                    }
                )
            )
