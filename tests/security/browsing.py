"""A real Chromium that notices what a page runs and whom it asks."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from playwright.async_api import BrowserContext, Page, Request, Route, async_playwright

from tests.browser.conftest import FLAGS

_WATCH = """
addEventListener("securitypolicyviolation", (event) => console.error(`POLICY ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""
_LOOK = """() => {
  const FETCHING = ["src", "srcset", "action", "formaction", "data", "srcdoc", "poster", "background"];
  const found = window.owned === undefined ? [] : ["a script ran"];
  const foreign = (value) => { try { return new URL(value, location.href).origin !== location.origin; } catch { return true; } };
  for (const each of document.querySelectorAll("*")) {
    for (const { name, value } of each.attributes) {
      if (name.startsWith("on")) found.push(`${each.tagName} has ${name}`);
      const fetches = FETCHING.includes(name) || (["href", "xlink:href"].includes(name) && each.tagName !== "A");
      if (fetches && foreign(value)) found.push(`${each.tagName} ${name} ${value}`);
    }
    if (each.tagName === "A" && each.href && !/^(https?|mailto):/.test(each.href)) found.push(`A to ${each.href}`);
    const leaves = each.tagName === "A" && each.href.startsWith("http") && foreign(each.href);
    if (leaves && each.href.includes("xagu.example") && !/noopener/.test(each.rel)) found.push(`A to ${each.href}, rel=${each.rel}`);
    if (["IFRAME", "OBJECT", "EMBED", "BASE", "FRAME", "MARQUEE"].includes(each.tagName)) found.push(each.tagName);
    if (each.tagName === "META" && each.httpEquiv) found.push(`META ${each.httpEquiv}`);
    if (each.tagName === "STYLE" || each.tagName === "SCRIPT" && !each.src && each.type !== "application/json") found.push(`${each.tagName} with text`);
  }
  return found;
}"""


@dataclass
class Watched:
    """What went wrong, by page; empty is good."""

    site: str
    trouble: list[str] = field(default_factory=list)
    pages: int = 0

    async def look(self, page: Page) -> None:
        self.pages += 1
        self.trouble += [f"{page.url}: {each}" for each in await page.evaluate(_LOOK)]
        if not page.url.startswith(self.site):
            self.trouble.append(f"led away to {page.url}")

    async def visit(self, page: Page, path: str) -> int:
        """Go there and look; the status."""
        answer = await page.goto(f"{self.site}{path}", wait_until="load")
        await self.look(page)
        return answer.status if answer else 0

    def note(self, text: str) -> None:
        self.trouble.append(text)


@asynccontextmanager
async def watched(site: str, *, user_agent: str = "Lehia") -> AsyncIterator[tuple[BrowserContext, Watched]]:
    seen = Watched(site)

    async def only_ours(route: Route, request: Request) -> None:
        if request.url.startswith((site, "data:,")):
            await route.continue_()
        else:
            seen.note(f"asked {request.url}")
            await route.abort()

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        context = await browser.new_context(user_agent=user_agent, locale="eu-ES", reduced_motion="reduce")
        context.set_default_timeout(60_000)
        await context.add_init_script(_WATCH)
        await context.route("**/*", only_ours)
        context.on(
            "console",
            lambda said: (
                seen.note(said.text) if "POLICY" in said.text or "Content Security" in said.text else None
            ),
        )
        context.on("dialog", lambda dialog: seen.note(f"dialog {dialog.message}"))
        context.on("weberror", lambda error: seen.note(f"error {error.error}"))
        yield context, seen
        await browser.close()
