"""Puts a run together: rows and tokenizer from its recipe, and the trainer with all that it needs."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from training import parallel
from training.arguments import ENDLESS, training_arguments
from training.cadence import Flow
from training.checkpoints import Progress
from training.collator import PackedCollator
from training.config import Recipe
from training.course import Course, CourseTrainer, Line
from training.data import stream
from training.dpo import stage
from training.model import tokenizer_for
from training.order import Rows, rows_of
from training.paths import Roots, resolve
from training.progress import ProgressBar
from training.run_folder import Record, RunFolder
from training.schedule import BySeconds, BySteps, Pace
from training.signals import StopRequest
from training.trainer import PackedTrainer

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from training.train import Options

log = logging.getLogger("training")


@dataclass(frozen=True)
class Data:
    """What a run reads.

    Parameters
    ----------
    counts
        Rows and tokens of a pass, by source.
    """

    tokenizer: PreTrainedTokenizerFast
    rows: Rows
    evaluation: Mapping[str, Rows]
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Setting:
    """A run as it is about to begin.

    Parameters
    ----------
    start
        How far it was when it is resumed.
    """

    recipe: Recipe
    options: Options
    folder: RunFolder
    record: Record
    data: Data
    start: Progress
    on_gpu: bool


@dataclass(frozen=True)
class Extent:
    """How long a run is.

    Parameters
    ----------
    steps
        None where the clock ends it.
    steps_an_epoch
        Of a pass over the data, on average.
    """

    steps: int | None
    steps_an_epoch: float


def read(recipe: Recipe, roots: Roots) -> Data:
    """Tokenizer, rows and evaluation sets; the first process makes what the others then find made."""
    from accelerate import PartialState

    with PartialState().main_process_first():
        tokenizer = tokenizer_for(recipe, partial(resolve, roots=roots))
        if recipe.preferences:
            pairs = stage.rows(recipe, tokenizer, roots)
            return Data(tokenizer, pairs, {}, pairs.counts())
        rows = stream.row_set(recipe, tokenizer, roots)
        measured = stream.evaluation_sets(recipe, tokenizer, roots) if _is_measured(recipe) else {}
        return Data(tokenizer, rows, measured, rows.counts())


def _is_measured(recipe: Recipe) -> bool:
    return recipe.cadence.evaluations_an_epoch is not None


def extent(recipe: Recipe, rows: Rows) -> Extent:
    """How many steps a recipe has on these rows; the last one is whole, out of one more pass where rows do not divide."""
    batch, epochs = recipe.batch, recipe.schedule.epochs
    a_step = batch.rows * batch.accumulation * batch.processes
    if epochs is None:
        return Extent(recipe.schedule.steps, len(rows) / a_step)
    total = sum(rows_of(rows, epochs))
    return Extent(math.ceil(total / a_step), total / epochs / a_step)


def trainer(setting: Setting, model: PreTrainedModel, asked: StopRequest) -> CourseTrainer:
    """The trainer of a run: of rows, or of pairs where the recipe names preferences.

    Parameters
    ----------
    asked
        Whether a signal asked the run to stop.

    Raises
    ------
    BadRecipe
        Where accelerate would not shard what the recipe shards.
    """
    recipe, options = setting.recipe, setting.options
    found = extent(recipe, setting.data.rows)
    args = training_arguments(
        recipe,
        setting.folder.checkpoints,
        steps=found.steps,
        on_gpu=setting.on_gpu,
        report_to=options.report_to,
    )
    course = _course(setting, found, asked, args.device)
    is_first = args.process_index == 0
    bars = [ProgressBar(setting.folder.path.name, line=options.line, pace=course.pace)] if is_first else []
    tokenizer = setting.data.tokenizer
    if recipe.preferences:
        return stage.trainer(course, model, tokenizer, args, callbacks=bars)
    made = PackedTrainer(
        model, course, args=args, tokenizer=tokenizer, collate=PackedCollator(), callbacks=[*bars]
    )
    parallel.check_sharded(recipe, made.accelerator.distributed_type.value)
    return made


def _course(setting: Setting, found: Extent, asked: StopRequest, device: torch.device) -> Course:
    recipe = setting.recipe
    pace = _pace(recipe, found, setting.start, parallel.first_says(device))
    flow = Flow(
        recipe.cadence,
        steps_an_epoch=found.steps_an_epoch,
        pace=pace,
        asked=lambda: parallel.any_says(yes=bool(asked), device=device),
    )
    a_step = recipe.batch.rows * recipe.batch.accumulation * recipe.batch.processes
    return Course(
        recipe=recipe,
        rows=setting.data.rows,
        total_rows=(found.steps or ENDLESS) * a_step,
        evaluation=setting.data.evaluation,
        pace=pace,
        flow=flow,
        folder=setting.folder.checkpoints,
        record=_recorder(setting.folder, setting.record),
        alive=setting.record.beat,
        start=setting.start,
    )


def _pace(recipe: Recipe, found: Extent, start: Progress, agree: Callable[[float], float]) -> Pace:
    if recipe.schedule.seconds is not None:
        return BySeconds(recipe.schedule.seconds, before=start.seconds, agree=agree)
    return BySteps(found.steps or 0)


def _recorder(folder: RunFolder, record: Record) -> Callable[[Line], None]:
    """Each line goes to the metrics, the log and the run's record."""

    def write(line: Line) -> None:
        folder.metrics.append(line)
        if "evaluation" in line:
            log.info("step %d: %s", line["step"], line["evaluation"])
        else:
            record.update(step=line["step"], loss=line["loss"], tokens_seen=line["tokens_seen"])

    return write
