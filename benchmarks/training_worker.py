"""One trainer on one case, in the environment that has it: figures as a line of JSON.

``python -m benchmarks.training_worker FOLDER WHO CASE``, the folder as :func:`benchmarks.training_speed.prepare` makes it. For a peer nothing of Lehia is
imported.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

IDENTICAL, OWN = "identical rows", "own packing"
Row = dict[str, list[int]]


@dataclass
class Setting:
    """What all trainers are told.

    Parameters
    ----------
    steps, warm
        Steps in all; the first, which are not timed.
    batch, length
        Rows a step; tokens a row.
    """

    steps: int
    warm: int
    batch: int
    length: int
    learning_rate: float
    weight_decay: float
    clip: float


@dataclass(frozen=True)
class Job:
    """What a trainer is given."""

    folder: Path
    case: str
    setting: Setting

    def read(self, name: str) -> list[Row]:
        found: list[Row] = json.loads((self.folder / name).read_text())
        return found

    def model(self) -> Any:
        from transformers import AutoModelForCausalLM

        return AutoModelForCausalLM.from_pretrained(self.folder / "model", attn_implementation="sdpa")

    def tokenizer(self) -> Any:
        from transformers import AutoTokenizer

        return AutoTokenizer.from_pretrained(self.folder / "model")


class Timed:
    """Seconds and tokens of the steps after the first few."""

    def __init__(self, collate: Callable[[list[Any]], dict[str, Any]], warm: int) -> None:
        self._collate, self._warm, self._tokens = collate, warm, 0
        self._ends: list[tuple[float, int]] = []

    def collate(self, rows: list[Any]) -> dict[str, Any]:
        batch = self._collate(rows)
        sources = batch.get("sources")
        self._tokens += batch["input_ids"].numel() if sources is None else int(sources.ge(0).sum())
        return batch

    def callback(self) -> Any:
        from transformers import TrainerCallback

        timed = self

        class Mark(TrainerCallback):
            def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
                timed._ends.append((time.perf_counter(), timed._tokens))

        return Mark()

    def tokens_per_s(self) -> float:
        (start, before), (end, after) = self._ends[self._warm - 1], self._ends[-1]
        return (after - before) / (end - start)


class Listed:
    """Rows in a list, as one pass."""

    source_names = ("basque", "prose")

    def __init__(self, rows: list[Row]) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> Row:
        return self._rows[index]

    def set_epoch(self, epoch: int) -> None:
        """One pass is enough."""


def ours(job: Job) -> tuple[float, float]:
    """Tokens a second, and the mean loss of the steps."""
    from training import config
    from training.arguments import training_arguments
    from training.cadence import Flow
    from training.checkpoints import Progress
    from training.collator import PackedCollator
    from training.course import Course
    from training.schedule import BySteps
    from training.train import quiet_torch
    from training.trainer import PackedTrainer

    quiet_torch(1)
    told = job.setting
    changes = (
        "optimizer.name=adamw", f"optimizer.learning_rate={told.learning_rate}", f"optimizer.weight_decay={told.weight_decay}",
        f"optimizer.clip={told.clip}", f"batch.rows={told.batch}", f"schedule.steps={told.steps}", "schedule.warmup=0",
        "schedule.floor=1", "cadence.steps_a_log=10",
    )  # fmt: skip
    recipe = config.resolved("txiki_110", changes)
    timed, pace = Timed(PackedCollator(), told.warm), BySteps(told.steps)
    course = Course(
        recipe=recipe,
        rows=Listed(job.read("rows.json")),
        total_rows=told.steps * told.batch,
        evaluation={},
        pace=pace,
        flow=Flow(recipe.cadence, steps_an_epoch=told.steps, pace=pace, asked=lambda: False),
        folder=job.folder / "ours",
        record=lambda line: None,
        alive=lambda: None,
        start=Progress(),
    )
    trainer = PackedTrainer(
        job.model(),
        course,
        args=training_arguments(recipe, job.folder / "ours", steps=told.steps, on_gpu=False),
        tokenizer=job.tokenizer(),
        collate=timed.collate,
        callbacks=[timed.callback()],
    )
    with trainer.equipped():
        loss = trainer.train().training_loss
    return timed.tokens_per_s(), loss


def trl(job: Job) -> tuple[float, float]:
    """The same by TRL, which computes in steps what it is told and packs as it does by default."""
    import datasets
    import torch
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import SFTTrainer

    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    datasets.disable_progress_bars()
    told, identical = job.setting, job.case == IDENTICAL
    how: dict[str, Any] = {"packing": True, "max_length": told.length}
    if identical:
        how = {
            "max_length": None,
            "dataset_kwargs": {"skip_prepare_dataset": True},
            "train_sampling_strategy": "sequential",
        }
    args = SFTConfig(
        output_dir=str(job.folder / "trl"),
        max_steps=told.steps,
        per_device_train_batch_size=told.batch,
        learning_rate=told.learning_rate,
        lr_scheduler_type="constant",
        adam_beta2=0.95,
        weight_decay=told.weight_decay,
        max_grad_norm=told.clip,
        use_cpu=True,
        bf16=False,
        activation_checkpointing=False,
        remove_unused_columns=False,
        dataloader_pin_memory=False,
        save_strategy="no",
        logging_steps=10,
        report_to=[],
        disable_tqdm=True,
        **how,
    )
    trainer = SFTTrainer(
        model=job.model(),
        args=args,
        train_dataset=datasets.Dataset.from_list(job.read("rows.json" if identical else "parts.json")),
        processing_class=job.tokenizer(),
        data_collator=_stacked if identical else None,
    )
    timed = Timed(trainer.data_collator, told.warm)
    trainer.data_collator = lambda rows: _without_sources(timed.collate(rows))
    trainer.add_callback(timed.callback())
    loss = trainer.train().training_loss
    return timed.tokens_per_s(), loss


def _stacked(rows: list[Row]) -> dict[str, Any]:
    import torch

    return {name: torch.tensor([row[name] for row in rows]) for name in rows[0]}


def _without_sources(batch: dict[str, Any]) -> dict[str, Any]:
    batch.pop("sources", None)
    return batch


def peak_mb() -> int:
    """The most memory that this process has held; Lehia's own reading is not at hand in a peer's environment."""
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) // 1024


def main(argv: list[str]) -> int:
    folder, who, case = Path(argv[0]), argv[1], argv[2]
    job = Job(folder, case, Setting(**json.loads((folder / "setting.json").read_text())))
    speed, loss = (ours if who == "lehia" else trl)(job)
    print(json.dumps({"tokens_per_s": speed, "loss_nats": loss, "peak_mb": peak_mb()}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
