"""What a demo's database needs before its first visitor. Runs inside Django; repeating it changes nothing."""

from __future__ import annotations

import io
import sys
from pathlib import Path

from django.core.management import call_command

from arena.services.campaigns import ensure_default_campaign
from arena.services.staff import ensure_admin
from inference import manifest, services
from inference.selectors import candidates_served_outside
from ranking.correlation import LANGUAGES, published_benchmarks
from ranking.models import BenchmarkScore, Board
from ranking.reference import BOARD_NAME, BOARD_SLUG, pairs_path
from ranking.scores import scores_of
from ranking.services import store_scores

ENOUGH_FOR_A_PAIR = 2


def prepare() -> None:
    """Migrations, the campaign, the reference board and the benchmark scores beside it."""
    call_command("migrate", verbosity=0, stdout=sys.stderr)
    ensure_default_campaign()
    if not Board.objects.filter(slug=BOARD_SLUG).exists():
        call_command(
            "import_preferences",
            str(pairs_path()),
            layout="pairs",
            board=BOARD_SLUG,
            name=BOARD_NAME,
            stdout=io.StringIO(),
        )
    if not BenchmarkScore.objects.exists():
        for language in LANGUAGES:
            store_scores(scores=scores_of(published_benchmarks(language), language))


def needs_small_candidates(models: Path) -> bool:
    """Whether the candidates trained here are wanted: not where two others or more are served and all of ours are switched off or unknown."""
    outside = candidates_served_outside(str(models.resolve()))
    return outside is None or outside < ENOUGH_FOR_A_PAIR


def register(*, models: Path, model_server: str) -> None:
    """The candidates of *models* at *model_server*."""
    for path in sorted(models.glob("*/candidate.json")):
        services.register_candidate(manifest=manifest.read(path), base_url=model_server)


def finish() -> str | None:
    """Probe every endpoint and make the first staff account. Returns its password, if one was made."""
    services.probe_endpoints()
    return ensure_admin()
