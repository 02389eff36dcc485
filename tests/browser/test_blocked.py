"""A battle where something on the way lets no WebSocket through, in Chromium."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_battle import consent, page, ready, send

pytestmark = [pytest.mark.browser, pytest.mark.model_server]
__all__ = ["page"]

REFUSED = (
    "window.WebSocket = class { constructor() { throw new DOMException('blocked', 'SecurityError'); } };"
)
CLOSED = """window.WebSocket = class extends EventTarget {
  readyState = 0;
  constructor() { super(); setTimeout(() => { this.readyState = 3; this.dispatchEvent(new Event('close')); }); }
  send() { throw new Error('never open'); }
  close() {}
};
window.WebSocket.OPEN = 1;"""


@pytest.mark.parametrize("block", [REFUSED, CLOSED], ids=["refused", "closed"])
def test_a_battle_goes_by_requests_where_sockets_are_blocked(page: Page, block: str) -> None:
    page.add_init_script(block)
    page.goto("/")
    send(page, "Zein da Frantziako hiriburua?")
    consent(page)
    ready(page)
    before = page.locator("[data-answer]").all_inner_texts()
    page.reload()
    ready(page)
    assert page.locator("[data-answer]").all_inner_texts() == before
    send(page, "Eta Italiakoa?")
    expect(page.locator("[data-turn='2'] [data-pane='A']")).to_have_attribute("data-status", "complete")
    ready(page)
    expect(page.locator("[data-alert]")).to_be_hidden()
    page.check("[name=content][value=tie]")
    page.check("[name=language][value=tie]")
    page.click("[data-vote] > .primary")
    expect(page.locator("[data-reveal]")).to_be_visible()
