"""Pictures of each screen of a running demo: ``python docs/screenshots.py http://127.0.0.1:8000`` fills ``docs/img/``.

One battle is played for each size and colour scheme, with Debian's Chromium.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

IMAGES = Path(__file__).resolve().parent / "img"
SIZES = {"phone": (390, 844), "desktop": (1280, 900)}
SCHEMES = ("light", "dark")
READING_MS = 2_500  # a vote that comes sooner than anybody reads would not count
PAGES = {
    "/me/": "me",
    "/me/battles/": "battles",
    "/campaigns/lehia/": "campaign",
    "/terms/": "terms",
    "/leaderboard/": "board-live",
    "/leaderboard/ebaluatoia-2025/": "board-ebaluatoia-2025",
}
QUESTIONS = ("Zein da Frantziako hiriburua?", "Eta zer kolore du zeruak?")


def main(address: str) -> None:
    IMAGES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        for size in SIZES:
            for scheme in SCHEMES:
                _screens(browser, address, size, scheme)
        browser.close()


def _screens(browser: Browser, site: str, size: str, scheme: str) -> None:
    context = _context(browser, site, size, scheme)
    page = context.new_page()

    def keep(name: str) -> None:
        page.screenshot(path=IMAGES / f"{name}-{size}-{scheme}.png")

    page.goto("/")
    keep("start")
    _ask(page, QUESTIONS[0])
    keep("consent")
    page.check("dialog[open] [name=adult]")
    page.click("dialog[open] .primary")
    vote = page.locator("[data-vote]")
    expect(vote).to_be_visible(timeout=60_000)
    _ask(page, QUESTIONS[1])
    expect(page.locator("[data-turn='2'] [data-pane='B']")).to_have_attribute(
        "data-status", "complete", timeout=60_000
    )
    expect(vote).to_be_visible(timeout=60_000)
    page.locator("[data-turn='1']").scroll_into_view_if_needed()
    keep("battle")
    page.check("[name=content][value=a_better]")
    page.check("[name=language][value=tie]")
    vote.scroll_into_view_if_needed()
    keep("vote")
    page.wait_for_timeout(READING_MS)
    page.click("[data-vote] > .primary")
    reveal = page.locator("[data-reveal]")
    expect(reveal).to_be_visible()
    reveal.scroll_into_view_if_needed()
    keep("reveal")
    for address, name in PAGES.items():
        page.goto(address)
        keep(name)
    context.close()
    _judge(browser, site, size, scheme)


def _judge(browser: Browser, address: str, size: str, scheme: str) -> None:
    """Somebody else is given the pair."""
    context = _context(browser, address, size, scheme)
    page = context.new_page()
    page.goto("/privacy/")
    page.check("main [name=adult]")
    page.click("main form .primary")
    page.goto("/judge/")
    page.click("main form .primary")
    page.screenshot(path=IMAGES / f"judge-{size}-{scheme}.png")
    context.close()


def _context(browser: Browser, address: str, size: str, scheme: str) -> BrowserContext:
    width, height = SIZES[size]
    return browser.new_context(
        base_url=address,
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        locale="eu-ES",
        reduced_motion="reduce",
    )


def _ask(page: Page, text: str) -> None:
    page.fill("#message", text)
    page.click("[data-send]")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python docs/screenshots.py ADDRESS   (of a running demo)")
    main(sys.argv[1])
