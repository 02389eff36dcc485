"""``manage.py set_up``: what a new version finds in its database, before its first process starts."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from arena.demo import seed


class Command(BaseCommand):
    help = "Migrate, and make the default campaign and the reference board where they lack. Repeating it changes nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        seed.prepare()
