"""What a demo's database needs before its first visitor. Runs inside Django; repeating it changes nothing."""

from __future__ import annotations

import sys
from pathlib import Path

from django.conf import settings
from django.core.management import call_command

from arena.services.campaigns import ensure_default_campaign
from arena.services.staff import ensure_admin
from inference import manifest, services
from ranking.models import Board

PAIRS = Path(settings.BASE_DIR) / "ranking" / "data" / "ebaluatoia_2025_pairs.csv"


def seed(*, models: Path, model_server: str) -> str | None:
    """Migrations, campaign, reference board, candidates at *model_server*, staff. Returns the new staff password, if one was made."""
    call_command("migrate", verbosity=0, stdout=sys.stderr)
    ensure_default_campaign()
    if not Board.objects.filter(slug="ebaluatoia-2025").exists():
        call_command(
            "import_preferences",
            str(PAIRS),
            layout="pairs",
            board="ebaluatoia-2025",
            name="Ebaluatoia 2025",
            stdout=sys.stderr,
        )
    for path in sorted(models.glob("*/candidate.json")):
        services.register_candidate(manifest=manifest.read(path), base_url=model_server)
    services.probe_endpoints()
    return ensure_admin()
