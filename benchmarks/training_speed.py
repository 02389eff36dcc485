"""``python -m benchmarks.training_speed``: training on one CPU thread beside TRL's SFTTrainer, each in a process of its own, in turn.

Two cases: the very same rows in the very same steps, and the same documents and chats packed by each one's own default. All train the embedded candidates'
model in float32 with AdamW at a constant rate, without gradient checkpointing, on one thread. Tokens are those of documents and chats, padding left out;
the first steps are not timed.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

IDENTICAL, OWN = "identical rows", "own packing"
OURS, TRL = "lehia", "trl SFTTrainer"
GOALS = {IDENTICAL: 1.0, OWN: 1.5}
STEPS, WARM, BATCH, ROUNDS = 40, 8, 8, 3
_CHANGES = (
    "optimizer.name=adamw", f"batch.rows={BATCH}", f"schedule.steps={STEPS}", "schedule.warmup=0", "schedule.floor=1",
    "cadence.steps_a_log=10",
)  # fmt: skip
_ENV = {
    "OMP_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_OFFLINE": "1",
    "CUDA_VISIBLE_DEVICES": "",
}


@dataclass(frozen=True)
class Row:
    """One trainer on one case: medians over rounds.

    Parameters
    ----------
    ratio
        Of tokens a second to TRL's in the same case.
    """

    case: str
    who: str
    tokens_per_s: float
    peak_mb: int
    loss: float
    ratio: float
    goal: float | None


def measure(rounds: int = ROUNDS) -> list[Row]:
    """All of it; trainers take turns, so that a busy machine is busy for both."""
    found: dict[tuple[str, str], list[dict[str, float]]] = {}
    for _, case, who in itertools.product(range(rounds), GOALS, (OURS, TRL)):
        found.setdefault((case, who), []).append(_in_a_process(case, who))
    median = {
        key: {name: statistics.median(each[name] for each in rows) for name in rows[0]}
        for key, rows in found.items()
    }
    return [
        Row(
            case=case,
            who=who,
            tokens_per_s=round(each["tokens_per_s"], 1),
            peak_mb=round(each["peak_mb"]),
            loss=round(each["loss"], 4),
            ratio=round(each["tokens_per_s"] / median[case, TRL]["tokens_per_s"], 2),
            goal=GOALS[case] if who == OURS else None,
        )
        for (case, who), each in median.items()
    ]


def _in_a_process(case: str, who: str) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.training_speed", "--one", case, who]
    done = subprocess.run(command, env=os.environ | _ENV, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{who} on {case} ended with status {done.returncode}:\n{done.stderr[-3000:]}")
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


class Timed:
    """Seconds and tokens of the steps after the first few."""

    def __init__(self, collate: Callable[[list[dict[str, Any]]], dict[str, Any]]) -> None:
        self._collate, self._tokens = collate, 0
        self._ends: list[tuple[float, int]] = []

    def collate(self, rows: list[dict[str, Any]]) -> dict[str, Any]:
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
        (start, before), (end, after) = self._ends[WARM - 1], self._ends[-1]
        return (after - before) / (end - start)


def one(case: str, who: str) -> dict[str, float]:
    """One run in this process."""
    from training import config
    from training.memory import peak_mb
    from training.model import build_model, tokenizer_for
    from training.train import quiet_torch

    recipe = config.resolved("txiki_110", _CHANGES)
    quiet_torch(1)
    tokenizer = tokenizer_for(recipe, Path)
    parts = _segments(recipe, tokenizer)
    quiet_torch(1)
    assert recipe.shape is not None
    model = build_model(recipe.shape, tokenizer)
    with tempfile.TemporaryDirectory() as folder:
        job = Job(case, recipe, model, tokenizer, parts, Path(folder))
        speed, loss = (_ours if who == OURS else _trl)(job)
    return {"tokens_per_s": speed, "loss": loss, "peak_mb": peak_mb()}


def _segments(recipe: Any, tokenizer: Any) -> list[Any]:
    """Documents and chats as the recipe mixes them, those that fit a row: enough for all steps, whoever packs them."""
    from training.data import mix

    length = recipe.data.row_tokens
    stream = mix._segments(recipe, tokenizer, random.Random(1))
    found: list[Any] = []
    while sum(map(len, found)) < STEPS * BATCH * length * 1.2:
        found += [each for each in itertools.islice(stream, 200) if len(each) <= length]
    return found


class _Listed:
    source_names = ("all",)

    def __init__(self, rows: list[dict[str, list[int]]]) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> dict[str, list[int]]:
        return self._rows[index]

    def set_epoch(self, epoch: int) -> None:
        """One pass is enough."""


@dataclass(frozen=True)
class Job:
    """What a trainer is given."""

    case: str
    recipe: Any
    model: Any
    tokenizer: Any
    parts: list[Any]
    folder: Path

    def rows(self) -> list[dict[str, list[int]]]:
        """The parts packed by us. A row's rest is the padding token, which also ends documents: so ours are counted a little short."""
        from training.data.pack import pack

        length, pad = self.recipe.data.row_tokens, self.tokenizer.pad_token_id
        packed = pack(iter(self.parts), length=length, pad_id=pad)
        return [
            {
                "input_ids": row.input_ids,
                "labels": row.labels,
                "position_ids": row.position_ids,
                "sources": [-1 if each == pad else 0 for each in row.input_ids],
            }
            for row in itertools.islice(packed, STEPS * BATCH)
        ]


def _ours(job: Job) -> tuple[float, float]:
    from training.arguments import training_arguments
    from training.cadence import Flow
    from training.checkpoints import Progress
    from training.collator import PackedCollator
    from training.schedule import BySteps
    from training.trainer import Course, PackedTrainer

    timed, pace = Timed(PackedCollator()), BySteps(STEPS)
    course = Course(
        recipe=job.recipe,
        rows=_Listed(job.rows()),
        total_rows=STEPS * BATCH,
        evaluation={},
        pace=pace,
        flow=Flow(job.recipe.cadence, steps_an_epoch=STEPS, pace=pace, asked=lambda: False),
        folder=job.folder,
        record=lambda line: None,
        alive=lambda: None,
        start=Progress(),
    )
    args = training_arguments(job.recipe, job.folder, steps=STEPS, on_gpu=False)
    trainer = PackedTrainer(
        job.model,
        course,
        args=args,
        tokenizer=job.tokenizer,
        collate=timed.collate,
        callbacks=[timed.callback()],
    )
    with trainer.equipped():
        loss = trainer.train().training_loss
    return timed.tokens_per_s(), loss


def _trl(job: Job) -> tuple[float, float]:
    import datasets
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import SFTTrainer

    from training.collator import PackedCollator

    datasets.disable_progress_bars()
    recipe, wanted = job.recipe, job.recipe.optimizer
    how: dict[str, Any] = {"packing": True, "max_length": recipe.data.row_tokens}
    if job.case == IDENTICAL:
        how = {
            "max_length": None,
            "dataset_kwargs": {"skip_prepare_dataset": True},
            "train_sampling_strategy": "sequential",
        }
        rows = job.rows()
    else:
        rows = [{"input_ids": list(each.ids), "labels": [-100, *each.labels[1:]]} for each in job.parts]
    args = SFTConfig(
        output_dir=str(job.folder),
        max_steps=STEPS,
        per_device_train_batch_size=BATCH,
        learning_rate=wanted.learning_rate,
        lr_scheduler_type="constant",
        adam_beta1=wanted.beta1,
        adam_beta2=wanted.beta2,
        weight_decay=wanted.weight_decay,
        max_grad_norm=wanted.clip,
        seed=recipe.schedule.seed,
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
        model=job.model,
        args=args,
        train_dataset=datasets.Dataset.from_list(rows),
        processing_class=job.tokenizer,
        data_collator=PackedCollator() if job.case == IDENTICAL else None,
    )
    timed = Timed(trainer.data_collator)
    trainer.data_collator = lambda batch: _without_sources(timed.collate(batch))
    trainer.add_callback(timed.callback())
    loss = trainer.train().training_loss
    return timed.tokens_per_s(), loss


def _without_sources(batch: dict[str, Any]) -> dict[str, Any]:
    batch.pop("sources", None)
    return batch


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training_speed", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--one", nargs=2, metavar=("CASE", "WHO"), help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.one:
        print(json.dumps(one(*options.one)))
        return 0
    rows = measure(options.rounds)
    print(
        f"{'case':<16} {'who':<16} {'tokens/s':>9} {'ratio':>6} {'goal':>5} {'peak':>7} {'loss':>8}   (MB, nats)"
    )
    for row in rows:
        print(
            f"{row.case:<16} {row.who:<16} {row.tokens_per_s:>9.0f} {row.ratio:>6.2f} {row.goal or '':>5} {row.peak_mb:>7} {row.loss:>8.4f}"
        )
    machine = {"python": platform.python_version(), "cpus": os.cpu_count(), "machine": platform.machine()}
    print(json.dumps({"bench": "training_speed", "machine": machine, "rows": [asdict(row) for row in rows]}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
