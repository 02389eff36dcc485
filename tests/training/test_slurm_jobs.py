"""Slurm: what a job's script does, run as a node does, when its time is up, its run fails or hangs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.training import run_files
from tests.training.cluster import Cluster, ended
from tests.training.processes import soon
from tests.training.sites import written


def waits_for(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Until the script has come so far."""
    assert soon(lambda: condition() or process.poll() is not None)
    assert process.poll() is None, process.communicate()


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """The training job with a watcher that starts in a moment, which this project's does not; a step hangs once it has begun."""
    path = written(tmp_path / "the runs")
    quick = tmp_path / "bin" / "watch"
    Cluster.at(quick.parent)
    quick.write_text(
        '#!/bin/bash\nwhile kill -0 "$5" 2>/dev/null; do [[ -f "$1/hung" && -s "${0%/*}/srun.pid" ]] && exit 124; sleep 0.02; done\n'
    )
    quick.chmod(0o755)
    path.write_text(path.read_text().replace(f"{sys.executable} -m training watch", "watch"))
    return path


def test_a_run_that_ends_well_ends_its_job(tmp_path: Path, script: Path) -> None:
    cluster = Cluster(tmp_path / "bin")
    assert cluster.run(script, "exit 0")[0] == 0
    assert cluster.asked("scontrol") == ["scontrol show hostnames node-[01-02]"]
    [asked] = cluster.asked("srun")
    assert "--rdzv-endpoint node-01:20101 --rdzv-id 101.0" in asked
    assert asked.endswith(f"--resume --runs {tmp_path / 'the runs'} --name exp_2_110_lora")


def test_a_run_that_fails_fails_its_job_and_is_not_requeued(tmp_path: Path, script: Path) -> None:
    cluster = Cluster(tmp_path / "bin")
    assert cluster.run(script, "exit 3")[0] == 3
    assert not cluster.asked("scontrol requeue")


STEP_THAT_SAVES = 'trap "exit 75" USR1; touch "$HERE/ready"; while true; do sleep 0.02; done'


def test_when_time_is_nearly_up_the_run_is_asked_to_save_and_requeued(tmp_path: Path, script: Path) -> None:
    cluster = Cluster(tmp_path / "bin")
    with cluster.job(script, STEP_THAT_SAVES) as job:
        waits_for((cluster.here / "ready").exists, job)
        job.send_signal(signal.SIGUSR1)
        status, said = ended(job)
    assert status == 0, said
    assert cluster.calls[-1] == "scontrol requeue 101"
    assert "asked to save" in said


def test_a_job_that_was_requeued_too_often_fails(tmp_path: Path, script: Path) -> None:
    cluster = Cluster(tmp_path / "bin")
    with cluster.job(script, STEP_THAT_SAVES, SLURM_RESTART_COUNT="50") as job:
        waits_for((cluster.here / "ready").exists, job)
        job.send_signal(signal.SIGUSR1)
        status, said = ended(job)
    assert status == 75
    assert "requeued 50 times already: not again" in said
    assert not cluster.asked("scontrol requeue")


def test_a_cancelled_job_is_not_requeued(tmp_path: Path, script: Path) -> None:
    """scancel signals the steps: the run saves and stops with 75, but nobody asked the script."""
    cluster = Cluster(tmp_path / "bin")
    with cluster.job(script, STEP_THAT_SAVES) as job:
        waits_for((cluster.here / "ready").exists, job)
        os.kill(int((cluster.here / "srun.pid").read_text()), signal.SIGUSR1)
        assert ended(job)[0] == 75
    assert not cluster.asked("scontrol requeue")


def hang(tmp_path: Path, script: Path, **environment: str) -> tuple[int, str, Cluster]:
    cluster = Cluster(tmp_path / "bin")
    (cluster.here / "queue").write_text("101.batch\n101.0\n")
    run = tmp_path / "the runs" / "exp_2_110_lora"
    run.mkdir(exist_ok=True)
    (run / "hung").touch()
    return *cluster.run(script, "while true; do sleep 0.02; done", **environment), cluster


def test_a_hung_run_is_killed_and_requeued_and_only_so_often(tmp_path: Path, script: Path) -> None:
    for times in (1, 2, 3):
        status, said, cluster = hang(tmp_path, script, SLURM_RESTART_COUNT=str(times - 1))
        assert status == 0, said
        assert cluster.calls[-2:] == ["scancel --signal=KILL 101.0", "scontrol requeue 101"]
    status, said, cluster = hang(tmp_path, script, SLURM_RESTART_COUNT="3")
    assert status == 1
    assert "hung more than 3 times: not again" in said
    assert cluster.calls[-1] == "scancel --signal=KILL 101.0"
    lines = (tmp_path / "the runs" / ".launch" / "exp_2_110_lora" / "hangs.txt").read_text().splitlines()
    assert len(lines) == 4
    assert lines[1].endswith("job 101, requeued 1 times, on node-[01-02]")


def test_a_watcher_that_breaks_kills_nothing(tmp_path: Path, script: Path) -> None:
    cluster = Cluster(tmp_path / "bin")
    (cluster.here / "watch").write_text("#!/bin/bash\nexit 1\n")
    assert cluster.run(script, "sleep 0.2; exit 0")[0] == 0
    assert not cluster.asked("scancel")


def test_the_real_watcher_ends_with_the_step(tmp_path: Path) -> None:
    cluster = Cluster.at(tmp_path / "bin")
    runs = tmp_path / "the runs"
    job = written(runs)
    run_files.write(runs, "exp_2_110_lora")
    status, said = cluster.run(job, "exit 4")
    assert (status, said) == (4, "")
    assert json.loads((runs / "exp_2_110_lora" / "run.json").read_text())["status"] == "running"
