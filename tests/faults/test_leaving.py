"""SIGTERM under load, as every deploy sends it."""

from __future__ import annotations

import signal
import time

import pytest

from tests.faults.checker import check
from tests.faults.conftest import Report
from tests.faults.drive import People, driving
from tests.faults.stack import Stack

pytestmark = pytest.mark.faults


def test_a_web_process_that_is_told_to_end_drops_no_request(
    stack: Stack, people: People, seed: int, report: Report
) -> None:
    """Requests that it took are answered, its turns are written to their end and followed through the other process."""
    with driving(stack, people, seed) as drive:
        ledger = drive.ledger
        ledger.first("ready", time.monotonic())
        told = time.monotonic()
        status = stack.terminate("web1")
        ended_s = time.monotonic() - told
        stack.start("web1")
        started = time.monotonic()
        again_s = ledger.first("vote", started, "web1")
    assert status == -signal.SIGTERM
    cut = sum(
        count for name, count in ledger.answers.items() if name.startswith("POST ") and "Disconnected" in name
    )
    interrupted = ledger.answers["side failed: interrupted"]
    found = check(stack, ledger)
    report(
        ended_s=ended_s,
        again_s=again_s,
        cut=cut,
        interrupted=interrupted,
        votes=found.acknowledged,
        battles=found.battles,
        freed_s=found.freed_s,
    )


def test_a_worker_that_is_told_to_end_ends(stack: Stack, people: People, seed: int, report: Report) -> None:
    with driving(stack, people, seed, votes_a_second=10) as drive:
        drive.ledger.first("ready", time.monotonic())
        told = time.monotonic()
        status = stack.terminate("worker")
        ended_s = time.monotonic() - told
        stack.start("worker")
        drive.ledger.first("ready", time.monotonic())
    assert status == 0
    found = check(stack, drive.ledger)
    report(ended_s=ended_s, votes=found.acknowledged, battles=found.battles, freed_s=found.freed_s)
