"""What the first page weighs on its way to Chromium, and how many times it has to ask."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.model_server]
MOST_BYTES, MOST_REQUESTS = 60_000, 30


def test_the_first_page_is_light_asks_nobody_else_and_comes_in_one_round_trip(
    chromium: Browser, site: str
) -> None:
    context = chromium.new_context(base_url=site, locale="eu-ES")
    page = context.new_page()
    asked: dict[str, dict[str, Any]] = {}
    weights: dict[str, float] = {}
    wire = context.new_cdp_session(page)
    wire.send("Network.enable")
    wire.on("Network.requestWillBeSent", lambda event: asked.update({event["requestId"]: event}))
    wire.on(
        "Network.loadingFinished",
        lambda event: weights.update({event["requestId"]: event["encodedDataLength"]}),
    )
    page.goto("/", wait_until="networkidle")
    page.wait_for_function("document.querySelector('[data-starter]') !== null")
    addresses = {key: str(event["request"]["url"]) for key, event in asked.items()}
    assert all(each.startswith(site) for each in addresses.values())
    assert len(addresses) <= MOST_REQUESTS
    assert {*weights} == {*addresses}
    heaviest = sorted(((weights[key], each) for key, each in addresses.items()), reverse=True)
    assert sum(weights.values()) <= MOST_BYTES, heaviest
    by_script = [addresses[key] for key, event in asked.items() if event["initiator"]["type"] == "script"]
    assert by_script == []
    parents = {str(event["initiator"].get("url", "")) for event in asked.values()}
    assert not [each for each in parents if each.endswith(".js")], "a module had to be found inside another"
    print(f"{sum(weights.values()):.0f} bytes in {len(addresses)} requests")
    context.close()
