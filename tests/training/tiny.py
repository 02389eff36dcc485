"""Small recipes, rows and trainers that tests put together."""

from __future__ import annotations

import functools
import itertools
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast, TrainerCallback, set_seed

from training import config
from training.arguments import training_arguments
from training.assembly import extent
from training.cadence import Flow
from training.checkpoints import Progress
from training.collator import PackedCollator
from training.config import Recipe
from training.course import Course
from training.data import corpus
from training.model import build_model
from training.schedule import BySteps, Pace
from training.tokenizer import train_tokenizer
from training.trainer import PackedTrainer

__all__ = ["TrainerCallback"]
LENGTH = 64
SHAPE = "shape={vocabulary: 300, hidden: 16, layers: 2, intermediate: 32, heads: 2, kv_heads: 1, positions: 128, initial_spread: 0.08}"


def recipe(*changes: str) -> Recipe:
    """``txiki_110`` with a model that takes a moment."""
    small = (SHAPE, f"data.row_tokens={LENGTH}", "schedule.steps=4", "cadence.steps_a_log=1")
    return config.resolved("txiki_110", [*small, *changes])


@functools.cache
def tokenizer() -> PreTrainedTokenizerFast:
    return train_tokenizer(corpus.documents()[:20], vocabulary=300)


def model(of: Recipe, seed: int = 1) -> LlamaForCausalLM:
    assert of.shape is not None
    set_seed(seed)
    return build_model(of.shape, tokenizer(), attention=of.method.attention)


@dataclass
class FakeRows:
    """Packed rows of random documents, some of them with their first half masked, shuffled anew each pass."""

    count: int = 12
    length: int = LENGTH
    source_names: tuple[str, ...] = ("prose", "chats")
    seed: int = 0
    padded: int = 3
    epoch: int = 0
    read: list[tuple[int, int]] = field(default_factory=list)

    def __len__(self) -> int:
        return self.count

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __getitem__(self, index: int) -> dict[str, list[int]]:
        self.read.append((self.epoch, index))
        rng = random.Random(f"{self.seed} {self.epoch} {index}")
        row: dict[str, list[int]] = {"input_ids": [], "labels": [], "position_ids": [], "sources": []}
        left = self.length - self.padded
        while left:
            size = min(left, rng.randint(8, 24))
            source = rng.randrange(len(self.source_names))
            ids = [rng.randrange(10, 290) for _ in range(size)]
            masked = 1 + (size // 2) * source
            row["input_ids"] += ids
            row["labels"] += [-100] * masked + ids[masked:]
            row["position_ids"] += range(size)
            row["sources"] += [source] * size
            left -= size
        for name, value in (("input_ids", 0), ("labels", -100), ("sources", -1)):
            row[name] += [value] * self.padded
        row["position_ids"] += range(self.padded)
        return row


def trainer(
    of: Recipe,
    folder: Path,
    *,
    rows: Any = None,
    of_model: Any = None,
    evaluation: dict[str, Any] | None = None,
    lines: list[dict[str, Any]] | None = None,
    pace: Pace | None = None,
    asked: Any = None,
    start: Progress | None = None,
    callbacks: Sequence[Any] = (),
    alive: Callable[[], None] = lambda: None,
) -> PackedTrainer:
    """A trainer on the CPU; lines of metrics are added to *lines*."""
    rows = rows or FakeRows()
    found = extent(of, rows)
    pace = pace or BySteps(found.steps or 0)
    flow = Flow(of.cadence, steps_an_epoch=found.steps_an_epoch, pace=pace, asked=asked or (lambda: False))
    course = Course(
        recipe=of,
        rows=rows,
        total_rows=(found.steps or 10**6) * of.batch.rows * of.batch.accumulation * of.batch.processes,
        evaluation=evaluation or {},
        pace=pace,
        flow=flow,
        folder=folder,
        record=lines.append if lines is not None else (lambda line: None),
        alive=alive,
        start=start or Progress(),
    )
    return PackedTrainer(
        of_model or model(of),
        course,
        args=training_arguments(of, folder, steps=found.steps, on_gpu=False),
        tokenizer=tokenizer(),
        collate=PackedCollator(),
        callbacks=list(callbacks),
    )


def inner(made: PackedTrainer) -> Any:
    """The model of a trainer."""
    return made.model


def fit(made: PackedTrainer, **how: Any) -> dict[str, torch.Tensor]:
    """Train; returns the weights."""
    with made.equipped():
        made.train(**how)
    return {name: value.detach().clone() for name, value in inner(made).state_dict().items()}


def asked_at(step: int) -> Callable[[], bool]:
    """Somebody who asks a run to stop after so many steps."""
    asks = itertools.count(1)
    return lambda: next(asks) == step


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    """Whether two sets of weights are equal bit for bit."""
    return one.keys() == other.keys() and all(torch.equal(value, other[name]) for name, value in one.items())
