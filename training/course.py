"""What every run's trainer does beside its loss: the optimizer and its schedule, the guard, lines of metrics, whole checkpoints."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch.optim.lr_scheduler import LambdaLR
from transformers import PrinterCallback, Trainer

from training import checkpoints, flops, guard, metrics, parallel, schedule
from training.cadence import Flow
from training.checkpoints import Progress
from training.config import Recipe
from training.order import Passes, Rows
from training.schedule import BySteps, Pace

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase, TrainerCallback

Line = dict[str, Any]


@dataclass(frozen=True)
class Course:
    """What a run is given.

    Parameters
    ----------
    recipe
        Of the run.
    rows
        Of a pass over the data: packed rows, or pairs.
    total_rows
        How many the run takes in all.
    evaluation
        Sets to measure on, by name.
    pace, flow
        How far it is; when to log, evaluate, save and stop.
    folder
        Of checkpoints.
    record
        Takes each line of metrics; called in the first process alone.
    alive
        Called after each step, each batch of an evaluation and each save.
    start
        How far it was when it was resumed.
    """

    recipe: Recipe
    rows: Rows
    total_rows: int
    evaluation: Mapping[str, Rows]
    pace: Pace
    flow: Flow
    folder: Path
    record: Callable[[Line], None]
    alive: Callable[[], None]
    start: Progress


class CourseTrainer(Trainer):
    """A trainer that follows a course; a class beside it says what a batch's loss is.

    Parameters
    ----------
    course
        What the run is given.
    model, tokenizer
        What is trained, and what is saved beside it.
    callbacks
        Beside the course's own.
    others
        What the class behind this one takes.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        course: Course,
        *,
        tokenizer: PreTrainedTokenizerBase,
        callbacks: list[TrainerCallback],
        **others: Any,
    ) -> None:
        self._course = course
        self._cost = flops.cost_of(model)
        self.progress = course.start
        self._began = time.monotonic()
        self._passes = Passes(course.rows, course.total_rows)
        super().__init__(
            model=model,
            train_dataset=self._dataset(),
            processing_class=tokenizer,
            callbacks=[course.flow, *callbacks],
            **others,
        )
        self.remove_callback(PrinterCallback)
        self._tally = metrics.Tally(len(course.rows.source_names), parallel.summed)
        self._watch = metrics.Stopwatch()
        self._step_losses: list[torch.Tensor] = []
        self._saved_with = tokenizer
        name = torch.cuda.get_device_name(self.args.device) if self.args.device.type == "cuda" else ""
        self._peak = flops.peak_of(name)

    def _dataset(self) -> Any:
        """What the class behind is given to read."""
        return self._passes

    @property
    def steps(self) -> int | None:
        """How many steps the run has; None where the clock ends it."""
        pace = self._course.pace
        return pace.steps if isinstance(pace, BySteps) else None

    @property
    def is_interrupted(self) -> bool:
        """Whether it stopped because it was asked to."""
        return self._course.flow.is_interrupted

    @contextmanager
    def equipped(self) -> Iterator[None]:
        """What takes part in training alone is in place for the time inside; nothing, unless a class has some."""
        yield

    def create_accelerator_and_postprocess(self) -> None:
        super().create_accelerator_and_postprocess()
        if self.is_fsdp_enabled:
            parallel.keep_sums_exact(self.accelerator.state.fsdp_plugin)

    def create_optimizer(self, model: Any = None) -> torch.optim.Optimizer:
        wanted = self._course.recipe.optimizer
        if self.optimizer is None and wanted.name == "muon":
            from training.optimizer import MuonWithAdamW

            found: Any = self.model
            self.optimizer = MuonWithAdamW(
                found,
                lr=wanted.learning_rate,
                weight_decay=wanted.weight_decay,
                betas=(wanted.beta1, wanted.beta2),
                epsilon=wanted.epsilon,
            )
        return super().create_optimizer(model)

    def create_scheduler(
        self, num_training_steps: int, optimizer: torch.optim.Optimizer | None = None
    ) -> LambdaLR:
        if self.lr_scheduler is None:
            course, found = self._course, optimizer or self.optimizer
            assert found is not None  # noqa: S101  # it is made before its schedule
            rate = schedule.learning_rate(course.pace, course.recipe.schedule)
            self.lr_scheduler = LambdaLR(found, rate)
            self._created_lr_scheduler = True
        return self.lr_scheduler

    def _get_grad_norm(self, model: Any, grad_norm: Any = None) -> float:
        """Called before each step of the optimizer: where a run stops that has gone wrong."""
        norm = guard.number_of(super()._get_grad_norm(model, grad_norm))
        batch = self._course.recipe.batch
        rows = batch.rows * batch.accumulation * self.accelerator.num_processes
        step = self.state.global_step
        losses = self._step_losses
        self._step_losses = []
        guard.check(norm, step=step + 1, first_row=step * rows, rows=rows, losses=losses)
        self._course.alive()
        return norm

    # ---- what is written of it

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        window = self._window(logs) if "loss" in logs else None
        if window is not None:
            line = self._line(logs, window)
            logs["loss"] = line["loss"]
            logs.update({f"loss/{name}": value for name, value in line["loss_by_source"].items()})
            logs.update({"tokens_per_s": line["tokens_per_s"], "memory_mb": line["memory_mb"]})
            if self.state.is_world_process_zero:
                self._course.record(line)
        super().log(logs, start_time)
        del self.state.log_history[:-1]  # the lines are kept elsewhere, not in each checkpoint

    def _window(self, logs: Line) -> metrics.Window | None:
        """What is to be written of the steps since the last time; all processes call it."""
        return self._tally.take()

    def _line(self, logs: dict[str, float], window: metrics.Window) -> Line:
        before = self.progress
        self.progress = replace(
            before,
            step=self.state.global_step,
            tokens=before.tokens + sum(window.learnt),
            tokens_seen=before.tokens_seen + window.seen,
            nats=before.nats + sum(window.nats),
        )
        speed = window.seen / max(self._watch.lap(), 1e-9)
        used = flops.utilisation(
            self._cost,
            tokens_per_s=speed / self.accelerator.num_processes,
            keys=window.keys / max(window.seen, 1),
            peak=self._peak,
        )
        return {
            "step": self.state.global_step,
            "loss": round(window.loss, 6),
            "loss_by_source": window.by_source(self._course.rows.source_names),
            "learning_rate": logs["learning_rate"],
            "tokens": self.progress.tokens,
            "tokens_seen": self.progress.tokens_seen,
            "tokens_per_s": round(speed, 1),
            "mfu": None if used is None else round(used, 4),
            "gradient_norm": round(logs["grad_norm"], 6),
            "memory_mb": metrics.memory_mb(self.args.device),
        }

    # ---- checkpoints

    def _get_output_dir(self, trial: Any) -> str:
        return str(checkpoints.staged(self._course.folder))

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        """Written aside by all processes, then named by the first."""
        with self._watch:
            super()._save_checkpoint(model, trial)
            step = self.state.global_step
            seconds = self._course.start.seconds + time.monotonic() - self._began
            self.progress = replace(self.progress, step=step, seconds=round(seconds, 3))
            if self.state.is_world_process_zero:
                self._complete(checkpoints.staged(self._course.folder) / f"checkpoint-{step}")
            parallel.barrier()
            if self.state.is_world_process_zero:
                checkpoints.publish(self._course.folder, step, kept=self._course.recipe.cadence.kept)
                self._course.alive()
            parallel.barrier()

    def _complete(self, folder: Path) -> None:
        checkpoints.write_progress(folder, self.progress)
        if self.is_fsdp_enabled:  # shards alone do not say what model they are of
            self.accelerator.unwrap_model(self.model).config.save_pretrained(folder)
            self._saved_with.save_pretrained(folder)
