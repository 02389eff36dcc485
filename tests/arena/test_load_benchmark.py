"""What the load benchmark makes of its figures, and that it runs."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import cast

import aiohttp
import pytest

from benchmarks.load.cases import CASES, Case, percentile, window
from benchmarks.load.people import Crowd, Seen
from benchmarks.load.stack import Stack
from benchmarks.relay_clock import SendTimes
from benchmarks.relay_readers import Meter


def test_a_figure_above_its_limit_or_without_a_value_breaks_it() -> None:
    limits = {"added_p95_ms": 200.0, "vote_p95_ms": 300.0, "failures": 0.0}
    kept = {"added_p95_ms": 200.0, "vote_p95_ms": 1.0, "failures": 0}
    assert Case(kept, limits).broken() == []
    assert [each.split()[0] for each in Case(kept | {"failures": 1}, limits).broken()] == ["failures"]
    assert [each.split()[0] for each in Case(kept | {"vote_p95_ms": None}, limits).broken()] == [
        "vote_p95_ms"
    ]


def test_a_percentile_of_one_value_is_none() -> None:
    assert percentile([1.0], 95) is None
    assert percentile([0.0, 10.0], 50) == 5.0


def test_what_the_crowd_does_at_once_as_it_leaves_is_in_no_figure() -> None:
    async def voted_after_the_window() -> Seen:
        async with aiohttp.ClientSession() as http:
            crowd = Crowd(cast(Stack, None), http, Meter(cast(SendTimes, None)))
            await window(crowd, 0)
            with crowd.seen.timed("vote"):
                pass
            return crowd.seen

    assert asyncio.run(voted_after_the_window()).took_ms == {}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_each_case_runs(case: str, repository: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.load", case, "--quick"]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout.splitlines()[-1])["rows"]
    assert row["case"] == case
    assert row["failures"] == 0
