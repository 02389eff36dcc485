"""Recipes as axolotl files: keys and values of the study's own runs, for a cluster that already runs axolotl."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from training import codes
from training.config import Recipe
from training.errors import BadRecipe
from training.parts import Lora, Method, Source
from training.tokenizer import TEMPLATE

_FACTS = Path(__file__).with_name("axolotl.yaml")


def axolotl_of(recipe: Recipe) -> dict[str, Any]:
    """The axolotl configuration of one run.

    Parameters
    ----------
    recipe
        Of a backbone. Its paths stay placeholders: ``BASE/``, ``DATA/``, and ``RUNS/`` for what the run writes.

    Returns
    -------
    dict
        Keys and values as the study's own files have them (arXiv 2506.07597), adapters' keys where the recipe has any.

    Raises
    ------
    BadRecipe
        Where axolotl has no counterpart: a model from scratch, pairs of answers, another optimizer, shares of a mix, another length than epochs.
    """
    _check(recipe)
    facts, name = _facts(), _run_name(recipe.code)
    assert recipe.backbone  # noqa: S101  # _check refused the others
    return {
        "base_model": recipe.backbone.path,
        **facts["common"],
        "chat_template_jinja": TEMPLATE.read_text(),
        "datasets": [_dataset(each) for each in recipe.sources.values()],
        "test_datasets": [_dataset(each) | {"split": "train"} for each in recipe.data.evaluation.values()],
        "dataset_prepared_path": f"RUNS/{name}/dataset_cache",
        "output_dir": f"RUNS/{name}",
        "wandb_name": name,
        "sequence_len": recipe.data.row_tokens,
        **_learning(recipe),
        **_computing(recipe.method),
        "evals_per_epoch": recipe.cadence.evaluations_an_epoch,
        "saves_per_epoch": recipe.cadence.saves_an_epoch,
        "save_total_limit": recipe.cadence.kept,
        "logging_steps": recipe.cadence.steps_a_log,
        **(facts["full"] if recipe.parallel.kind == "full" else {"fsdp": None, "fsdp_config": None}),
    }


def _check(recipe: Recipe) -> None:
    for impossible, why in (
        (recipe.backbone is None, "makes a model from scratch"),
        (recipe.preferences is not None, "learns from pairs of answers"),
        (recipe.optimizer.name != "adamw", f"learns by {recipe.optimizer.name}"),
        (recipe.data.shares is not None, "mixes its sources by shares"),
        (recipe.schedule.epochs is None, "is not measured in epochs"),
        (recipe.method.attention != "flash_attention_2", f"attends by {recipe.method.attention}"),
    ):
        if impossible:
            raise BadRecipe(f"{recipe.code} cannot be written for axolotl: it {why}")


def _learning(recipe: Recipe) -> dict[str, Any]:
    optimizer, schedule = recipe.optimizer, recipe.schedule
    return {
        "gradient_accumulation_steps": recipe.batch.accumulation,
        "micro_batch_size": recipe.batch.rows,
        "num_epochs": schedule.epochs,
        "optimizer": "adamw_torch_fused",
        "adam_beta1": optimizer.beta1,
        "adam_beta2": optimizer.beta2,
        "adam_epsilon": _as_text(optimizer.epsilon),
        "learning_rate": optimizer.learning_rate,
        "cosine_min_lr_ratio": schedule.floor,
        "warmup_ratio": schedule.warmup,
        "weight_decay": optimizer.weight_decay,
        "seed": schedule.seed,
    }


def _computing(method: Method) -> dict[str, Any]:
    liger = dict.fromkeys(_facts()["liger"], True) if method.liger else {}
    return {
        "neftune_noise_alpha": method.neftune_alpha,
        "bf16": method.precision == "bf16",
        "gradient_checkpointing": method.gradient_checkpointing,
        "flash_attention": True,
        **({"plugins": ["axolotl.integrations.liger.LigerPlugin"], **liger} if liger else {}),
        **({"torch_compile": True} if method.compile else {}),
        **(_adapter(method.lora) if method.lora else {"adapter": None}),
    }


def _adapter(lora: Lora) -> dict[str, Any]:
    return {
        "adapter": "lora",
        "lora_r": lora.rank,
        "lora_alpha": lora.alpha,
        "lora_dropout": lora.dropout,
        "lora_target_modules": list(lora.matrices),
    }


def _dataset(source: Source) -> dict[str, Any]:
    kind = dict(_facts()[source.kind])
    if source.kind == "chats":
        kind["chat_template_jinja"] = TEMPLATE.read_text()
    return {"path": source.path, **kind}


def _run_name(code: str) -> str:
    """The study's own for its runs, the code for variants of ours."""
    names = _facts()["run_names"]
    return str(names.get(code) or (code if codes.parse(code).variant else names["others"].format(code=code)))


def _as_text(number: float) -> str:
    """``1e-8``: YAML reads it as a text, and so did the study's files; axolotl makes a number of it."""
    digits, _, power = f"{number:e}".partition("e")
    return f"{float(digits):g}e{int(power)}"


@cache
def _facts() -> dict[str, Any]:
    facts: dict[str, Any] = yaml.safe_load(_FACTS.read_text())
    return facts
