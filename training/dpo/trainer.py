"""``DPOTrainer`` where our pairs, schedule and metrics differ from its own. Imports TRL: only :mod:`training.dpo.stage` imports this."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.optim.lr_scheduler import LambdaLR
from transformers import PrinterCallback
from trl.trainer.dpo_trainer import DPOTrainer

Line = dict[str, Any]
_REWARDS = {"margin": "rewards/margins", "accuracy": "rewards/accuracies"}


class PairTrainer(DPOTrainer):
    """Takes pairs as they are, writes lines as all our runs do, and no model card: exports write it.

    Parameters
    ----------
    rate, record, seen_before
        As :func:`training.dpo.stage.trainer` says.
    """

    def __init__(
        self,
        *,
        rate: Callable[[int], float] | None,
        record: Callable[[Line], None] | None,
        seen_before: int,
        **others: Any,
    ) -> None:
        self._rate, self._record, self._seen_before = rate, record, seen_before
        super().__init__(**others)
        self.remove_callback(PrinterCallback)

    def _prepare_dataset(self, dataset: Any, *_: Any, **__: Any) -> Any:
        """They are tokens already, the same that supervised runs learn."""
        return dataset

    def create_model_card(self, *_: Any, **__: Any) -> None:
        pass

    def create_scheduler(
        self, num_training_steps: int, optimizer: torch.optim.Optimizer | None = None
    ) -> Any:
        if self._rate is None or self.lr_scheduler is not None:
            return super().create_scheduler(num_training_steps, optimizer)
        found = optimizer or self.optimizer
        assert found is not None  # noqa: S101  # it is made before its schedule
        self.lr_scheduler = LambdaLR(found, self._rate)
        self._created_lr_scheduler = True
        return self.lr_scheduler

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        super().log(logs, start_time)  # adds the rewards
        if self._record is None or "loss" not in logs or not self.state.is_world_process_zero:
            return
        self._record(
            {
                "step": self.state.global_step,
                "loss": logs["loss"],
                "learning_rate": logs["learning_rate"],
                "gradient_norm": logs["grad_norm"],
                "tokens_seen": self._seen_before + int(self._total_train_tokens),
                "rewards": {name: logs[key] for name, key in _REWARDS.items()},
            }
        )
