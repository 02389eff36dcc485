"""``train``: recipes into candidates; those that are trained are left as they are."""

from __future__ import annotations

import argparse
import fcntl
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from training import config
from training.commands.types import Commands
from training.errors import RunFailed

_ENV = {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"}


def add(commands: Commands) -> None:
    parser = commands.add_parser("train", help="train recipes; those that are trained are left as they are")
    parser.add_argument("recipes", nargs="*", metavar="RECIPE", help="the embedded candidates if left out")
    parser.add_argument("--models", type=Path, default=Path("var/models"))
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time, of one thread each")
    parser.add_argument("--line", type=int, default=0, help=argparse.SUPPRESS)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> object:
    names = options.recipes or config.embedded()
    return train(names, options.models, jobs=options.jobs, line=options.line)


def train(names: Sequence[str], models: Path, *, jobs: int, line: int = 0) -> list[dict[str, object]]:
    """Train what is not trained yet, at most *jobs* processes at a time; returns each run's folder.

    A single run takes place in this process, its progress bar on that line of the terminal.

    One training at a time in a folder: a second caller waits and then finds everything done.

    Raises
    ------
    BadRecipe, RunFailed
    """
    from training.train import is_trained
    from training.train import run as run_one

    recipes = [config.load(name) for name in names]
    models.mkdir(parents=True, exist_ok=True)
    if len(recipes) == 1:
        if not is_trained(recipes[0], models):
            run_one(recipes[0], models, line=line)
    else:
        with (models / ".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            missing = [each.code for each in recipes if not is_trained(each, models)]
            if missing:
                print(f"training {', '.join(missing)}: about two minutes, once", file=sys.stderr)  # noqa: T201  # progress
                _run_all(missing, models, jobs)
    return [{"recipe": each.code, "folder": str(models / each.code)} for each in recipes]


def _run_all(names: list[str], models: Path, jobs: int) -> None:
    waiting, running = list(names), dict[str, subprocess.Popen[bytes]]()
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                # the oldest run always ends first here, so that the line it had is free
                line = (len(names) - len(waiting)) % jobs
                name = waiting.pop(0)
                running[name] = _start(name, models, line)
            name, process = next(iter(running.items()))
            if process.wait():
                raise RunFailed(
                    f"the run of {name} ended with status {process.returncode}; its messages are above"
                )
            del running[name]
    finally:
        for process in running.values():
            process.terminate()
            process.wait()


def _start(name: str, models: Path, line: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "training", "train", name, "--models", str(models), "--line", str(line)]
    return subprocess.Popen(command, env={**os.environ, **_ENV}, stdout=sys.stderr)
