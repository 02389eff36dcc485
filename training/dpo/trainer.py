"""``DPOTrainer`` on a course of ours. Imports TRL: only :mod:`training.dpo.stage` imports this."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from datasets import Dataset
from trl.trainer.dpo_trainer import DPOTrainer

from training.course import CourseTrainer, Line
from training.metrics import Window

_REWARDS = {"margin": "rewards/margins", "accuracy": "rewards/accuracies"}


class PairTrainer(CourseTrainer, DPOTrainer):
    """The loss and its two models are TRL's; order, schedule, guard, metrics and checkpoints those of all our runs."""

    def _dataset(self) -> Dataset:
        """TRL looks at one row of its own kind of set before it asks for the prepared one."""
        return Dataset.from_list([self._passes[0]])

    def _prepare_dataset(self, dataset: Any, *_: Any, **__: Any) -> Any:
        """The whole run's pairs, which are tokens already, the same that supervised runs learn."""
        return self._passes

    def create_model_card(self, *_: Any, **__: Any) -> None:
        """None: exports write it."""

    def _send_telemetry(self) -> None:
        """Nothing: runs call nobody."""

    def compute_loss(self, model: Any, inputs: dict[str, torch.Tensor], *others: Any, **more: Any) -> Any:
        """The mean over the batch's pairs, in nats."""
        loss = super().compute_loss(model, inputs, *others, **more)
        self._step_losses.append(loss.detach())
        seen, answers = inputs["attention_mask"], inputs["completion_mask"]
        learnt = answers.sum()[None].to(loss)
        self._tally.add(torch.zeros_like(learnt), learnt, seen - 1, seen.cumsum(1) - 1)
        return loss

    def _window(self, logs: Line) -> Window | None:
        """Tokens are counted here; the loss is the mean over pairs, which the trainer itself takes over steps and processes."""
        window = super()._window(logs)
        return window and replace(window, nats=(logs["loss"] * sum(window.learnt),))

    def _line(self, logs: dict[str, float], window: Window) -> Line:
        """Without MFU: its formula knows one model, and here two compute. With rewards: their margin in nats times beta, and the share in the right order."""
        found = {name: self._metrics["train"][key] for name, key in _REWARDS.items()}
        rewards = {name: sum(each) / len(each) for name, each in found.items()}
        return super()._line(logs, window) | {"mfu": None, "rewards": rewards}
