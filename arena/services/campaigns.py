"""Campaigns: for now the one that opens with the site."""

from __future__ import annotations

from django.db import transaction

from arena.models import Campaign
from ranking.models import Board
from ranking.types import BoardKind

DEFAULT_SLUG = "lehia"
DEFAULT_SYSTEM_PROMPT = "Euskaraz erantzuten duen laguntzaile erabilgarria zara. Gaur {date} da."
CONSENT_VERSION = "2026-12"


def ensure_default_campaign() -> Campaign:
    """The default campaign and its live board, made once; what an admin changed stays."""
    with transaction.atomic():
        board, _ = Board.objects.get_or_create(
            slug=DEFAULT_SLUG, defaults={"name": "Lehia", "kind": BoardKind.LIVE.value}
        )
        campaign, _ = Campaign.objects.get_or_create(
            slug=DEFAULT_SLUG,
            defaults={
                "name": "Lehia",
                "board": board,
                "is_default": True,
                "system_prompt": DEFAULT_SYSTEM_PROMPT,
                "consent_version": CONSENT_VERSION,
                "counts_guests": True,  # there are only guests until accounts open
            },
        )
    return campaign
