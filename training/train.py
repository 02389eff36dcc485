"""One engine for all recipes: rows in; checkpoints, a model and a run's record out."""

from __future__ import annotations

import logging
import os
import sys
import time
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training import checkpoints, parallel
from training.checkpoints import Progress
from training.config import Recipe
from training.dpo import stage
from training.errors import BadRecipe, Interrupted
from training.fingerprint import fingerprint
from training.memory import peak_mb as peak_mb  # noqa: PLC0414  # a name that other stages look for here
from training.model import model_for
from training.parallel import World
from training.paths import Roots, resolve
from training.run_folder import Record, RunFolder, code_version, now
from training.signals import StopRequest

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

log = logging.getLogger("training")
_SETUP = timedelta(hours=3)  # how long processes wait for the first one to tokenise


@dataclass(frozen=True)
class Options:
    """Where and how a recipe is trained.

    Parameters
    ----------
    runs
        The folder of runs.
    name
        Of the run's folder; the recipe's code if left out.
    roots
        What ``DATA/`` and ``BASE/`` in a recipe stand for, and where tokens are kept.
    resume
        Go on from the last checkpoint, if there is a run of that name.
    anew
        Take the place of a run of that name.
    report_to
        ``tensorboard`` and ``wandb``.
    line
        Of the terminal, for the progress bar.
    command
        For the record.
    """

    runs: Path
    name: str | None = None
    roots: Roots = field(default_factory=Roots)
    resume: bool = False
    anew: bool = False
    report_to: tuple[str, ...] = ()
    line: int = 0
    command: tuple[str, ...] = field(default_factory=lambda: tuple(sys.argv))


@dataclass(frozen=True)
class Finished:
    """A run that came to its end.

    Parameters
    ----------
    seconds
        Wall clock of this process.
    """

    folder: RunFolder
    recipe: Recipe
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerFast
    progress: Progress
    seconds: float


def train(recipe: Recipe, options: Options) -> Finished:
    """Train a recipe, or go on with it.

    Every process of a run calls this, under torchrun or Slurm's launcher; the first one writes.

    Raises
    ------
    BadRecipe
        For a recipe that does not fit these processes, or a run that is there already.
    MissingExtra
        For a recipe with preferences, where TRL is not installed.
    BadData
        Where rows cannot be read.
    NotFinite
        Where a loss or a gradient is no number; the last checkpoint stays.
    Interrupted
        Where a signal asked the run to stop: it has saved, and goes on with ``resume``.
    """
    import torch
    from accelerate import PartialState

    here, on_gpu = parallel.world(), torch.cuda.is_available()
    parallel.check(recipe, here, on_gpu=on_gpu)
    if recipe.preferences:
        stage.check(recipe)
    try:
        quiet_torch(recipe.schedule.seed)
        PartialState(cpu=not on_gpu, timeout=_SETUP)
        folder = RunFolder(options.runs / (options.name or recipe.code))
        checkpoint = _open(folder, recipe, options, here)
        record = Record(folder, here)
        record.prepare(**_prepared(folder, recipe, options, here))
        with folder.logging(here), record.kept():
            return _train(recipe, options, folder, record, checkpoint, on_gpu=on_gpu)
    finally:
        torch.set_flush_denormal(False)  # it is of the whole process, which may have other work


def quiet_torch(seed: int) -> None:
    """One thread a process unless the environment says otherwise, no denormals, and every random state from one seed."""
    import torch
    import transformers

    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    torch.set_flush_denormal(True)
    transformers.set_seed(seed)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()  # the run has one of its own


def _open(folder: RunFolder, recipe: Recipe, options: Options, here: World) -> Path | None:
    """The checkpoint to go on from; else the first process makes the folder anew."""
    exists = folder.exists
    if exists and options.resume:
        if fingerprint(folder.recipe()) != fingerprint(recipe):
            raise BadRecipe(f"{folder.path}: the run was started with other values; they are in recipe.yaml")
    elif exists and not options.anew:
        raise BadRecipe(f"{folder.path}: there is such a run; --resume to go on with it, --name for another")
    parallel.barrier()
    goes_on = exists and options.resume
    if here.is_first:
        if goes_on:
            checkpoints.clear(folder.checkpoints)
        else:
            folder.prepare(recipe)
    parallel.barrier()
    return checkpoints.last_of(folder.checkpoints) if goes_on else None


def _prepared(folder: RunFolder, recipe: Recipe, options: Options, here: World) -> dict[str, Any]:
    import torch

    on_gpu = torch.cuda.is_available()
    return {
        "schema": "lehia.run/1",
        "name": folder.path.name,
        "recipe": recipe.code,
        "status": "prepared",
        "created_at": now(),
        "started_at": None,
        "ended_at": None,
        "step": 0,
        "steps": recipe.schedule.steps,
        "tokens_seen": 0,
        "loss": None,
        "processes": here.size,
        "device": torch.cuda.get_device_name() if on_gpu else "cpu",
        "code_version": code_version(),
        "revision": fingerprint(recipe),
        "command": " ".join(options.command),
        "artefacts": {
            "recipe": "recipe.yaml",
            "data": "data.json",
            "metrics": "metrics.jsonl",
            "log": "log.txt",
        },
        "error": None,
    }


def _train(
    recipe: Recipe,
    options: Options,
    folder: RunFolder,
    record: Record,
    checkpoint: Path | None,
    *,
    on_gpu: bool,
) -> Finished:
    from transformers import set_seed

    from training import assembly

    began = time.perf_counter()
    data = assembly.read(recipe, options.roots)
    with parallel.loading(recipe):
        model = model_for(recipe, data.tokenizer, partial(resolve, roots=options.roots), on_gpu=on_gpu)
    start = checkpoints.read_progress(checkpoint) if checkpoint else Progress()
    setting = assembly.Setting(recipe, options, folder, record, data, start, on_gpu)
    with StopRequest() as asked:
        trainer = assembly.trainer(setting, model, asked)
        if trainer.is_world_process_zero():
            folder.metrics.cut_after(start.step)
            folder.write_counts(data.counts)
        record.update(
            status="running",
            started_at=record.started_at,
            steps=trainer.steps,
            step=start.step,
            tokens_seen=start.tokens_seen,
        )
        log.info("%s: %s steps from step %d", recipe.code, trainer.steps or "timed", start.step)
        set_seed(recipe.schedule.seed + trainer.args.process_index)  # noise and dropout of their own
        with trainer.equipped():
            trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    if trainer.is_interrupted:
        name = f"checkpoint-{trainer.state.global_step}"
        raise Interrupted(
            f"{folder.path.name}: stopped by {asked.name} after saving {name}; --resume to go on"
        )
    return Finished(
        folder=folder,
        recipe=recipe,
        model=trainer.accelerator.unwrap_model(trainer.model),
        tokenizer=data.tokenizer,
        progress=trainer.progress,
        seconds=time.perf_counter() - began,
    )
