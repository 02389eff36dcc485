"""The operators' page on a desk and on a phone. In Chromium."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_battle import DESKTOP, PHONE, check_access

pytestmark = [pytest.mark.browser, pytest.mark.model_server]


@pytest.fixture
def operator(chromium: Browser, site: str, site_data: Path) -> Iterator[Page]:
    """The first member of staff, logged in with what the demo printed."""
    said = re.search(r"staff: admin / (\S+)", (site_data / "demo.log").read_text())
    assert said
    with chromium.new_context(base_url=site, locale="eu-ES", reduced_motion="reduce") as context:
        page = context.new_page()
        page.goto("/accounts/login/?next=/admin/arena/operations/")
        page.fill("[name=login]", "admin")
        page.fill("[name=password]", said[1])
        page.click("main form .primary")
        expect(page).to_have_url(re.compile("/admin/arena/operations/$"))
        yield page


def test_the_operators_page_can_be_read_on_a_desk_and_on_a_phone(operator: Page) -> None:
    for width, height in (DESKTOP, PHONE):
        operator.set_viewport_size({"width": width, "height": height})
        expect(operator.locator("h1")).to_have_text("Webgunearen martxa")
        assert operator.locator("table.runs").count() >= 3
        check_access(operator)
    operator.locator("a.button", has_text="Begiratu berriro").click()
    expect(operator.locator("tr", has_text="reap_turns")).to_be_visible()
