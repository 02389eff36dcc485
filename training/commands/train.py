"""``train``: recipes into candidates; those that are trained are left as they are."""

from __future__ import annotations

import argparse
import fcntl
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from training import config, paths
from training.commands.types import Commands
from training.config import Recipe
from training.errors import BadRecipe, RunFailed
from training.parallel import world
from training.paths import Roots

_ENV = {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"}


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "train", help="train recipes; embedded ones that are trained are left as they are"
    )
    parser.add_argument(
        "recipes",
        nargs="*",
        metavar="RECIPE",
        help="a code or a YAML file; the embedded candidates if left out",
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on from the last checkpoint, if there is one"
    )
    parser.add_argument("--runs", type=Path, help="folder of runs; beside the models if left out")
    parser.add_argument("--name", help="of the run's folder; the recipe's code if left out")
    paths.add_options(parser)
    parser.add_argument("--set", nargs="+", action="extend", default=[], metavar="KEY=VALUE", dest="changes")
    parser.add_argument(
        "--report-to", nargs="+", default=[], metavar="WHERE", help="tensorboard, wandb: extras"
    )
    parser.add_argument(
        "--models", type=Path, default=Path("var/models"), help="where embedded candidates go"
    )
    parser.add_argument("--jobs", type=int, default=2, help="embedded runs at a time, of one thread each")
    parser.add_argument("--line", type=int, default=0, help=argparse.SUPPRESS)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> object:
    options.runs = options.runs or options.models.parent / "runs"
    if len(options.recipes) == 1:
        found = _one(config.resolved(options.recipes[0], options.changes), options)
        return [found] if world().is_first else None
    if options.changes or options.name or options.resume:
        raise BadRecipe("--set, --name and --resume belong to one recipe")
    names = options.recipes or config.embedded()
    return train(names, options.models, jobs=options.jobs, runs=options.runs)


def _one(recipe: Recipe, options: argparse.Namespace) -> dict[str, object]:
    """One run, in this process: an embedded candidate, or any other recipe."""
    from torch import distributed

    from training.embedded import is_trained, make
    from training.train import Options
    from training.train import train as train_one

    if recipe.is_built_in and not options.name and is_trained(recipe, options.models):
        return _embedded(recipe, options.models)
    how = Options(
        runs=options.runs,
        name=options.name,
        roots=Roots.of(options),
        resume=options.resume,
        anew=recipe.is_built_in and not options.name,
        report_to=tuple(options.report_to),
        line=options.line,
        command=tuple(sys.argv),
    )
    try:
        if recipe.is_built_in and not options.name:
            make(recipe, options.models, how)
            return _embedded(recipe, options.models)
        finished = train_one(recipe, how)
    finally:
        if distributed.is_initialized():
            distributed.destroy_process_group()
    return {
        "recipe": recipe.code,
        "run": str(finished.folder.path),
        "steps": finished.progress.step,
        "tokens": finished.progress.tokens,
        "loss": round(finished.progress.loss, 4),
    }


def _embedded(recipe: Recipe, models: Path) -> dict[str, object]:
    return {"recipe": recipe.code, "folder": str(models / recipe.code)}


def train(
    names: Sequence[str], models: Path, *, jobs: int, runs: Path | None = None
) -> list[dict[str, object]]:
    """Train the embedded candidates that are not trained yet, at most *jobs* processes at a time; returns each one's folder.

    One training at a time in a folder: a second caller waits and then finds everything done.

    Parameters
    ----------
    runs
        The folder of runs; beside the models if left out.

    Raises
    ------
    BadRecipe, RunFailed
    """
    from training.embedded import is_trained

    recipes = [config.load(name) for name in names]
    models.mkdir(parents=True, exist_ok=True)
    with (models / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        missing = [each.code for each in recipes if not is_trained(each, models)]
        if missing:
            print(f"training {', '.join(missing)}: about two minutes, once", file=sys.stderr)  # noqa: T201  # progress
            _run_all(missing, models, runs or models.parent / "runs", jobs)
    return [_embedded(each, models) for each in recipes]


def _run_all(names: list[str], models: Path, runs: Path, jobs: int) -> None:
    waiting, running = list(names), dict[str, subprocess.Popen[bytes]]()
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                # the oldest run always ends first here, so that the line it had is free
                line = (len(names) - len(waiting)) % jobs
                name = waiting.pop(0)
                running[name] = _start(name, models, runs, line)
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


def _start(name: str, models: Path, runs: Path, line: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "training", "train", name, "--models", str(models), "--runs", str(runs)]
    return subprocess.Popen([*command, "--line", str(line)], env={**os.environ, **_ENV}, stdout=sys.stderr)
