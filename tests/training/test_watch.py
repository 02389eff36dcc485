"""A run that hangs: found by its heartbeat alone, killed with all that it started, and told of."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # accelerate brings it, without types
import pytest

from tests.training import run_files
from tests.training.cluster import Cluster
from tests.training.processes import soon
from training import cli, registry
from training.errors import Hung
from training.launch import processes
from training.launch.watch import Pulse, is_unfinished, watch
from training.signals import HUNG

# a parent, a child, and a grandchild in a session of its own, as torchrun makes its processes; all hang, by sleeping longer than any test lasts
TREE = """
import subprocess, sys, time
below = "import time; print(1, flush=True); time.sleep(600)"
child = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {below!r}], start_new_session=True); time.sleep(600)"
subprocess.Popen([sys.executable, "-c", child])
time.sleep(600)
"""


class Clock:
    """Moves when it is waited for, and at each wait does the next of what is to happen."""

    def __init__(self, *happens: object) -> None:
        self.now = 0.0
        self.happens = list(happens)
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds
        if self.happens:
            step = self.happens.pop(0)
            if callable(step):
                step()


def beat(runs: Path, second: int) -> None:
    run_files.write(runs, heartbeat_at=f"2026-11-25T11:00:{second:02}+00:00")


def watched(run: Path, clock: Clock, *, turns: int, limit_s: float = 60) -> list[str]:
    """What was done to a run that was looked at so often."""
    done: list[str] = []
    left = iter(range(turns))
    watch(
        run,
        limit_s=limit_s,
        goes_on=lambda: next(left, None) is not None,
        act=lambda: done.append("killed"),
        pulse=Pulse(run, clock),
        pause=clock.pause,
    )
    return done


def test_a_run_whose_heart_beats_is_left_alone(tmp_path: Path) -> None:
    run = run_files.write(tmp_path)
    clock = Clock(*(lambda second=second: beat(tmp_path, second) for second in range(30)))
    assert watched(run, clock, turns=30) == []
    assert clock.now > 400


def test_a_run_that_is_silent_for_too_long_is_killed_and_told_of(tmp_path: Path) -> None:
    run = run_files.write(tmp_path)
    clock = Clock(lambda: beat(tmp_path, 1))
    with pytest.raises(Hung, match="lehena: no heartbeat for 75 s: the run hangs"):
        watched(run, clock, turns=30)
    entry = registry.read(run)
    assert entry.run is not None
    assert (entry.run.status, entry.run.error) == ("failed", "Hung: no heartbeat for 75 s")
    assert entry.run.ended_at is not None
    assert clock.now == 90  # one beat after 15 s, then six more looks


def test_what_is_done_to_a_hung_run_comes_after_it_is_written_down(tmp_path: Path) -> None:
    run = run_files.write(tmp_path)
    seen: list[object] = []
    clock = Clock()
    with pytest.raises(Hung):
        watch(
            run,
            limit_s=1,
            goes_on=lambda: True,
            act=lambda: seen.append(json.loads((run / "run.json").read_text())["status"]),
            pulse=Pulse(run, clock),
            pause=clock.pause,
        )
    assert seen == ["failed"]


def test_the_old_heartbeat_of_a_run_that_is_resumed_does_not_count_against_it(tmp_path: Path) -> None:
    run = run_files.write(tmp_path, heartbeat_at="2020-01-01T00:00:00+00:00")
    assert watched(run, Clock(), turns=4) == []


def test_a_run_that_never_begins_hangs_too(tmp_path: Path) -> None:
    clock = Clock()
    with pytest.raises(Hung, match="no heartbeat for 75 s"):
        watched(tmp_path / "inon", clock, turns=30)


def test_a_broken_file_is_no_heartbeat(tmp_path: Path) -> None:
    run = run_files.write(tmp_path)
    clock = Clock(*(lambda cut=cut: (run / "run.json").write_text("{" * cut) for cut in range(1, 9)))
    with pytest.raises(Hung):
        watched(run, clock, turns=30)


def test_a_heartbeat_that_goes_back_is_one(tmp_path: Path) -> None:
    """Clocks of nodes differ, and a requeued run may beat on another."""
    run = run_files.write(tmp_path)
    clock = Clock(*(lambda second=second: beat(tmp_path, 59 - second) for second in range(30)))
    assert watched(run, clock, turns=30) == []


def test_a_short_limit_is_looked_at_often(tmp_path: Path) -> None:
    clock = Clock()
    assert watched(run_files.write(tmp_path), clock, turns=3, limit_s=2) == []
    assert clock.waits == [0.5, 0.5, 0.5]


@pytest.mark.parametrize(
    ("status", "unfinished"),
    [("prepared", True), ("running", True), ("done", False), ("failed", False), ("interrupted", False)],
)
def test_a_run_is_over_when_its_file_says_so(tmp_path: Path, status: str, unfinished: bool) -> None:
    assert is_unfinished(run_files.write(tmp_path, status=status)) == unfinished
    assert is_unfinished(tmp_path / "inon")


@contextmanager
def tree() -> Iterator[list[psutil.Process]]:
    """Three generations of processes."""
    with subprocess.Popen([sys.executable, "-c", TREE], stdout=subprocess.PIPE, text=True) as parent:
        try:
            assert parent.stdout is not None
            assert parent.stdout.readline() == "1\n"
            found = psutil.Process(parent.pid)
            yield [found, *found.children(recursive=True)]
        finally:
            processes.kill_tree(parent.pid)


def all_gone(found: list[psutil.Process]) -> bool:
    return soon(lambda: all(not each.is_running() or each.status() == psutil.STATUS_ZOMBIE for each in found))


def test_a_tree_is_killed_whole() -> None:
    with tree() as found:
        assert len(found) == 3
        assert all(processes.goes_on(each.pid) for each in found)
        processes.kill_tree(found[0].pid)
        assert all_gone(found)
        assert not any(processes.goes_on(each.pid) for each in found)


def test_what_is_gone_is_killed_without_a_word() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    processes.kill_tree(process.pid)
    assert not processes.goes_on(process.pid)


def test_the_command_kills_a_hung_process(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = run_files.write(tmp_path)
    with tree() as found:
        assert cli.main(["watch", str(run), "--limit", "0.1", "--kill", str(found[0].pid)]) == HUNG
        assert all_gone(found)
    assert "the run hangs" in capsys.readouterr().err


def test_the_command_cancels_the_steps_of_a_hung_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster.at(tmp_path / "bin")
    (cluster.here / "queue").write_text("7.batch\n7.0\n")
    monkeypatch.setenv("PATH", cluster.path)
    assert cli.main(["watch", str(run_files.write(tmp_path)), "--limit", "0.1", "--scancel", "7"]) == HUNG
    assert cluster.calls[-1] == "scancel --signal=KILL 7.0"


def test_the_command_ends_with_the_run_or_with_the_process(tmp_path: Path) -> None:
    run = run_files.write(tmp_path, status="done")
    assert cli.main(["watch", str(run), "--limit", "600"]) == 0
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    run_files.write(tmp_path)
    assert cli.main(["watch", str(run), "--limit", "600", "--while", str(process.pid)]) == 0


def test_a_run_that_is_done_and_does_not_end_hangs(tmp_path: Path) -> None:
    run = run_files.write(tmp_path, status="done")
    with tree() as found:
        assert cli.main(["watch", str(run), "--limit", "0.1", "--kill", str(found[0].pid)]) == HUNG
