"""A volunteer's way through the site in Chromium, against candidates served by transformers."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from arena.reports import registry
from tests.browser.lines import PlayedLine

pytestmark = [pytest.mark.browser, pytest.mark.model_server]
NAMES = re.compile(
    r"[Tt]xiki[ _]\d|127\.0\.0\.1:\d+/v1"
)  # "txiki" alone is a word of Basque, and stands in prompts
_TOO_WIDE = """'wider than the screen: ' + [...document.querySelectorAll("main *")]
    .filter((each) => each.getBoundingClientRect().right > innerWidth + 1)
    .map((each) => `${each.tagName}.${each.className}`).join(", ")"""
PHONE, DESKTOP = (390, 844), (1280, 900)


@pytest.fixture(params=[PHONE, DESKTOP], ids=["phone", "desktop"])
def page(request: pytest.FixtureRequest, chromium: Browser, site: str) -> Iterator[Page]:
    width, height = request.param
    context = chromium.new_context(
        viewport={"width": width, "height": height}, base_url=site, locale="eu-ES", reduced_motion="reduce"
    )
    context.set_default_timeout(30_000)
    found = context.new_page()
    trouble: list[str] = []
    found.on("pageerror", lambda error: trouble.append(str(error)))
    found.on("console", lambda message: trouble.append(message.text) if message.type == "error" else None)
    yield found
    context.close()
    assert trouble == []


def check_access(page: Page) -> None:
    results = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
    assert results.violations_count == 0, results.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.evaluate(_TOO_WIDE)


def send(page: Page, text: str) -> None:
    page.fill("#message", text)
    page.click("[data-send]")


def consent(page: Page) -> None:
    page.check("dialog[open] [name=adult]")
    page.click("dialog[open] .primary")


def ready(page: Page) -> None:
    expect(page.locator("[data-vote]")).to_be_visible(timeout=30_000)


def test_from_the_first_message_to_the_board(page: Page) -> None:
    frames: list[str] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda text: frames.append(str(text))))
    page.goto("/")
    check_access(page)
    send(page, "Zein da Frantziako hiriburua?")
    expect(page.locator("dialog[open]")).to_be_visible()
    check_access(page)
    consent(page)
    ready(page)
    expect(page).to_have_url(re.compile(r"/battle/[0-9a-f-]{36}/$"))
    expect(page.locator(".asked [data-asked]")).to_have_text("Zein da Frantziako hiriburua?")
    check_access(page)
    assert not NAMES.search(page.content() + "".join(frames))
    page.check("[name=content][value=a_better]")
    expect(page.locator("[data-overall]")).to_be_hidden()
    page.check("[name=language][value=b_better]")
    expect(page.locator("[data-overall]")).to_be_visible()
    page.check("[name=overall][value=tie]")
    page.click("[data-vote] > .primary")
    expect(page.locator("[data-reveal]")).to_be_visible()
    assert page.locator("[data-reveal] h3").all_inner_texts()[0].startswith("Txiki")
    check_access(page)
    page.goto("/leaderboard/")
    expect(page.locator(".board tbody tr")).to_have_count(4)
    check_access(page)
    page.goto("/leaderboard/ebaluatoia-2025/")
    expect(page.locator(".plot circle")).to_have_count(21)
    check_access(page)


def test_a_reload_shows_the_battle_as_it_stands(page: Page) -> None:
    page.goto("/")
    send(page, "Kaixo!")
    consent(page)
    ready(page)
    before = page.locator("[data-answer]").all_inner_texts()
    page.reload()
    ready(page)
    assert page.locator("[data-answer]").all_inner_texts() == before
    send(page, "Eskerrik asko!")
    expect(page.locator("[data-turn='2'] [data-pane='B']")).to_have_attribute("data-status", "complete")
    ready(page)
    page.click("[data-leave] button")
    expect(page.locator("[data-intro] h1")).to_be_visible()


def test_declined_consent_keeps_the_message(page: Page) -> None:
    page.goto("/")
    send(page, "Kaixo!")
    page.click("[data-consent-cancel]")
    expect(page.locator("#message")).to_have_value("Kaixo!")
    page.reload()
    expect(page.locator("#message")).to_have_value("Kaixo!")


def test_a_place_in_the_queue_is_told_and_a_side_that_begins_anew_leaves_an_empty_pane(page: Page) -> None:
    def answer(line: PlayedLine) -> None:
        line.state()
        line.tell("queue", position=3)

    line = PlayedLine(page, answer)
    page.goto("/")
    send(page, "Kaixo!")
    consent(page)
    expect(page.locator("[data-queue]")).to_contain_text("3")
    check_access(page)
    line.tell("queue", position=0)
    expect(page.locator("[data-queue]")).to_be_hidden()
    for side in "AB":
        line.tell("render", side=side, seq=1, sealed=["<p>lehena</p>"], open="<p>erdi")
    line.state(attempts=(2, 1))
    expect(page.locator("[data-pane='A'] [data-answer]")).to_have_text("")
    expect(page.locator("[data-pane='B'] [data-answer]")).to_contain_text("lehena")
    line.tell("render", side="A", seq=1, sealed=["<p>bigarrena</p>"], open="")
    expect(page.locator("[data-pane='A'] [data-answer]")).to_have_text("bigarrena")


@pytest.mark.parametrize("kind", [pytest.param(each.slug, id=each.slug) for each in registry.PAGES])
def test_every_page_of_a_board_is_accessible_and_fits_a_phone(
    chromium: Browser, site: str, kind: str
) -> None:
    context = chromium.new_context(base_url=site, viewport={"width": PHONE[0], "height": PHONE[1]})
    found = context.new_page()
    for board in ("ebaluatoia-2025", "lehia"):
        answer = found.goto(f"/leaderboard/{board}/{kind}/")
        if answer is not None and answer.status == 200:
            check_access(found)
    context.close()
