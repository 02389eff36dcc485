"""What the first screen of a phone has room for."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.test_access import LOCALES
from tests.browser.test_battle import send

pytestmark = [pytest.mark.browser, pytest.mark.model_server]
LINE_PX = 32


@pytest.mark.parametrize("width", [320, 360, 390])
def test_the_main_ways_take_one_line_and_the_consent_one_screen_in_every_language(
    chromium: Browser, site: str, width: int
) -> None:
    for locale in LOCALES.values():
        context = chromium.new_context(
            base_url=site, locale=locale, viewport={"width": width, "height": 740}, has_touch=True
        )
        page = context.new_page()
        page.goto("/")
        ways = page.locator(".masthead nav").bounding_box()
        assert ways is not None
        assert ways["height"] <= LINE_PX, locale
        send(page, "Kaixo!")
        expect(page.locator("dialog[open] h2")).to_be_in_viewport(ratio=1)
        expect(page.locator("dialog[open] .primary")).to_be_in_viewport(ratio=1)
        context.close()
