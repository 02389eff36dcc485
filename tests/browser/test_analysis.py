"""Analyses of any part of the votes: computed by the site's own worker, read on a phone, and repeated by the command that is shown."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from ranking.analysis import ANALYSES
from tests.browser.test_battle import check_access
from tests.browser.visits import Run, Visit, context_of

pytestmark = [pytest.mark.browser, pytest.mark.model_server]
PAGE = "/leaderboard/azterketa/analysis/"
VOTES = """
import numpy as np
from arena.models import Campaign
from arena.services import boards
from arena.services.campaigns import ensure_default_campaign
from arena.types import LanguageLevel
from inference.models import Candidate
from ranking.ballots import Ballots
from ranking.models import Board
from tests.arena.crowds import Told, store
board = Board.objects.create(slug="azterketa", name="Azterketa", kind="live")
campaign = ensure_default_campaign()
campaign.pk, campaign.slug, campaign.name, campaign.board = None, "azterketa", "Azterketa", board
campaign.is_default, campaign.status = False, "draft"
campaign._state.adding = True
campaign.save()
rng = np.random.default_rng(8)
models = tuple(sorted(Candidate.objects.values_list("code", flat=True)))[:2]
a = rng.integers(0, 2, 300)
ballots = Ballots(models, a, 1 - a, rng.integers(0, 4, 300), rng.integers(0, 15, 300))
told = lambda at: Told(prompts=["a" * (1 + at * 7 % 900), "Eta?"][: 1 + at % 2], day=at // 60)
store(ballots, campaign=campaign, told=told, level=lambda user: list(LanguageLevel)[user % 3])
boards.publish(board)
"""


@pytest.fixture(scope="module", autouse=True)
def votes(run: Run) -> None:
    """A campaign of nobody with a board of its own, on which fifteen people voted."""
    run(VOTES)


def test_every_analysis_comes_by_itself_and_can_be_read(visit: Visit, chromium: Browser, site: str) -> None:
    with context_of(visit, chromium, site) as context:
        page = context.new_page()
        for name in ANALYSES:
            page.goto(f"{PAGE}?show={name}")
            expect(page.locator("[data-waiting]")).to_have_count(0, timeout=20_000)
            if name != "factors":  # of two models without a recipe there is nothing to tell
                expect(page.locator("section.report").first).to_be_visible()
            check_access(page)


def test_the_command_that_is_copied_gives_the_numbers_of_the_page(
    chromium: Browser, site: str, site_data: Path, repository: Path, tmp_path: Path
) -> None:
    context = chromium.new_context(
        base_url=site, locale="eu-ES", permissions=["clipboard-read", "clipboard-write"]
    )
    page = context.new_page()
    page.goto(PAGE)
    page.select_option("[name=show]", "board")
    page.select_option("[name=turns]", "2")
    page.fill("[name=since]", "2026-03-03")
    page.locator(".analysis .primary").click()
    expect(page.locator("section.report")).to_be_visible(timeout=20_000)
    page.locator("[data-copies]").click()
    expect(page.locator(".again [role=status]")).not_to_be_empty()
    command = page.evaluate("navigator.clipboard.readText()")
    shown = context.request.get(page.url + "&format=json").json()
    context.close()
    (tmp_path / "manage.py").symlink_to(repository / "manage.py")
    env = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "REDIS_URL"}}
    env |= {"LEHIA_DATA": str(site_data), "PATH": f"{Path(sys.executable).parent}:{env['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", command], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout.splitlines()[-1])
    assert "--turns 2" in command
    assert printed["n_votes"] == shown["votes"] == 120
    ratings = {row["model"]: row["rating"] for row in printed["ratings"]}
    assert ratings == pytest.approx({row["model"]: row["rating"] for row in shown["board"]}, abs=1e-6)
