"""Coming in, saying who judges, and leaving, in Chromium."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, expect

from inference.processes import wait_until
from tests.browser.test_battle import DESKTOP, PHONE, check_access, consent, ready, send
from tests.browser.visits import Visit, context_of

pytestmark = [pytest.mark.browser, pytest.mark.model_server]
CODE = re.compile(rb"^([A-Z0-9]{3,}-?[A-Z0-9]{3,})\r?$", re.MULTILINE)
LEFT = {"eu": "Ezabatuta zaude", "es": "Ya no estás"}
WIDTHS = pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])


@pytest.fixture
def phone(chromium: Browser, site: str) -> Iterator[Page]:
    context = chromium.new_context(
        viewport={"width": PHONE[0], "height": PHONE[1]},
        base_url=site,
        locale="eu-ES",
        reduced_motion="reduce",
        has_touch=True,
    )
    context.set_default_timeout(30_000)
    yield context.new_page()
    context.close()


@pytest.fixture
def other(visit: Visit, chromium: Browser, site: str) -> Iterator[Page]:
    """On another device of the same volunteer."""
    with context_of(visit, chromium, site) as context:
        yield context.new_page()


class Mailbox:
    """What the site sent to one address."""

    def __init__(self, data: Path) -> None:
        self._folder = data / "mail"
        self.address = f"{uuid4().hex}@adibidea.eus"
        self._read = 0

    def _letters(self) -> list[bytes]:
        files = sorted(self._folder.glob("*"), key=lambda path: path.stat().st_mtime_ns)
        return [text for text in (path.read_bytes() for path in files) if self.address.encode() in text]

    def code(self) -> str:
        """The code of the next e-mail."""
        wait_until(lambda: len(self._letters()) > self._read, within_s=30)
        found = CODE.findall(self._letters()[self._read])
        self._read += 1
        return str(found[0].decode())


@pytest.fixture
def mailbox(site: str, site_data: Path) -> Mailbox:
    return Mailbox(site_data)


def voted(page: Page) -> str:
    """A guest's first battle with its vote; its address."""
    page.goto("/")
    send(page, "Zein da Frantziako hiriburua?")
    consent(page)
    ready(page)
    page.check("[name=content][value=tie]")
    page.check("[name=language][value=tie]")
    page.click("[data-vote] > .primary")
    expect(page.locator("[data-reveal]")).to_be_visible()
    return page.url


def sign_up(page: Page, mailbox: Mailbox) -> None:
    page.goto("/me/")
    page.click("main a[href^='/accounts/signup/']")
    check_access(page)
    page.fill("[name=email]", mailbox.address)
    page.click("main form .primary")
    expect(page.locator("[name=code]")).to_be_visible()
    check_access(page)
    page.fill("[name=code]", mailbox.code())
    page.click("main form .primary")
    expect(page).to_have_url(re.compile("/me/$"))


def test_a_guest_says_who_judges_makes_an_account_and_leaves_without_a_trace(
    volunteer: Page, other: Page, visit: Visit, site: str, mailbox: Mailbox
) -> None:
    battle = voted(volunteer)
    check_access(volunteer)
    volunteer.check("[name=level][value='B1-B2']")
    volunteer.click(".ask .primary")
    expect(volunteer).to_have_url(battle)
    expect(volunteer.locator(".ask")).to_have_count(0)
    sign_up(volunteer, mailbox)
    expect(volunteer.locator("main")).to_contain_text(mailbox.address)
    expect(volunteer.locator(f".history a[href='{battle.removeprefix(site)}']")).to_be_visible()
    expect(volunteer.locator("[name=level][value='B1-B2']")).to_be_checked()
    check_access(volunteer)
    other.goto("/accounts/login/code/")
    other.fill("[name=email]", mailbox.address)
    other.click("main form .primary")
    other.fill("[name=code]", mailbox.code())
    other.click("main form .primary")
    expect(other.locator(".history li")).to_have_count(1)
    volunteer.click("main a[href='/me/delete/']")
    check_access(volunteer)
    volunteer.check("[name=sure]")
    volunteer.click("main form .primary")
    expect(volunteer.locator("h1")).to_have_text(LEFT[visit.language])
    other.reload()
    expect(other.locator(".history")).to_have_count(0)
    answer = other.goto(battle)
    assert answer is not None
    assert answer.status == 404


def test_without_scripts_consent_is_given_and_the_look_is_chosen(chromium: Browser, site: str) -> None:
    context = chromium.new_context(base_url=site, locale="eu-ES", java_script_enabled=False)
    page = context.new_page()
    page.goto("/privacy/")
    page.check("[name=adult]")
    page.click("main form .primary")
    page.goto("/me/")
    page.check("[name=theme][value=dark]")
    page.check("[name=text_size][value=larger]")
    page.click("form[action='/me/appearance/'] .primary")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.locator("[name=theme][value=dark]")).to_be_checked()
    context.close()


@pytest.mark.parametrize(
    ("size", "theme"),
    [
        (PHONE, "dark"),
        (DESKTOP, "light"),
        pytest.param(PHONE, "light", marks=pytest.mark.slow),
        pytest.param(DESKTOP, "dark", marks=pytest.mark.slow),
    ],
)
def test_pages_before_the_login_are_accessible(
    chromium: Browser, site: str, size: tuple[int, int], theme: str
) -> None:
    context = chromium.new_context(
        base_url=site, locale="eu-ES", viewport={"width": size[0], "height": size[1]}
    )
    page = context.new_page()
    page.goto("/me/")
    page.check(f"[name=theme][value={theme}]")
    page.click("form[action='/me/appearance/'] .primary")
    for address in (
        "/me/",
        "/terms/",
        "/privacy/",
        "/about/",
        "/accounts/login/",
        "/accounts/login/code/",
        "/accounts/signup/",
        "/accounts/password/reset/",
    ):
        page.goto(address)
        check_access(page)
    context.close()


@WIDTHS
def test_large_text_on_a_narrow_screen_needs_no_sideways_scrolling(
    chromium: Browser, site: str, size: tuple[int, int]
) -> None:
    context = chromium.new_context(base_url=site, viewport={"width": min(size[0], 320), "height": size[1]})
    page = context.new_page()
    page.goto("/me/")
    page.check("[name=text_size][value=larger]")
    page.click("form[action='/me/appearance/'] .primary")
    for address in ("/", "/me/", "/terms/", "/accounts/signup/"):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
    context.close()


def test_pages_after_the_login_are_accessible_and_a_second_factor_has_its_picture(
    phone: Page, mailbox: Mailbox
) -> None:
    phone.goto("/accounts/signup/")
    phone.fill("[name=email]", mailbox.address)
    phone.click("main form .primary")
    phone.fill("[name=code]", mailbox.code())
    phone.click("main form .primary")
    for address in (
        "/accounts/email/",
        "/accounts/password/set/",
        "/accounts/logout/",
        "/accounts/second-factor/",
        "/accounts/second-factor/totp/activate/",
    ):
        phone.goto(address)
        check_access(phone)
    picture = phone.locator(".qr svg").bounding_box()
    assert picture is not None
    assert picture["width"] > 100
