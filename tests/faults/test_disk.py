"""A full disk: a small file system of its own as the data folder of a site, filled up while people play and vote."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from inference.processes import wait_until
from tests.faults.checker import check
from tests.faults.conftest import Report
from tests.faults.drive import People, driving
from tests.faults.stack import PATIENCE_S, whole_site

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a file system"),
]
SIZE = "300m"


@pytest.fixture
def small() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="lehia-small-"))
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
        folder.rmdir()


def fill(data: Path) -> Path:
    """A file that takes all the room there is."""
    ballast = data / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * (1 << 16))
        except OSError:
            return ballast


def test_a_full_disk_loses_nothing_that_was_acknowledged(small: Path, seed: int, report: Report) -> None:
    """PostgreSQL refuses, or ends itself where its log cannot be written; Valkey, the logs and all else write there too. Freed, all goes on."""
    with whole_site(small) as stack:
        people = People.of(stack)
        with driving(stack, people, seed, seconds=60) as drive:
            ledger = drive.ledger
            ledger.first("ready", time.monotonic())
            refused = sum(ledger.answers[f"{method} 500"] for method in ("GET", "POST"))
            ballast = fill(small)
            assert wait_until(lambda: _refusals(drive.ledger.answers) > refused, within_s=PATIENCE_S), (
                ledger.answers
            )
            time.sleep(5)
            ballast.unlink()
            freed = time.monotonic()
            stack.up()
            vote_s, ready_s = ledger.first("vote", freed), ledger.first("ready", freed)
        found = check(stack, ledger)
        report(
            vote_s=vote_s, ready_s=ready_s, refused=_refusals(ledger.answers), votes=found.acknowledged, freed_s=found.freed_s,
            free_mb=shutil.disk_usage(small).free >> 20,
        )  # fmt: skip


def _refusals(answers: dict[str, int]) -> int:
    return sum(count for name, count in answers.items() if name.endswith(" 500"))
