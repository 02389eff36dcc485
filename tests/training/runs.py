"""Run folders as training leaves them, small."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from peft import PeftModel
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from training import config
from training.config import Recipe
from training.export import skeleton, stream
from training.export.weights import InMemory
from training.model import build_model
from training.tokenizer import train_tokenizer


def tiny_tokenizer() -> PreTrainedTokenizerFast:
    return train_tokenizer(["user\n\nKaixo, zer moduz?", "assistant\n\nOndo, eta zu?"] * 3, vocabulary=300)


def tiny_model() -> PreTrainedModel:
    """One that was never trained, of the embedded candidates' kind."""
    shape = config.load("txiki_110").shape
    assert shape is not None
    return build_model(shape.model_copy(update={"vocabulary": 300, "hidden": 32}), tiny_tokenizer())


def save_model(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    """A backbone's folder, through the skeleton and the writer of exports."""
    sampling = config.load("txiki_110").sampling
    skeleton.write(folder, tokenizer=tokenizer, sampling=sampling, config=model.config)
    tied = set(getattr(model, "all_tied_weights_keys", {}))
    state = {name: tensor for name, tensor in model.state_dict().items() if name not in tied}
    stream.write(InMemory(state), list(state), folder, dtype=None)


def saved_by_trainer(model: PreTrainedModel) -> Callable[[Path], None]:
    """Fills a checkpoint as one process leaves it."""

    def fill(folder: Path) -> None:
        model.save_pretrained(folder)
        (folder / "trainer_state.json").write_text("{}")

    return fill


def recipe(code: str, **changes: Any) -> Recipe:
    """A recipe with some of its values changed: sections by name, each a mapping."""
    values = config.load(code).model_dump(mode="json")
    for section, change in changes.items():
        values[section] = {**(values[section] or {}), **change} if isinstance(change, dict) else change
    return Recipe.model_validate(values)


def copied(source: Path) -> Callable[[Path], None]:
    """Fills a checkpoint with what lies in a folder."""

    def fill(folder: Path) -> None:
        shutil.copytree(source, folder)

    return fill


def make_run(
    folder: Path,
    made_of: Recipe,
    model: PreTrainedModel | PeftModel,
    checkpoints: dict[int, Callable[[Path], None]],
    tokenizer: PreTrainedTokenizerFast | None = None,
) -> Path:
    """A run folder whose checkpoints are filled by the given functions."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "recipe.yaml").write_text(yaml.safe_dump(made_of.model_dump(mode="json"), sort_keys=False))
    run = {
        "schema": "lehia.run/1",
        "name": folder.name,
        "recipe": made_of.code,
        "started_at": "2026-11-23T10:00:00+00:00",
        "code_version": "0.1.0+abc",
        "device": "cpu",
        "processes": 2,
        "tokens_seen": 99,
    }
    (folder / "run.json").write_text(json.dumps(run))
    lines = [
        {"step": 1, "time": "2026-11-23T10:00:05+00:00", "loss": 3.0, "tokens_seen": 10, "memory_mb": 200},
        {"step": 1, "evaluation": {"aya": {"loss": 2.5, "bits_per_byte": 1.25}}},
        {"step": 2, "time": "2026-11-23T10:00:09+00:00", "loss": 2.0, "tokens_seen": 20, "memory_mb": 300},
        {"step": 2, "evaluation": {"aya": {"loss": 2.25, "bits_per_byte": 1.125}}},
    ]
    half = '{"step": 3, "loss'
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines) + half)
    (folder / "data.json").write_text(json.dumps({"prose": {"rows": 12, "tokens": 3456}}))
    for number, fill in checkpoints.items():
        checkpoint = folder / "checkpoints" / f"checkpoint-{number}"
        fill(checkpoint)
        model.config.save_pretrained(checkpoint)
        (tokenizer or tiny_tokenizer()).save_pretrained(checkpoint)
    return folder
