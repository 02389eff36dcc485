"""The whole site for a browser: real database, real model server, uvicorn, Chromium."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from arena.embedded.ports import free_port
from arena.embedded.processes import end
from inference.processes import wait_until
from tests.browser.visits import COVERING, PARAMS, Run, Visit, arrive, context_of

# Programs for the site's Django, each a line; what one fails with is answered. Starting Django takes seconds.
LISTENING = """
import contextlib, json, sys, traceback
for line in sys.stdin:
    failed = ""
    try:
        with contextlib.redirect_stdout(sys.stderr):
            exec(json.loads(line), {})
    except Exception:
        failed = traceback.format_exc()
    print(json.dumps(failed), flush=True)
"""
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
def run(site: str, site_data: Path, repository: Path) -> Iterator[Run]:
    """Runs a program in the site's Django."""
    env = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "REDIS_URL"}}
    with subprocess.Popen(
        [sys.executable, "manage.py", "shell", "--verbosity", "0", "-c", LISTENING],
        cwd=repository,
        env=env | {"LEHIA_DATA": str(site_data)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as shell:
        assert shell.stdin is not None
        assert shell.stdout is not None
        asked, told = shell.stdin, shell.stdout

        def in_the_site(program: str) -> None:
            asked.write(f"{json.dumps(program)}\n")
            asked.flush()
            failed = json.loads(told.readline())
            assert not failed, failed

        yield in_the_site
        asked.close()
    assert shell.returncode == 0


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """One browser for this package; Playwright's loop must not outlive it, or asyncio tests cannot start theirs."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        yield browser
        browser.close()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of the two ways that ``make test`` has time for, each journey is made in one, and other journeys in the other."""
    for item in items:
        made = item.callspec.params.get("visit") if hasattr(item, "callspec") else None
        if made in COVERING and made != COVERING[crc32(item.location[2].partition("[")[0].encode()) % 2]:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(params=PARAMS)
def visit(request: pytest.FixtureRequest) -> Visit:
    """A test that asks for this is made in all eight ways."""
    chosen: Visit = request.param
    return chosen


@pytest.fixture
def volunteer(visit: Visit, chromium: Browser, site: str) -> Iterator[Page]:
    """Somebody unknown who came to the first page."""
    with context_of(visit, chromium, site) as context:
        yield arrive(context, visit)
