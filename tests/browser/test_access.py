"""Every page against WCAG 2.2 AA: at one of two widths in Basque, and by ``make test-full`` in all languages, themes and widths."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from itertools import product

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, StorageState, expect

from arena.reports import registry
from ranking.analysis import ANALYSES
from tests.browser.test_analysis import VOTES
from tests.browser.test_battle import PHONE, check_access
from tests.browser.test_exports import logged_in
from tests.browser.test_people import voted
from tests.browser.visits import Run

pytestmark = [pytest.mark.browser, pytest.mark.model_server]
LOCALES = {"eu": "eu-ES", "es": "es-ES", "fr": "fr-FR", "en": "en-GB"}
HEIGHT = 900
BOARD = "/leaderboard/ebaluatoia-2025/"
RELEASES = ("/data/", "/data/on-hold/", "/data/final/")
PAGES = (
    *("/", "/?prompt=Kaixo", "/about/", "/privacy/", "/terms/", "/methodology/", "/status/", "/api/"),
    *("/leaderboard/", BOARD, "/campaigns/", "/campaigns/lehia/", "/judge/", "/check/"),
    *("/accounts/login/", "/accounts/signup/", "/accounts/login/code/"),
    *("/me/", "/me/battles/", "/me/delete/", "/nowhere/", *RELEASES),
)
WITH_CHECK = """
from arena.models import Campaign
from arena.services.checks import seed_starter_questions
campaign = Campaign.objects.get(is_default=True)
seed_starter_questions(campaign)
Campaign.objects.filter(pk=campaign.pk).update(basque_check="{}")
"""
RELEASED = """
from arena.exports.filters import Filters
from arena.releases.contents import content_of
from arena.services import exports, releases
contents = [content_of("ebaluatoia-sanitized.parquet"), content_of("judgements.jsonl.gz")]
for slug, days in (("on-hold", 30), ("final", 0)):
    plan = releases.Plan(slug, f"Lehia {slug}", Filters(exports.latest_cutoff()), contents, days)
    releases.hold(release_id=releases.prepare(plan).pk)
releases.keep()
"""
ORDERED = """
from django.contrib.auth.models import Permission
from arena.exports.files import Format
from arena.exports.filters import Filters
from arena.exports.layouts import LAYOUTS
from arena.models import ExportJob, User
from arena.services import export_jobs
from arena.services.exports import Order, latest_cutoff
user = User.objects.create_user("{name}", password="{password}")
user.user_permissions.add(Permission.objects.get(codename="order_exports"))
order = Order(LAYOUTS["judgements"], Format.JSONL, Filters(latest_cutoff()), "{name}")
ready, gone, failed, cancelled = (export_jobs.order_export(order, by=user, is_limited=False) for _ in range(4))
for each in (ready, gone):
    export_jobs.run_export(job_id=each.pk)
ExportJob.objects.filter(pk=gone.pk).update(state="expired", file="", problem="taken_back")
ExportJob.objects.filter(pk=failed.pk).update(state="failed", problem="disk_full", details="No space left on device")
export_jobs.cancel_export(job_id=cancelled.pk)
"""
ORDERS = ("/data/exports/", "/data/exports/new/", "/data/exports/new/?layout=judgements&format=jsonl")
ANALYSED = tuple(f"/leaderboard/irisgarria/analysis/?show={name}" for name in ANALYSES)
REPORTS = tuple(f"{BOARD}{page.slug}/" for page in registry.PAGES)


@pytest.fixture(scope="module")
def released(run: Run) -> None:
    """Two releases, one on hold and one that is final."""
    run(RELEASED)


@pytest.fixture(scope="module")
def researcher(
    chromium: Browser, site: str, run: Run, released: None
) -> Iterator[tuple[StorageState, tuple[str, ...]]]:
    """Who may order exports, as a browser remembers them, and the addresses of four that ended in four ways; and a board whose parts are computed."""
    name, password = f"ikerlari-{secrets.token_hex(3)}", secrets.token_urlsafe(12)
    run(ORDERED.format(name=name, password=password))
    run(VOTES.replace("azterketa", "irisgarria"))
    context = chromium.new_context(base_url=site, locale="eu-ES")
    page = context.new_page()
    for address in ANALYSED:
        page.goto(address)
        expect(page.locator("[data-waiting]")).to_have_count(0, timeout=30_000)
    logged_in(page, (name, password))
    links = page.locator("main a[href^='/data/exports/']").evaluate_all(
        "all => all.map(each => each.pathname)"
    )
    orders = tuple(sorted({each for each in links if each not in ORDERS}))
    assert len(orders) == 4
    state = context.storage_state()
    context.close()
    yield state, orders
    run(f'from arena.models import User; User.objects.filter(username="{name}").update(is_active=False)')


@pytest.fixture(scope="module")
def guest(chromium: Browser, site: str, run: Run, released: None) -> Iterator[tuple[StorageState, str]]:
    """Somebody who voted, as a browser remembers them, and where; the campaign offers them a check of their Basque."""
    context = chromium.new_context(base_url=site, locale="eu-ES", reduced_motion="reduce")
    page = context.new_page()
    address = voted(page)
    state = context.storage_state()
    context.close()
    run(WITH_CHECK.format("offered"))
    yield state, address
    run(WITH_CHECK.format("none"))


def visitor(
    chromium: Browser, site: str, state: StorageState, *, language: str, dark: bool, width: int
) -> BrowserContext:
    return chromium.new_context(
        base_url=site,
        storage_state=state,
        locale=LOCALES[language],
        color_scheme="dark" if dark else "light",
        viewport={"width": width, "height": HEIGHT},
        reduced_motion="reduce",
    )


def look_at(page: Page, addresses: tuple[str, ...], language: str) -> None:
    for address in addresses:
        page.goto(address)
        assert page.locator("html").get_attribute("lang") == language, address
        try:
            check_access(page)
        except AssertionError as error:
            raise AssertionError(f"{address}: {error}") from error


@pytest.mark.parametrize("width", [PHONE[0], 1280])
def test_every_page_in_basque(
    chromium: Browser, site: str, guest: tuple[StorageState, str], width: int
) -> None:
    """Every other page on a phone in light colours, and those between on a desk in dark ones."""
    state, battle = guest
    is_desk = width > PHONE[0]
    context = visitor(chromium, site, state, language="eu", dark=is_desk, width=width)
    look_at(context.new_page(), (*PAGES, battle, f"{battle}report/")[is_desk::2], "eu")
    context.close()


def _matrix() -> Iterator[tuple[str, bool, int]]:
    yield from product(LOCALES, (False, True), (320, 768, 1440))


@pytest.mark.slow
@pytest.mark.parametrize(("language", "dark", "width"), list(_matrix()))
def test_every_page_in_every_language_theme_and_width(
    chromium: Browser, site: str, guest: tuple[StorageState, str], language: str, dark: bool, width: int
) -> None:
    state, battle = guest
    context = visitor(chromium, site, state, language=language, dark=dark, width=width)
    look_at(context.new_page(), (*PAGES, *REPORTS, battle, f"{battle}report/"), language)
    context.close()


@pytest.mark.slow
@pytest.mark.parametrize(("language", "dark", "width"), list(_matrix()))
def test_pages_of_researchers_in_every_language_theme_and_width(
    chromium: Browser,
    site: str,
    researcher: tuple[StorageState, tuple[str, ...]],
    language: str,
    dark: bool,
    width: int,
) -> None:
    state, orders = researcher
    context = visitor(chromium, site, state, language=language, dark=dark, width=width)
    page = context.new_page()
    addresses = (*ORDERS, *orders, *RELEASES, *ANALYSED)
    look_at(page, addresses, language)
    if width == 320:
        page.set_viewport_size({"width": 360, "height": HEIGHT})
        for address in addresses:
            page.goto(address)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
    context.close()
