"""A campaign that staff open, pause and close in the admin, as a volunteer lives it. In Chromium."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_battle import DESKTOP, check_access, consent, ready, send
from tests.browser.visits import Run, Visit, context_of

pytestmark = [pytest.mark.browser, pytest.mark.model_server]
OFFICE = Visit(DESKTOP, "light", "eu")


class Said(NamedTuple):
    """What the campaign says in a language, and the site of it."""

    title: str
    question: str
    thanks: str
    paused: str
    over: str
    winners: str


SAID = {
    "eu": Said(
        title="Udaberriko kanpaina",
        question="Zein da egokiagoa?",
        thanks="Eskerrik asko denoi!",
        paused="Kanpaina etenda dago",
        over="Kanpaina amaitu da",
        winners="Irabazleak",
    ),
    "es": Said(
        title="Campaña de primavera",
        question="¿Cuál es más adecuada?",
        thanks="¡Gracias a todos!",
        paused="La campaña está en pausa",
        over="La campaña ha terminado",
        winners="Ganadores",
    ),
}
PREPARE = """
from datetime import timedelta
from django.utils import timezone
from arena.models import Campaign, CampaignText
from arena.services.campaigns import CONSENT_VERSION
from arena.services.raffles import commit_to_raffle
from ranking.models import Board
from tests.browser.test_campaigns import SAID
hour, now = timedelta(hours=1), timezone.now()
campaign = Campaign.objects.create(
    slug="{slug}", name="Udaberria", board=Board.objects.create(slug="{slug}", name="Udaberria", kind="live"),
    consent_version=CONSENT_VERSION, opens_at=now - hour, closes_at=now + 50 * hour, goal=100,
)
for language, said in SAID.items():
    CampaignText.objects.create(
        campaign=campaign, language=language, title=said.title, introduction="Eredu txikiak alderatzen ditugu.",
        prizes="Liburu bat", content_question=said.question, content_help="Edukia bakarrik.", thanks=said.thanks,
    )
commit_to_raffle(campaign_id=campaign.pk, prizes=1)
"""

DRAW = """
from datetime import timedelta
from arena.models import Campaign
from arena.services.people import choose_nickname
from arena.services.raffles import draw_raffle
from tests.arena.crowds import earn
campaign = Campaign.objects.get(slug="{slug}")
Campaign.objects.filter(pk=campaign.pk).update(
    opens_at=campaign.opens_at - timedelta(hours=3), closes_at=campaign.closes_at - timedelta(hours=2)
)
people = earn(campaign, 25, 12, 31)
choose_nickname(participant_id=people[0].pk, nickname="{nickname}")
draw_raffle(campaign_id=campaign.pk)
"""


@pytest.fixture
def staff(chromium: Browser, site: str, site_data: Path) -> Iterator[Page]:
    """The first member of staff, logged in with what the demo printed."""
    said = re.search(r"staff: admin / (\S+)", (site_data / "demo.log").read_text())
    assert said is not None
    with context_of(OFFICE, chromium, site) as context:
        page = context.new_page()
        page.goto("/accounts/login/?next=/admin/")
        page.fill("[name=login]", "admin")
        page.fill("[name=password]", said.group(1))
        page.click("main form .primary")
        expect(page).to_have_url(re.compile("/admin/$"))
        yield page


def act(staff: Page, slug: str, action: str) -> None:
    staff.goto("/admin/arena/campaign/")
    staff.locator("tr", has_text=slug).locator("[name=_selected_action]").check()
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


def check_pages(volunteer: Page, address: str) -> None:
    for each in ("/campaigns/", address, f"{address}draw/"):
        volunteer.goto(each)
        expect(volunteer.locator("h1")).to_be_visible()
        check_access(volunteer)


def check_end(volunteer: Page, address: str, said: Said, nickname: str) -> None:
    check_pages(volunteer, address)
    expect(volunteer.get_by_role("region", name=said.winners).locator("tbody tr")).to_have_count(1)
    volunteer.locator("summary").click()
    check_access(volunteer)
    volunteer.goto(address)
    expect(volunteer.locator("main")).to_contain_text(nickname)


def test_a_campaign_is_opened_paused_and_closed(run: Run, staff: Page, volunteer: Page, visit: Visit) -> None:
    said, slug, nickname = SAID[visit.language], f"udaberria-{visit}", f"Otso {visit}"
    address = f"/campaigns/{slug}/"
    run(PREPARE.format(slug=slug))
    answer = volunteer.goto(address)
    assert answer is not None
    assert answer.status == 404, "what is in preparation does not exist yet"
    act(staff, slug, "open")
    volunteer.goto("/")
    expect(volunteer.locator("[data-intro]").first).to_contain_text(said.title)
    check_access(volunteer)
    check_pages(volunteer, address)
    ask(volunteer, "Zein da Frantziako hiriburua?", agrees=True)
    expect(volunteer.locator("[data-vote]")).to_contain_text(said.question)
    check_access(volunteer)

    act(staff, slug, "pause")
    send(volunteer, "Eta Espainiakoa?")
    expect(volunteer.locator("[data-alert]")).to_contain_text(said.paused)
    expect(volunteer.locator("#message")).to_have_value("Eta Espainiakoa?")
    vote(volunteer)

    act(staff, slug, "open")
    ask(volunteer, "Zer kolore du zeruak?")
    act(staff, slug, "close")
    send(volunteer, "Eta itsasoak?")
    expect(volunteer.locator("[data-alert]")).to_contain_text(said.over)
    vote(volunteer)
    volunteer.goto("/")
    expect(volunteer.locator("main")).not_to_contain_text(said.title)
    volunteer.goto(address)
    expect(volunteer.locator("main")).to_contain_text(said.thanks)
    run(DRAW.format(slug=slug, nickname=nickname))
    check_end(volunteer, address, said, nickname)
