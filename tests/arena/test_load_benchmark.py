"""What the load benchmark makes of its figures, and that it runs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.load.cases import CASES, Case, percentile


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


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_each_case_runs(case: str, repository: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.load", case, "--quick"]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout.splitlines()[-1])["rows"]
    assert row["case"] == case
    assert row["failures"] == 0
