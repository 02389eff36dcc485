"""Judging pairs in Chromium while the model server hangs: nothing of it is needed."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.test_battle import DESKTOP, PHONE, check_access
from tests.browser.test_people import voted

pytestmark = [pytest.mark.browser, pytest.mark.model_server]


def model_servers() -> list[int]:
    """Those that this run's demo started."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
        except OSError:
            continue
        if b"transformers" in command and b"serve" in command and os.getpid() in _ancestors(process.name):
            found.append(int(process.name))
    return found


def _ancestors(pid: str) -> Iterator[int]:
    while pid not in {"0", "1"}:
        pid = (Path("/proc") / pid / "stat").read_text().rpartition(")")[2].split()[1]
        yield int(pid)


@contextmanager
def away(servers: list[int]) -> Iterator[None]:
    """They answer nothing inside the block."""
    for pid in servers:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in servers:
            os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_a_volunteer_judges_what_another_asked_while_models_are_away(
    chromium: Browser, site: str, size: tuple[int, int]
) -> None:
    writer = chromium.new_context(base_url=site, locale="eu-ES", reduced_motion="reduce")
    voted(writer.new_page())
    writer.close()
    judge = chromium.new_context(
        base_url=site,
        locale="es-ES",
        color_scheme="dark",
        viewport={"width": size[0], "height": size[1]},
        reduced_motion="reduce",
    )
    page = judge.new_page()
    servers = model_servers()
    assert servers
    with away(servers):
        page.goto("/judge/")
        check_access(page)
        page.click("main form .primary")
        page.check("main [name=adult]")  # consent comes first, and needs no script
        page.click("main form .primary")
        page.goto("/judge/")
        page.click("main form .primary")
        expect(page.locator(".asked")).to_contain_text("Zein da Frantziako hiriburua?")
        check_access(page)
        assert "Txiki" not in page.inner_text("main")
        page.check("[name=content][value=tie]")
        page.check("[name=language][value=tie]")
        page.click("[data-vote] > .primary")
        expect(page.locator("[data-reveal]")).to_contain_text("Txiki")
        check_access(page)
        expect(page.locator("[data-reveal]")).to_be_focused()
        expect(page.locator("[data-next-pair] button")).to_be_visible()
    judge.close()
