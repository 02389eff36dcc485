"""A campaign that staff open, pause and close in the admin, as a volunteer with a phone lives it. In Chromium, in Basque."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_battle import DESKTOP, PHONE, check_access, consent, ready, send

pytestmark = [pytest.mark.browser, pytest.mark.model_server]
TITLE, PAGE = "Udaberriko kanpaina", "/campaigns/udaberria/"
PREPARE = f"""
from datetime import timedelta
from django.utils import timezone
from arena.models import Campaign, CampaignText
from arena.services.campaigns import CONSENT_VERSION
from arena.services.raffles import commit_to_raffle
from ranking.models import Board
hour, now = timedelta(hours=1), timezone.now()
campaign = Campaign.objects.create(
    slug="udaberria", name="Udaberria", board=Board.objects.create(slug="udaberria", name="Udaberria", kind="live"),
    consent_version=CONSENT_VERSION, opens_at=now - hour, closes_at=now + 50 * hour, goal=100,
)
CampaignText.objects.create(
    campaign=campaign, language="eu", title="{TITLE}", introduction="Eredu txikiak alderatzen ditugu.",
    prizes="Liburu bat", content_question="Zein da egokiagoa?", content_help="Edukia bakarrik.", thanks="Eskerrik asko denoi!",
)
commit_to_raffle(campaign_id=campaign.pk, prizes=1)
"""

DRAW = """
from datetime import timedelta
from arena.models import Campaign
from arena.services.people import choose_nickname
from arena.services.raffles import draw_raffle
from tests.arena.crowds import earn
campaign = Campaign.objects.get(slug="udaberria")
Campaign.objects.filter(pk=campaign.pk).update(
    opens_at=campaign.opens_at - timedelta(hours=3), closes_at=campaign.closes_at - timedelta(hours=2)
)
people = earn(campaign, 25, 12, 31)
choose_nickname(participant_id=people[0].pk, nickname="Otso zuria")
draw_raffle(campaign_id=campaign.pk)
"""
Run = Callable[[str], object]


@pytest.fixture
def run(site: str, site_data: Path, repository: Path) -> Run:
    """Runs a program in the site's Django."""
    env = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "REDIS_URL"}}
    shell = [sys.executable, "manage.py", "shell", "-c"]
    return lambda program: subprocess.run(
        [*shell, program], cwd=repository, env=env | {"LEHIA_DATA": str(site_data)}, check=True
    )


def in_context(chromium: Browser, site: str, size: tuple[int, int]) -> Iterator[Page]:
    context = chromium.new_context(
        viewport={"width": size[0], "height": size[1]}, base_url=site, locale="eu-ES", reduced_motion="reduce"
    )
    context.set_default_timeout(30_000)
    yield context.new_page()
    context.close()


@pytest.fixture
def volunteer(chromium: Browser, site: str) -> Iterator[Page]:
    yield from in_context(chromium, site, PHONE)


@pytest.fixture
def staff(chromium: Browser, site: str, site_data: Path) -> Iterator[Page]:
    """The first member of staff, logged in with what the demo printed."""
    said = re.search(r"staff: admin / (\S+)", (site_data / "demo.log").read_text())
    assert said is not None
    for page in in_context(chromium, site, DESKTOP):
        page.goto("/accounts/login/?next=/admin/")
        page.fill("[name=login]", "admin")
        page.fill("[name=password]", said.group(1))
        page.click("main form .primary")
        expect(page).to_have_url(re.compile("/admin/$"))
        yield page


def act(staff: Page, action: str) -> None:
    staff.goto("/admin/arena/campaign/")
    staff.locator("tr", has_text="udaberria").locator("[name=_selected_action]").check()
    staff.select_option("select[name=action]", action)
    staff.click("button[name=index]")
    expect(staff.locator(".messagelist .success")).to_be_visible()


def ask(volunteer: Page, text: str, *, agrees: bool = False) -> None:
    volunteer.goto("/")
    send(volunteer, text)
    if agrees:
        consent(volunteer)
    ready(volunteer)


def vote(volunteer: Page) -> None:
    volunteer.check("[name=content][value=tie]")
    volunteer.check("[name=language][value=tie]")
    volunteer.click("[data-vote] > .primary")
    expect(volunteer.locator("[data-reveal]")).to_be_visible()


def check_pages(volunteer: Page) -> None:
    for address in ("/campaigns/", PAGE, f"{PAGE}draw/"):
        volunteer.goto(address)
        expect(volunteer.locator("h1")).to_be_visible()
        check_access(volunteer)


def test_a_campaign_is_opened_paused_and_closed(run: Run, staff: Page, volunteer: Page) -> None:
    run(PREPARE)
    answer = volunteer.goto(PAGE)
    assert answer is not None
    assert answer.status == 404, "what is in preparation does not exist yet"
    act(staff, "open")
    volunteer.goto("/")
    expect(volunteer.locator("[data-intro]").first).to_contain_text(TITLE)
    check_access(volunteer)
    check_pages(volunteer)
    ask(volunteer, "Zein da Frantziako hiriburua?", agrees=True)
    expect(volunteer.locator("[data-vote]")).to_contain_text("Zein da egokiagoa?")
    check_access(volunteer)

    act(staff, "pause")
    send(volunteer, "Eta Espainiakoa?")
    expect(volunteer.locator("[data-alert]")).to_contain_text("Kanpaina etenda dago")
    expect(volunteer.locator("#message")).to_have_value("Eta Espainiakoa?")
    vote(volunteer)

    act(staff, "open")
    ask(volunteer, "Zer kolore du zeruak?")
    act(staff, "close")
    send(volunteer, "Eta itsasoak?")
    expect(volunteer.locator("[data-alert]")).to_contain_text("Kanpaina amaitu da")
    vote(volunteer)
    volunteer.goto("/")
    expect(volunteer.locator("main")).not_to_contain_text(TITLE)
    volunteer.goto(PAGE)
    expect(volunteer.locator("main")).to_contain_text("Eskerrik asko denoi!")
    run(DRAW)
    check_pages(volunteer)
    expect(volunteer.get_by_role("region", name="Irabazleak").locator("tbody tr")).to_have_count(1)
    volunteer.locator("summary").click()
    check_access(volunteer)
    volunteer.goto(PAGE)
    expect(volunteer.locator("main")).to_contain_text("Otso zuria")
