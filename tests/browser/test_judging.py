"""Judging pairs in Chromium while the model server hangs: nothing of it is needed."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_battle import check_access
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


@pytest.fixture(scope="module")
def somebody_voted(chromium: Browser, site: str) -> None:
    """So that there is a pair to judge, whoever else was here before."""
    context = chromium.new_context(base_url=site, locale="eu-ES", reduced_motion="reduce")
    voted(context.new_page())
    context.close()


@pytest.mark.usefixtures("somebody_voted")
def test_a_volunteer_judges_what_another_asked_while_models_are_away(volunteer: Page) -> None:
    servers = model_servers()
    assert servers
    with away(servers):
        volunteer.goto("/judge/")
        check_access(volunteer)
        volunteer.click("main form .primary")
        volunteer.check("main [name=adult]")  # consent comes first, and needs no script
        volunteer.click("main form .primary")
        volunteer.goto("/judge/")
        volunteer.click("main form .primary")
        expect(volunteer.locator(".asked").first).to_contain_text(re.compile(r": *\S"))
        assert all(volunteer.locator(".answer").all_inner_texts())
        check_access(volunteer)
        assert "Txiki" not in volunteer.inner_text("main")
        volunteer.check("[name=content][value=tie]")
        volunteer.check("[name=language][value=tie]")
        volunteer.click("[data-vote] > .primary")
        expect(volunteer.locator("[data-reveal]")).to_contain_text("Txiki")
        check_access(volunteer)
        expect(volunteer.locator("[data-reveal]")).to_be_focused()
        expect(volunteer.locator("[data-next-pair] button")).to_be_visible()
