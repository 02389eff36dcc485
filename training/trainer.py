"""The trainer of rows: packed, one normalisation of the loss, measured in bits per byte."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

from training import bits, parallel, varlen
from training.bits import Score
from training.config import Recipe
from training.course import Course, CourseTrainer
from training.data.tokenise import IGNORED
from training.errors import BadData
from training.loss import TokenLoss
from training.neftune import Neftune
from training.order import Rows

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase, TrainerCallback, TrainingArguments

Collate = Callable[[list[dict[str, list[int]]]], dict[str, torch.Tensor]]


class PackedTrainer(CourseTrainer):
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
        self._collate = collate
        self._token_loss = TokenLoss(model)
        super().__init__(
            model, course, tokenizer=tokenizer, callbacks=callbacks, args=args, data_collator=collate
        )
        self.loss_is_scaled_for_ga = True
        self._is_flat = model.config._attn_implementation in varlen.FLAT

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
        table = bits.bytes_of_tokens(self._saved_with).to(self.args.device)
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
