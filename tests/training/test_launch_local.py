"""Runs on this machine: asked to save, killed where they hang, gone on with; once with the real torchrun."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from tests.training import run_files, tiny
from tests.training.processes import soon
from training import cli, config, registry
from training.errors import Hung, Interrupted, RunFailed
from training.launch import local, processes
from training.launch.local import Local, command, launch
from training.launch.plan import plan
from training.launch.watch import Pulse
from training.paths import Roots
from training.signals import StopRequest

# what torchrun is to its processes: it starts one in a session of its own, and passes its status on
FAKE = """
import subprocess, sys
sys.exit(subprocess.Popen([sys.executable, "-c", sys.argv[1]], start_new_session=True).wait())
"""
WORKER = """
import json, os, pathlib, signal, sys, time
signal.alarm(60)  # it is never left waiting
folder = pathlib.Path({folder!r})
values = json.loads({values!r})
starts = folder.parent / "starts"
starts.write_text(starts.read_text() + "x" if starts.exists() else "x")
def write(**changes):
    folder.mkdir(exist_ok=True)
    (folder / "part").write_text(json.dumps(values | changes))
    (folder / "part").replace(folder / "run.json")
{body}
"""


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run whose process does what the file ``body`` says instead of training; started with the words in ``asked``."""

    def made(planned: object, how: object, *, resume: bool) -> list[str]:
        with (tmp_path / "asked").open("a") as file:
            file.write(f"{resume}\n")
        body = (tmp_path / "body").read_text()
        code = WORKER.format(
            folder=str(tmp_path / "bat"), values=json.dumps(run_files.values(name="bat")), body=body
        )
        return [sys.executable, "-c", FAKE, code]

    monkeypatch.setattr(local, "command", made)
    return tmp_path


def started(folder: Path, body: str, **how: object) -> registry.Entry:
    (folder / "body").write_text(body)
    planned = plan(config.load("txiki_110"), folder, "bat", resume=False)
    return launch(planned, Local(Roots(), **how))  # type: ignore[arg-type]  # what the test says


def test_torchrun_starts_the_recipes_processes_and_leaves_signals_to_them(tmp_path: Path) -> None:
    recipe = config.resolved("txiki_110", ["batch.processes=3"])
    planned = plan(recipe, tmp_path / "the runs", "bat", resume=False)
    how = Local(Roots(data=Path("/da ta")), train=("--report-to", "tensorboard"))
    words = command(planned, how, resume=True)
    assert words[:3] == [sys.executable, "-m", "torch.distributed.run"]
    for name, value in (
        ("--nproc-per-node", "3"),
        ("--max-restarts", "0"),
        ("--name", "bat"),
        ("--data", "/da ta"),
    ):
        assert words[words.index(name) + 1] == value
    assert words[words.index("--signals-to-handle") + 1] == "SIGINT,SIGHUP,SIGQUIT"
    assert words[words.index("train") + 1] == str(tmp_path / "the runs" / ".launch" / "bat" / "recipe.yaml")
    assert words[-3:] == ["--report-to", "tensorboard", "--resume"]
    assert "--resume" not in command(planned, how, resume=False)
    assert "--base" not in words


def test_a_run_that_ends_well(fake: Path) -> None:
    entry = started(fake, 'write(status="done", step=480)')
    assert entry.run is not None
    assert entry.run.step == 480
    assert (fake / ".launch" / "bat" / "recipe.yaml").exists()


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ('write(status="failed", error="NotFinite: step 3"); sys.exit(1)', "status 1; NotFinite: step 3"),
        ("sys.exit(2)", "status 2; run.json: No such file"),
        ('write(status="running")', "status 0; its messages are above"),
        ("os.kill(os.getpid(), 9)", "ended with status"),
    ],
)
def test_a_run_that_fails_is_told_with_its_error(fake: Path, body: str, says: str) -> None:
    with pytest.raises(RunFailed, match=says):
        started(fake, body)


def test_a_signal_is_handed_to_the_processes_until_they_have_saved(fake: Path) -> None:
    """They do not listen at first, and are asked again. The stand-in for a run polls: a file and a signal wake nothing in it."""
    body = f"""
os.kill({os.getpid()}, signal.SIGTERM)
assert signal.getsignal(signal.SIGUSR1) == signal.getsignal(signal.SIGTERM) == signal.SIG_IGN
while os.getppid() and not (pathlib.Path({str(fake)!r}) / "told").exists(): time.sleep(0.01)
asked = []
signal.signal(signal.SIGUSR1, lambda *_: asked.append(1))
while not asked: time.sleep(0.01)
write(status="interrupted", step=121)
sys.exit(75)
"""
    told = processes.tell_children

    def tell(pid: int, number: signal.Signals) -> None:
        told(pid, number)
        (fake / "told").touch()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(processes, "tell_children", tell)
        with pytest.raises(Interrupted, match="bat: stopped after saving step 121; --resume to go on"):
            started(fake, body)


# a run that hangs: it sleeps longer than any test lasts, and is killed
HANGS = 'write(); (folder.parent / "silent").touch(); time.sleep(600)'


@pytest.fixture
def hour(fake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour has passed once a run is silent, however busy this machine is; it is told once."""

    def silent_s(_: Pulse) -> float:
        marker = fake / "silent"
        if marker.exists():
            marker.unlink()
            return 3600.0
        return 0.0

    monkeypatch.setattr(Pulse, "silent_s", silent_s)


@pytest.mark.usefixtures("hour")
def test_a_run_that_hangs_is_killed_and_gone_on_with(fake: Path, capfd: pytest.CaptureFixture[str]) -> None:
    body = f'if starts.read_text() == "x": {HANGS}\nwrite(status="done")'
    assert started(fake, body, heartbeat_s=600, hangs=1).state() is registry.State.DONE
    assert (fake / "asked").read_text().split() == ["False", "True"]
    assert "the run hangs; it is started again" in capfd.readouterr().err


@pytest.mark.usefixtures("hour")
def test_a_run_that_goes_on_hanging_is_given_up(fake: Path) -> None:
    with pytest.raises(Hung, match="no heartbeat for 3600 s"):
        started(fake, HANGS, heartbeat_s=600, hangs=1)
    assert (fake / "starts").read_text() == "xx"
    entry = registry.read(fake / "bat")
    assert entry.run is not None
    assert entry.run.error is not None
    assert entry.run.error.startswith("Hung: no heartbeat")


def test_the_processes_of_one_that_is_gone_do_not_stay(fake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def impatient(*_: object) -> None:
        if (fake / "pid").exists():
            raise KeyboardInterrupt

    monkeypatch.setattr(local, "_wait", impatient)
    pid = fake / "pid"  # of a run that would go on for long: it must be killed
    with pytest.raises(KeyboardInterrupt):
        started(
            fake,
            f"p = pathlib.Path({str(pid)!r}); q = p.with_name('q'); q.write_text(str(os.getpid())); q.replace(p); time.sleep(600)",
        )
    assert soon(lambda: not processes.goes_on(int(pid.read_text())))


def test_ctrl_c_asks_first_and_kills_then(fake: Path) -> None:
    class Terminal:
        """A process that is waited for at a terminal where Ctrl-C is pressed each time."""

        pid = 0

        def wait(self, timeout: float) -> int:
            raise KeyboardInterrupt

    asked = StopRequest()
    local._wait(Terminal(), 1.0, asked)  # type: ignore[arg-type]  # what it uses of one
    assert asked.signal is signal.SIGINT
    with pytest.raises(KeyboardInterrupt):
        local._wait(Terminal(), 1.0, asked)  # type: ignore[arg-type]  # the same


@pytest.mark.slow
def test_two_real_processes_are_stopped_by_a_signal_and_gone_on_with(tmp_path: Path) -> None:
    runs, shape = tmp_path / "the runs", tiny.SHAPE.replace("positions: 128", "positions: 256")
    changes = [
        shape,
        "data.row_tokens=256",
        "schedule.steps=500",
        "cadence.steps_a_log=1",
        "batch.processes=2",
    ]
    words = ["launch", "txiki_110", "--on", "local", "--runs", str(runs), "--name", "bi", "--set", *changes]
    environment = os.environ | {"GLOO_SOCKET_IFNAME": "lo"}
    line = [sys.executable, "-m", "training", *words]
    with subprocess.Popen(line, env=environment, stderr=subprocess.PIPE, text=True) as process:
        while not ((entry := registry.read(runs / "bi")).run and entry.run.step > 2):
            assert process.poll() is None, process.communicate()[1]
            time.sleep(0.1)  # a run tells how far it is in a file alone
        process.send_signal(signal.SIGTERM)
        said = process.communicate()[1]
        assert process.returncode == 75, said
    entry = registry.read(runs / "bi")
    assert entry.run is not None
    assert (entry.run.status, entry.run.processes) == ("interrupted", 2)
    stopped = entry.run.step
    assert (runs / "bi" / "checkpoints" / f"checkpoint-{stopped}").is_dir()

    assert cli.main(words) == 2, "it is there, and nobody said that it goes on"
    folder = runs / "bi"
    recipe = yaml.safe_load((folder / "recipe.yaml").read_text())
    recipe["schedule"]["steps"] = stopped + 3
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    changes[2] = f"schedule.steps={stopped + 3}"
    again = [*words[: words.index("--set") + 1], *changes, "--resume"]
    done = subprocess.run([*line[:3], *again], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert yaml.safe_load(done.stdout)["step"] == stopped + 3
    steps = [json.loads(each)["step"] for each in (folder / "metrics.jsonl").read_text().splitlines()]
    assert steps == list(range(1, stopped + 4)), "none twice, none left out"


def test_the_command_tells_what_came_of_a_run(fake: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (fake / "body").write_text('write(status="done", step=480)')
    words = ["launch", "txiki_110", "--on", "local", "--runs", str(fake), "--name", "bat"]
    assert cli.main([*words, "--report-to", "tensorboard"]) == 0
    found = yaml.safe_load(capfd.readouterr().out)
    assert found == {"recipe": "txiki_110", "run": str(fake / "bat"), "step": 480, "loss": 1.25}


@pytest.mark.usefixtures("hour")
@pytest.mark.parametrize(
    ("body", "status"),
    [
        ('write(status="interrupted"); sys.exit(75)', 75),
        ('write(status="failed", error="OutOfMemoryError"); sys.exit(1)', 1),
        (HANGS, 124),
    ],
)
def test_the_commands_status_says_how_a_run_ended(fake: Path, body: str, status: int) -> None:
    (fake / "body").write_text(body)
    words = ["launch", "txiki_110", "--on", "local", "--runs", str(fake), "--name", "bat", "--hangs", "0"]
    assert cli.main([*words, "--limit", "600"]) == status


def test_a_recipe_that_is_none_starts_nothing(fake: Path) -> None:
    assert cli.main(["launch", "inon", "--on", "local", "--runs", str(fake)]) == 2
    assert (
        cli.main(["launch", "txiki_110", "--on", "local", "--runs", str(fake), "--set", "batch.rows=x"]) == 2
    )
    assert not (fake / "asked").exists()
