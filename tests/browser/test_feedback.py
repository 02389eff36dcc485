"""Marking a sentence after the vote, by keys alone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.test_battle import PHONE, check_access
from tests.browser.test_people import voted

pytestmark = [pytest.mark.browser, pytest.mark.model_server]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_sentence_is_marked_by_keys_and_the_page_stays_accessible(
    chromium: Browser, site: str, theme: str
) -> None:
    context = chromium.new_context(
        base_url=site,
        locale="eu-ES",
        reduced_motion="reduce",
        color_scheme="dark" if theme == "dark" else "light",
        viewport={"width": PHONE[0], "height": PHONE[1]},
    )
    page = context.new_page()
    voted(page)
    expect(page.locator("[data-feedback]")).to_be_visible()
    check_access(page)
    first = page.locator("[data-feedback] [name=span]").first
    first.focus()
    page.keyboard.press("Space")
    expect(first).to_be_checked()
    page.keyboard.press("ArrowDown")
    expect(first).not_to_be_checked()
    sentence = page.locator(".sentence:has(:checked)").inner_text()
    page.locator("[data-feedback] [name=kind][value=grammar]").focus()
    page.keyboard.press("Space")
    page.locator("[data-copy-sentence]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[name=rewrite]")).to_have_value(sentence.strip())
    page.keyboard.press("End")
    page.keyboard.type(" Hobeto.")
    page.locator("[data-feedback] .primary").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".marked li")).to_have_count(1)
    expect(page.locator("[data-feedback]")).to_be_focused()
    check_access(page)
    page.locator(".marked button").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".marked li")).to_have_count(0)
    context.close()
