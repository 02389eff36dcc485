"""A run on this machine: the recipe's processes under torchrun, asked to save by a signal, started again where they hang."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from training import registry
from training.errors import Hung, Interrupted, RunFailed
from training.launch import processes
from training.launch.plan import Plan
from training.launch.watch import watch
from training.paths import Roots
from training.registry import Entry
from training.signals import ASKS, StopRequest

_LEFT_TO_WORKERS = "SIGINT,SIGHUP,SIGQUIT"
"""What torchrun hears; SIGTERM and SIGUSR1 are for the processes that it starts: it would give them 30 seconds to end."""


@dataclass(frozen=True, slots=True)
class Local:
    """How a run is started here.

    Parameters
    ----------
    heartbeat_s
        Seconds without a heartbeat after which it counts as hung; ``None`` to let it be.
    hangs
        How often one that hung is started again.
    train
        Further arguments of ``train``.
    """

    roots: Roots
    heartbeat_s: float | None = None
    hangs: int = 0
    train: tuple[str, ...] = ()


def command(plan: Plan, how: Local, *, resume: bool) -> list[str]:
    """What is started."""
    given = {"--data": how.roots.data, "--base": how.roots.base, "--tokens": how.roots.tokens}
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--max-restarts", "0"]
    torchrun += ["--nproc-per-node", str(plan.recipe.batch.processes)]
    torchrun += ["--signals-to-handle", _LEFT_TO_WORKERS]
    train = ["-m", "training", "train", str(plan.recipe_file), "--runs", str(plan.runs), "--name", plan.name]
    train += [word for name, path in given.items() if path for word in (name, str(path))]
    return [*torchrun, *train, *how.train, *(["--resume"] if resume else [])]


def launch(plan: Plan, how: Local) -> Entry:
    """Start a run and stay with it until it ends; what it prints goes to standard error.

    Raises
    ------
    Interrupted
        Where it was asked to stop, and saved.
    Hung
        Where it hung once more than it may.
    RunFailed
    """
    plan.freeze()
    resume = plan.resume
    for hangs in range(how.hangs + 1):
        try:
            status = _start(command(plan, how, resume=resume), plan.run, how)
            break
        except Hung as error:
            if hangs == how.hangs:
                raise
            print(f"{error}; it is started again", file=sys.stderr)  # noqa: T201  # progress
            resume = True
    return _ended(plan.run, status)


def _ended(run: Path, status: int) -> Entry:
    entry = registry.read(run)
    if entry.run is not None and entry.run.status == "interrupted":
        raise Interrupted(f"{run.name}: stopped after saving step {entry.run.step}; --resume to go on")
    if status or entry.run is None or entry.run.status != "done":
        said = entry.run.error if entry.run else entry.fault
        raise RunFailed(f"{run}: ended with status {status}; {said or 'its messages are above'}")
    return entry


def _start(command: list[str], run: Path, how: Local) -> int:
    with StopRequest() as asked:
        with _left_to_workers():
            process = subprocess.Popen(command, stdout=sys.stderr, env=_environment(), start_new_session=True)
        try:
            watch(
                run,
                limit_s=how.heartbeat_s or float("inf"),
                goes_on=lambda: process.poll() is None,
                act=lambda: processes.kill_tree(process.pid),
                pause=lambda seconds: _wait(process, seconds, asked),
            )
        finally:
            if process.poll() is None:
                processes.kill_tree(process.pid)
                process.wait()
    return process.returncode


def _wait(process: subprocess.Popen[bytes], seconds: float, asked: StopRequest) -> None:
    """A second at most; hands down, once a second since the processes may not listen yet, that the run is to stop. A second Ctrl-C kills it."""
    try:
        process.wait(timeout=min(seconds, 1.0))
    except subprocess.TimeoutExpired:
        if asked:
            processes.tell_children(process.pid, signal.SIGUSR1)
    except KeyboardInterrupt:
        if asked:
            raise
        asked.signal = signal.SIGINT


def _environment() -> dict[str, str]:
    return {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"} | os.environ


@contextmanager
def _left_to_workers() -> Iterator[None]:
    """While torchrun is started: it inherits that it does not hear what asks a run to stop, and so do its processes until they listen."""
    before = {each: signal.signal(each, signal.SIG_IGN) for each in ASKS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
