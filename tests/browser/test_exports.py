"""A researcher's journey: what the file would hold, the order, its progress, and a download that broke off and goes on."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from inference.processes import wait_until
from tests.browser.test_battle import DESKTOP, PHONE, check_access
from tests.browser.visits import Run, Visit, context_of

pytestmark = [pytest.mark.browser, pytest.mark.model_server]
BATTLES = 1500
CUT_AT = 200_000
BEGUN = """
import numpy as np
from django.contrib.auth.models import Permission
from arena.models import Campaign, User
from inference.models import Candidate
from ranking.ballots import Ballots
from ranking.models import Board
from tests.arena.crowds import store
user = User.objects.create_user("{name}", password="{password}")
user.user_permissions.add(Permission.objects.get(codename="order_exports"))
sides = np.arange({n}) % 2
board = Board.objects.create(slug="{name}", name="Saio itxia", kind="live")
apart = Campaign.objects.create(slug="{name}", name="Saio itxia", board=board, status="draft", consent_version="1")
store(Ballots(("bat-{name}", "bi-{name}"), sides, 1 - sides, sides, np.arange({n}) // 10), campaign=apart)
Candidate.objects.filter(code__endswith="-{name}").update(outputs_licence="CC0-1.0")
"""


@pytest.fixture(scope="module")
def account(run: Run) -> Iterator[tuple[str, str]]:
    """A researcher's name and password; there are votes enough, in a campaign of their own, as whoever judges pairs in another test would be given them."""
    name, password = f"ikertzaile-{secrets.token_hex(3)}", secrets.token_urlsafe(12)
    run(BEGUN.format(name=name, password=password, n=BATTLES))
    yield name, password
    run(f'from arena.models import User; User.objects.filter(username="{name}").update(is_active=False)')


def logged_in(page: Page, account: tuple[str, str]) -> Page:
    page.goto("/accounts/login/?next=/data/exports/")
    page.fill("[name=login]", account[0])
    page.fill("[name=password]", account[1])
    page.click("main form .primary")
    expect(page).to_have_url(re.compile("/data/exports/$"))
    return page


@pytest.fixture(params=[Visit(PHONE, "dark", "eu"), Visit(DESKTOP, "light", "es")], ids=str)
def page(
    request: pytest.FixtureRequest, chromium: Browser, site: str, account: tuple[str, str]
) -> Iterator[Page]:
    with context_of(request.param, chromium, site) as context:
        yield logged_in(context.new_page(), account)


def test_an_export_is_looked_at_ordered_followed_and_downloaded(page: Page, tmp_path: Path) -> None:
    check_access(page)
    page.click("a[href='/data/exports/new/']")
    check_access(page)
    page.select_option("[name=layout]", "ebaluatoia-sanitized")
    page.select_option("[name=format]", "jsonl")
    page.click("main form .primary")
    rows = int(re.sub(r"\D", "", page.locator("dl.facts dd").first.inner_text()))
    assert rows >= BATTLES
    check_access(page)
    page.click("form[method=post] .primary >> nth=-1")
    expect(page.locator("[data-export] a[download]")).to_be_visible(timeout=120_000)
    check_access(page)
    sha256 = page.locator("[data-export] ~ dl code, dl code").first
    page.reload()
    with page.expect_download() as begun:
        page.click("a[download]")
    saved = tmp_path / "saved"
    begun.value.save_as(saved)
    assert begun.value.suggested_filename == "ebaluatoia-sanitized.jsonl"
    body = saved.read_bytes()
    assert hashlib.sha256(body).hexdigest() == sha256.inner_text()
    assert len(body.splitlines()) == rows
    assert resumed(page) == body


def resumed(page: Page) -> bytes:
    """The same file by a client whose connection breaks after so many bytes, and that asks for the rest."""
    site = urlsplit(page.url)
    cookies = "; ".join(f"{each['name']}={each['value']}" for each in page.context.cookies())
    address = page.locator("a[download]").get_attribute("href") or ""

    def ask(connection: HTTPConnection, **headers: str) -> HTTPResponse:
        connection.request("GET", address, headers={"Cookie": cookies, **headers})
        return connection.getresponse()

    with closing(HTTPConnection(site.netloc)) as first:
        answer = ask(first)
        begun, etag = answer.read(CUT_AT), answer.headers["ETag"]
        assert len(begun) == CUT_AT
    with closing(HTTPConnection(site.netloc)) as second:
        answer = ask(second, **{"Range": f"bytes={CUT_AT}-", "If-Range": etag})
        assert answer.status == 206
        return begun + answer.read()


def test_without_scripts_an_export_is_ordered_and_followed_by_reloading(
    chromium: Browser, site: str, account: tuple[str, str]
) -> None:
    context = chromium.new_context(base_url=site, locale="fr-FR", java_script_enabled=False)
    page = logged_in(context.new_page(), account)
    page.goto("/data/exports/new/?layout=judgements&format=parquet")
    page.click("form[method=post] .primary >> nth=-1")
    asked = [page.url]

    def is_ready() -> bool:
        again = page.locator("[data-export] .hint a[href$='/']")
        if page.locator("a[download]").count() == 0:
            again.click()
            asked.append(page.url)
        return page.locator("a[download]").count() == 1

    assert wait_until(is_ready, within_s=120)
    assert set(asked) == {page.url}
    context.close()
