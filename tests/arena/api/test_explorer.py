"""Swagger UI in a browser, under the site's own policy, asking nobody else."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from playwright.sync_api import Page, expect, sync_playwright
from pytest_django.fixtures import Settings

from tests.arena.api.worlds import make_world
from tests.browser.conftest import FLAGS

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def in_browser(look: Callable[[Page], None]) -> list[str]:
    """Run *look* in a thread, since Playwright's loop would keep Django's database from this one. What the page complained of, and which addresses it asked."""

    def run() -> list[str]:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
            page, told = browser.new_page(), list[str]()
            page.on("console", lambda message: told.append(f"{message.type}: {message.text}"))
            page.on("pageerror", lambda error: told.append(f"error: {error}"))
            page.on("request", lambda request: told.append(request.url))
            look(page)
            browser.close()
            return told

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run).result()


@pytest.fixture
def plain_static_files(settings: Settings) -> None:
    """Under their own names, by which the tests' server finds them."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": plain}


def test_a_route_can_be_tried_out_under_the_sites_policy(plain_static_files: None, live_server: Any) -> None:
    make_world()

    def look(page: Page) -> None:
        page.goto(f"{live_server.url}/api/")
        page.locator("a[href='/api/explore/']").click()
        route = page.locator("#operations-boards-ratings")
        route.locator("button.opblock-summary-control").click()
        route.get_by_role("button", name="Try it out").click()
        route.get_by_placeholder("slug").fill("lehia")
        route.get_by_role("button", name="Execute").click()
        expect(route.locator(".live-responses-table tbody .response-col_status")).to_contain_text("200")

    told = in_browser(look)
    assert not [line for line in told if not line.startswith(live_server.url)]
    assert f"{live_server.url}/api/v1/boards/lehia/ratings?criterion=overall&ties=half" in told


def test_other_files_of_swagger_are_not_handed_out(client: Any) -> None:
    assert client.get("/api/explore/swagger-ui.css").status_code == 200
    for name in ("redoc.standalone.js", "..%2F..%2Fmain.py", "favicon.png"):
        assert client.get(f"/api/explore/{name}").status_code == 404
