"""The database's clock set an hour ahead and an hour back while it goes on, by libfaketime (Debian's package), where it is installed.

It is the clock that leases go by. The site's own processes cannot be shown like this: their many threads stand still under libfaketime 0.9.10. That a
process whose clock is wrong keeps no turn is tested in ``tests/arena/test_leases.py``.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.faults.checker import check
from tests.faults.conftest import Report
from tests.faults.drive import People, driving
from tests.faults.stack import Stack

LIBRARY = next(iter(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")), None)
HOUR_S = 3600

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(LIBRARY is None, reason="no libfaketime: apt-get install libfaketime"),
]


def under_a_clock(stack: Stack, name: str) -> Path:
    """Start a part anew under a clock of its own; the file says by how much it is wrong."""
    offset = stack.data / f"clock-{name}"
    offset.write_text("+0")
    offset.chmod(0o644)
    stack.kill(name)
    stack.extra[name] = {
        "LD_PRELOAD": str(LIBRARY),
        "FAKETIME_TIMESTAMP_FILE": str(offset),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    stack.up(name)
    return offset


def test_a_database_whose_clock_jumps_takes_no_vote_and_leaves_no_turn_behind(
    stack: Stack, people: People, seed: int, report: Report
) -> None:
    """Turns of a process that dies after the jump are given up as fast as ever."""
    clock = under_a_clock(stack, "postgres")
    with driving(stack, people, seed, votes_a_second=10) as drive:
        ledger = drive.ledger
        ledger.first("ready", time.monotonic())
        for step_s in (HOUR_S, 0, -HOUR_S):
            clock.write_text(f"{step_s:+d}")
            time.sleep(1.5)
            stepped = time.monotonic()
            ledger.first("vote", stepped)
            ledger.first("ready", stepped)
            assert abs(_wrong_by(stack) - step_s) < 60
        stack.kill("web1")
    found = check(stack, ledger)
    interrupted = ledger.answers["side failed: interrupted"]
    report(interrupted=interrupted, votes=found.acknowledged, battles=found.battles, freed_s=found.freed_s)


def _wrong_by(stack: Stack) -> float:
    ((told,),) = stack.rows("SELECT extract(epoch FROM clock_timestamp())::float8")
    return float(told) - time.time()
