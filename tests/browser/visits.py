"""Who comes, with what screen, colours and language: the eight ways that a journey is made in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product
from typing import Literal, NamedTuple

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect

from tests.browser.test_battle import DESKTOP, PHONE

Run = Callable[[str], object]
Theme = Literal["dark", "light"]
DARK = "rgb(26, 24, 21)"


class Visit(NamedTuple):
    size: tuple[int, int]
    theme: Theme
    language: str

    def __str__(self) -> str:
        return f"{'phone' if self.size == PHONE else 'desktop'}-{self.theme}-{self.language}"


THEMES: tuple[Theme, ...] = ("dark", "light")
VISITS = [Visit(*each) for each in product((PHONE, DESKTOP), THEMES, ("eu", "es"))]
COVERING = Visit(PHONE, "dark", "eu"), Visit(DESKTOP, "light", "es")
"""Between them every size, theme and language: ``make test`` has time for one of them a journey, in turn (``tests/browser/conftest.py``)."""
PARAMS = [
    pytest.param(each, id=str(each), marks=() if each in COVERING else pytest.mark.slow) for each in VISITS
]


@contextmanager
def context_of(visit: Visit, chromium: Browser, site: str) -> Iterator[BrowserContext]:
    """A browser that knows nobody yet; no page of it may stumble over its own scripts."""
    width, height = visit.size
    context = chromium.new_context(
        viewport={"width": width, "height": height},
        base_url=site,
        locale=f"{visit.language}-ES",
        color_scheme=visit.theme,
        reduced_motion="reduce",
        has_touch=visit.size == PHONE,
    )
    context.set_default_timeout(30_000)
    trouble: list[Error] = []
    context.on("weberror", lambda found: trouble.append(found.error))
    yield context
    context.close()
    assert trouble == []


def arrive(context: BrowserContext, visit: Visit) -> Page:
    """At the first page, which is in this visit's language and colours."""
    page = context.new_page()
    page.goto("/")
    expect(page.locator("html")).to_have_attribute("lang", visit.language)
    background = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert (background == DARK) == (visit.theme == "dark")
    return page
