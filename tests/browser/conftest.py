"""The whole site for a browser: real database, real model server, uvicorn, Chromium."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from arena.embedded.ports import free_port
from arena.embedded.processes import end
from inference.processes import wait_until
from tests.browser.visits import PARAMS, Run, Visit, arrive, context_of

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def site_data() -> Iterator[Path]:
    """The data folder of the site: its log, and the e-mails it sent."""
    with tempfile.TemporaryDirectory(prefix="lehia-b-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


@pytest.fixture(scope="session")
def site(repository: Path, trained: Path, site_data: Path) -> Iterator[str]:
    """``manage.py demo`` in a folder of its own; its address."""
    port = free_port()
    log = site_data / "demo.log"
    env = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "REDIS_URL"}} | {
        "LEHIA_DATA": str(site_data),
        "LEHIA_MODELS": str(trained),
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "demo", "--port", str(port)],
            cwd=repository,
            env=env,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_until(lambda: b"Lehia is at" in log.read_bytes() or process.poll() is not None, within_s=180)
        assert process.poll() is None, log.read_text()
        yield f"http://127.0.0.1:{port}"
    finally:
        assert end(process, within_s=60) == 0


@pytest.fixture(scope="package")
def run(site: str, site_data: Path, repository: Path) -> Run:
    """Runs a program in the site's Django."""
    env = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "REDIS_URL"}}
    shell = [sys.executable, "manage.py", "shell", "-c"]
    return lambda program: subprocess.run(
        [*shell, program], cwd=repository, env=env | {"LEHIA_DATA": str(site_data)}, check=True
    )


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """One browser for this package; Playwright's loop must not outlive it, or asyncio tests cannot start theirs."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(params=PARAMS)
def visit(request: pytest.FixtureRequest) -> Visit:
    """A test that asks for this is made in all eight ways; ``make test`` has time for two."""
    chosen: Visit = request.param
    return chosen


@pytest.fixture
def volunteer(visit: Visit, chromium: Browser, site: str) -> Iterator[Page]:
    """Somebody unknown who came to the first page."""
    with context_of(visit, chromium, site) as context:
        yield arrive(context, visit)
