"""Guests on their way to a vote, whatever happens to the page: on a phone at night in Basque, and at a desk by day in Spanish."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.test_battle import DESKTOP, PHONE, check_access, consent, ready, send
from tests.browser.test_blocked import REFUSED

pytestmark = [pytest.mark.browser, pytest.mark.model_server]


class Visit(NamedTuple):
    width: int
    height: int
    theme: Literal["dark", "light"]
    language: str


NIGHT, DAY = Visit(*PHONE, "dark", "eu"), Visit(*DESKTOP, "light", "es")


@pytest.fixture(params=[NIGHT, DAY], ids=["phone-dark-eu", "desktop-light-es"])
def visit(request: pytest.FixtureRequest) -> Visit:
    chosen: Visit = request.param
    return chosen


@pytest.fixture
def guest(visit: Visit, chromium: Browser, site: str) -> Iterator[BrowserContext]:
    context = chromium.new_context(
        viewport={"width": visit.width, "height": visit.height},
        base_url=site,
        locale=visit.language,
        color_scheme=visit.theme,
        reduced_motion="reduce",
    )
    context.set_default_timeout(30_000)
    yield context
    context.close()


@pytest.fixture
def page(guest: BrowserContext, visit: Visit) -> Page:
    """The first page, in this visit's language and colours."""
    found = guest.new_page()
    found.goto("/")
    expect(found.locator("html")).to_have_attribute("lang", visit.language)
    dark = found.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(26, 24, 21)"
    assert dark == (visit.theme == "dark")
    return found


def vote(page: Page) -> None:
    page.check("[name=content][value=b_better]")
    page.check("[name=language][value=b_better]")
    page.click("[data-vote] > .primary")
    expect(page.locator(".card.side-b.won")).to_be_visible()


def answers(page: Page) -> list[str]:
    return page.locator("[data-answer]").all_inner_texts()


def test_three_interactions_before_the_first_message_and_three_keys_to_the_vote(page: Page) -> None:
    check_access(page)
    page.fill("#message", "Zein da Frantziako hiriburua?")
    for interaction in ("[data-send]", "dialog[open] [name=adult]", "dialog[open] .primary"):
        page.click(interaction)
    ready(page)
    check_access(page)
    for key in ("a", "=", "Enter"):
        page.keyboard.press(key)
    expect(page.locator(".card.side-a.won")).to_be_visible()
    check_access(page)


def test_a_reload_while_answers_are_written_loses_nothing(page: Page) -> None:
    send(page, "Zein da Frantziako hiriburua?")
    consent(page)
    expect(page).to_have_url(re.compile("/battle/"))
    page.reload()
    ready(page)
    shown = answers(page)
    assert all(shown)
    page.reload()
    ready(page)
    assert answers(page) == shown
    vote(page)


def test_a_closed_tab_is_found_again_among_ones_battles(page: Page, guest: BrowserContext) -> None:
    send(page, "Zergatik da zerua urdina?")
    consent(page)
    expect(page).to_have_url(re.compile("/battle/"))
    address = page.url
    page.close()
    again = guest.new_page()
    again.goto("/me/battles/")
    check_access(again)
    again.click(".history a")
    expect(again).to_have_url(address)
    ready(again)
    vote(again)
    again.goto("/me/battles/")
    expect(again.locator(".history p").first).to_contain_text("Txiki")
    again.click(".history a")
    expect(again.locator("[data-reveal]")).to_be_visible()


@pytest.mark.parametrize("block", ["", REFUSED], ids=["socket", "requests"])
def test_a_lost_network_is_told_keeps_the_message_and_heals_by_itself(
    page: Page, guest: BrowserContext, block: str
) -> None:
    send(page, "Kaixo!")
    consent(page)
    ready(page)
    vote(page)
    page.add_init_script(block)
    page.goto("/")
    guest.set_offline(True)
    send(page, "Zein da Italiako hiriburua?")
    expect(page.locator("[data-alert]")).to_be_visible()
    expect(page.locator("#message")).to_have_value("Zein da Italiako hiriburua?")
    guest.set_offline(False)
    ready(page)
    expect(page.locator("[data-alert]")).to_be_hidden()
    expect(page.locator("[data-turn]")).to_have_count(1)
    vote(page)
