"""``manage.py draw_raffle --campaign SLUG [--check]``."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from arena.errors import RaffleRefused
from arena.models import Campaign
from arena.raffle import faults
from arena.selectors.raffles import draw_of, published
from arena.services.raffles import draw_raffle

FAILED, BAD_INPUT = 1, 2


class Command(BaseCommand):
    help = "Draw a campaign's raffle, once and for all, and print what is published of it; or check one that is drawn."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--campaign", metavar="SLUG", required=True)
        parser.add_argument(
            "--check",
            action="store_true",
            help="change nothing; say whether the winners follow from the seed and the tickets",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        campaign = Campaign.objects.filter(slug=options["campaign"]).first()
        if campaign is None:
            raise CommandError(f"no campaign is called {options['campaign']!r}", returncode=BAD_INPUT)
        if options["check"]:
            self._check(campaign)
            return
        try:
            draw = draw_raffle(campaign_id=campaign.pk)
        except RaffleRefused as refusal:
            raise CommandError(f"not drawn: {refusal}", returncode=FAILED) from None
        self.stdout.write(json.dumps(published(draw)))

    def _check(self, campaign: Campaign) -> None:
        draw = draw_of(campaign)
        if draw is None or draw.drawn_at is None:
            raise CommandError("there is no draw to check", returncode=BAD_INPUT)
        found = faults(published(draw))
        self.stdout.write(json.dumps({"ok": not found, "faults": found}))
        if found:
            raise SystemExit(FAILED)
