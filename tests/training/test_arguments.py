"""A recipe in the words of the trainer."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from tests.training import tiny
from training import config
from training.arguments import ENDLESS, training_arguments, uses_liger
from training.errors import BadRecipe


def made(tmp_path: Path, *changes: str, steps: int | None = 7, **how: Any) -> Any:
    recipe = config.resolved("exp_2_110_lora", ["method.attention=sdpa", *changes])
    return training_arguments(recipe, tmp_path, steps=steps, on_gpu=False, **how)


def test_the_recipes_values_arrive(tmp_path: Path) -> None:
    args = made(tmp_path)
    assert (args.per_device_train_batch_size, args.gradient_accumulation_steps) == (2, 8)
    assert (args.learning_rate, args.weight_decay, args.max_grad_norm) == (1e-4, 0.1, 1.0)
    assert (args.adam_beta1, args.adam_beta2, args.adam_epsilon) == (0.9, 0.95, 1e-8)
    assert args.optim == "adamw_torch_fused"
    assert (args.max_steps, args.seed, args.bf16) == (7, 33, True)
    assert args.activation_checkpointing
    assert args.activation_checkpointing_kwargs == {"use_reentrant": False}


def test_the_trainers_own_ways_are_off(tmp_path: Path) -> None:
    args = made(tmp_path)
    assert {args.eval_strategy, args.save_strategy, args.logging_strategy} == {"no"}
    assert not args.logging_nan_inf_filter
    assert not args.remove_unused_columns
    assert args.train_sampling_strategy == "sequential"
    assert args.report_to == []
    assert args.neftune_noise_alpha is None  # ours knows documents
    assert args.average_tokens_across_devices


def test_the_clock_ends_a_run_that_has_no_steps(tmp_path: Path) -> None:
    assert made(tmp_path, steps=None).max_steps == ENDLESS


def test_options_of_how_a_step_is_computed(tmp_path: Path) -> None:
    assert made(tmp_path, "method.compile=true").torch_compile
    assert not made(tmp_path).torch_compile
    plain = made(tmp_path, "method.gradient_checkpointing=false", "method.precision=fp32")
    assert not plain.activation_checkpointing
    assert not plain.bf16


def test_liger_takes_part_on_a_gpu_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = config.load("exp_0_110")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    assert uses_liger(recipe, on_gpu=True)
    assert not uses_liger(recipe, on_gpu=False)
    assert not uses_liger(tiny.recipe(), on_gpu=True)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert not uses_liger(recipe, on_gpu=True)


def test_ligers_own_loss_stays_out(tmp_path: Path) -> None:
    off = made(tmp_path).liger_kernel_config
    assert off == {"cross_entropy": False, "fused_linear_cross_entropy": False}


def test_a_reporter_takes_part_only_when_asked_and_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert made(tmp_path, report_to=["tensorboard"]).report_to == ["tensorboard"]
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(BadRecipe, match=r"wandb is not installed: .*lehia\[wandb\]"):
        made(tmp_path, report_to=["wandb"])
    with pytest.raises(BadRecipe, match="no reporter is called 'mlflow'; there are tensorboard, wandb"):
        made(tmp_path, report_to=["mlflow"])
