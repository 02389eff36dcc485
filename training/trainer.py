"""Our trainer: ``transformers.Trainer`` with packed rows, one normalisation of the loss, and whole checkpoints."""

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

from training import bits, checkpoints, flops, guard, metrics, parallel, schedule, varlen
from training.bits import Score
from training.cadence import Flow
from training.checkpoints import Progress
from training.config import Recipe
from training.data.tokenise import IGNORED
from training.errors import BadData
from training.loss import TokenLoss
from training.neftune import Neftune
from training.order import Passes, Rows
from training.schedule import BySteps, Pace

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase, TrainerCallback, TrainingArguments

Line = dict[str, Any]
Collate = Callable[[list[dict[str, list[int]]]], dict[str, torch.Tensor]]


@dataclass(frozen=True)
class Course:
    """What a run is given.

    Parameters
    ----------
    recipe
        Of the run.
    rows
        Packed rows of a pass over the data.
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


class PackedTrainer(Trainer):
    """Trains a causal model on packed rows.

    A step's loss is the sum of its learnt tokens' losses over all accumulated batches and processes, divided by how many these are: one batch of eight
    rows and four of two give the same gradient, whatever is masked in them.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        course: Course,
        *,
        args: TrainingArguments,
        tokenizer: PreTrainedTokenizerBase,
        collate: Collate,
        callbacks: list[TrainerCallback],
    ) -> None:
        self._course, self._collate = course, collate
        self._cost = flops.cost_of(model)
        self._token_loss = TokenLoss(model)
        self.progress = course.start
        self._began = time.monotonic()
        super().__init__(
            model=model,
            args=args,
            train_dataset=Passes(course.rows, course.total_rows),
            data_collator=collate,
            processing_class=tokenizer,
            callbacks=[course.flow, *callbacks],
        )
        self.remove_callback(PrinterCallback)
        self.loss_is_scaled_for_ga = True
        self._tally = metrics.Tally(len(course.rows.source_names), parallel.summed)
        self._watch = metrics.Stopwatch()
        self._step_losses: list[torch.Tensor] = []
        self._tokenizer = tokenizer
        name = torch.cuda.get_device_name(args.device) if args.device.type == "cuda" else ""
        self._peak = flops.peak_of(name)
        self._is_flat = model.config._attn_implementation in varlen.FLAT

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
        """Our head and loss, and the recipe's noise, in place for the time inside."""
        noise = _noise(self._course.recipe)
        self._token_loss.attach()
        if noise:
            noise.attach(self.model)
        try:
            yield
        finally:
            self._token_loss.detach()
            if noise:
                noise.detach()

    def create_accelerator_and_postprocess(self) -> None:
        super().create_accelerator_and_postprocess()
        if self.is_fsdp_enabled:
            parallel.keep_sums_exact(self.accelerator.state.fsdp_plugin)

    # ---- what a step is

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

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, torch.Tensor],
        return_outputs: bool = False,  # the library's signature
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:
        """The batch's part of the step's loss; times the number of processes, since their gradients are averaged."""
        loss, sources, positions = self._summed_losses(model, inputs)
        self._step_losses.append(loss.detach())
        nats, learnt = self._token_loss.by_source(sources, len(self._course.rows.source_names))
        self._tally.add(nats, learnt, sources, positions)
        count = torch.as_tensor(num_items_in_batch, device=loss.device).clamp(min=1)
        return loss / count * self.accelerator.num_processes

    def _summed_losses(
        self, model: Any, inputs: dict[str, torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        batch = packed(inputs, flat=self._is_flat)
        sources = batch.pop("sources")
        return model(**batch, use_cache=False).loss, sources, batch["position_ids"]

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
        window = self._tally.take() if "loss" in logs else None
        if window is not None:
            line = self._line(logs, window)
            logs["loss"] = line["loss"]
            logs.update({f"loss/{name}": value for name, value in line["loss_by_source"].items()})
            logs.update({"tokens_per_s": line["tokens_per_s"], "memory_mb": line["memory_mb"]})
            if self.state.is_world_process_zero:
                self._course.record(line)
        super().log(logs, start_time)
        del self.state.log_history[:-1]  # the lines are kept elsewhere, not in each checkpoint

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

    # ---- evaluation

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Loss and bits per byte of each evaluation set; no row is left out or counted twice."""
        with self._watch:
            scores = {name: self._score(rows) for name, rows in self._course.evaluation.items()}
        found = {
            name: {"loss": each.loss, "bits_per_byte": each.bits_per_byte} for name, each in scores.items()
        }
        if self.state.is_world_process_zero:
            self._course.record({"step": self.state.global_step, "evaluation": found})
        logs = {
            f"eval_{name}_{key}": value
            for name, each in found.items()
            for key, value in each.items()
            if value is not None
        }
        self.log(dict(logs))
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, logs)
        return logs

    @torch.no_grad()
    def _score(self, rows: Rows) -> Score:
        model = self.model_wrapped
        model.eval()
        sums = torch.zeros(3, dtype=torch.float64, device=self.args.device)
        table = bits.bytes_of_tokens(self._tokenizer).to(self.args.device)
        share = bits.batches(
            rows,
            at_once=self.args.per_device_eval_batch_size,
            rank=self.args.process_index,
            ranks=self.args.world_size,
        )
        for each in share:
            inputs = self._prepare_inputs(self._collate(each))
            loss, _, _ = self._summed_losses(model, inputs)
            labels = inputs["labels"][:, 1:]
            taken = labels[labels.ne(IGNORED)]
            sums += torch.stack([loss.double(), torch.tensor(len(taken)).to(loss), table[taken].sum()])
            self._course.alive()
        model.train()
        nats, tokens, text_bytes = parallel.summed(sums).tolist()
        return Score(nats, round(tokens), round(text_bytes))

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
            self._tokenizer.save_pretrained(folder)


def _noise(recipe: Recipe) -> Neftune | None:
    method = recipe.method
    if method.neftune_alpha is None:
        return None
    length, row = method.neftune_length, recipe.data.row_tokens
    return Neftune(method.neftune_alpha, length, row=row, rows=recipe.batch.rows)


def packed(inputs: dict[str, torch.Tensor], *, flat: bool) -> dict[str, Any]:
    """A batch as the model takes it.

    Parameters
    ----------
    inputs
        ``input_ids``, ``labels``, ``position_ids`` and ``sources`` of shape ``(rows, length)``.
    flat
        All rows end to end in one, with where documents begin: flash attention keeps them apart only in batches of one row.

    Raises
    ------
    BadData
        For an attention mask: with one, transformers no longer tells documents apart by their positions, and they leak.
    """
    if "attention_mask" in inputs:
        raise BadData("a packed row with an attention mask leaks from document to document")
    if not flat:
        return dict(inputs)
    labels = inputs["labels"].masked_fill(inputs["position_ids"].eq(0), IGNORED)
    found = {name: each.reshape(1, -1) for name, each in (inputs | {"labels": labels}).items()}
    return found | varlen.boundaries(found["position_ids"])
