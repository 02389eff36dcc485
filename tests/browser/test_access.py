"""Every page against WCAG 2.2 AA: at two widths in Basque, and by ``make test-full`` in all languages, themes and widths."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, StorageState

from arena.reports import registry
from tests.browser.test_battle import PHONE, check_access
from tests.browser.test_people import voted

pytestmark = [pytest.mark.browser, pytest.mark.model_server]
LOCALES = {"eu": "eu-ES", "es": "es-ES", "fr": "fr-FR", "en": "en-GB"}
HEIGHT = 900
BOARD = "/leaderboard/ebaluatoia-2025/"
PAGES = (
    *("/", "/?prompt=Kaixo", "/about/", "/privacy/", "/terms/", "/methodology/", "/status/"),
    *("/leaderboard/", BOARD, "/campaigns/", "/campaigns/lehia/", "/judge/"),
    *("/accounts/login/", "/accounts/signup/", "/accounts/login/code/"),
    *("/me/", "/me/battles/", "/me/delete/", "/nowhere/"),
)
REPORTS = tuple(f"{BOARD}{page.slug}/" for page in registry.PAGES)


@pytest.fixture(scope="module")
def guest(chromium: Browser, site: str) -> tuple[StorageState, str]:
    """Somebody who voted, as a browser remembers them, and where."""
    context = chromium.new_context(base_url=site, locale="eu-ES", reduced_motion="reduce")
    page = context.new_page()
    address = voted(page)
    state = context.storage_state()
    context.close()
    return state, address


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
    state, battle = guest
    context = visitor(chromium, site, state, language="eu", dark=width > PHONE[0], width=width)
    look_at(context.new_page(), (*PAGES, battle, f"{battle}report/"), "eu")
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
