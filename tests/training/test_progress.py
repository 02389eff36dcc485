"""What a terminal shows of a run."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from tests.training import tiny
from training.progress import ProgressBar
from training.schedule import BySeconds, BySteps, Pace


def shown(pace: Pace, folder: Path, capsys: pytest.CaptureFixture[str], *changes: str) -> str:
    """The bar as it stands at the end."""
    bar = ProgressBar("proba", line=0, pace=pace)
    tiny.fit(tiny.trainer(tiny.recipe(*changes, "batch.rows=1"), folder, pace=pace, callbacks=[bar]))
    printed = capsys.readouterr()
    assert printed.out == ""
    return printed.err.rstrip("\n").split("\r")[-1]


def test_steps_are_counted_on_standard_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    last = shown(BySteps(3), tmp_path, capsys, "schedule.steps=3")
    assert last.startswith("proba: 100%")
    assert " 3/3 " in last
    assert "loss=" in last


def test_seconds_are_where_the_clock_ends_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ticks = itertools.count(0.0, 20.0)
    last = shown(BySeconds(120, clock=lambda: next(ticks)), tmp_path, capsys, "schedule.seconds=120")
    assert last.startswith("proba: 100%")
    assert " 120/120 " in last
