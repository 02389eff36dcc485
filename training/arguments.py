"""A recipe in the words of ``transformers.TrainingArguments``."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training import parallel
from training.config import Recipe
from training.errors import BadRecipe

if TYPE_CHECKING:
    from transformers import TrainingArguments

ENDLESS = 10**9
"""Steps of a run that the clock ends."""
REPORTERS = ("tensorboard", "wandb")


def training_arguments(
    recipe: Recipe, folder: Path, *, steps: int | None, on_gpu: bool, report_to: Sequence[str] = ()
) -> TrainingArguments:
    """The arguments of a run.

    Parameters
    ----------
    folder
        Where checkpoints go.
    steps
        How many; None where the clock says when to end.
    on_gpu
        Whether a GPU computes.
    report_to
        Of ``tensorboard`` and ``wandb``, which only take part when asked and installed.

    Raises
    ------
    BadRecipe
        For a reporter that is unknown or not installed.

    Notes
    -----
    Logging, evaluating and saving are :class:`training.cadence.Flow`'s, rows come in the order of :class:`training.order.Passes`, the schedule is
    :mod:`training.schedule`'s and a loss that is no number stops the run, so the trainer's own ways of these are off.
    """
    from transformers import TrainingArguments

    method, optimizer = recipe.method, recipe.optimizer
    return TrainingArguments(
        output_dir=str(folder),
        max_steps=steps or ENDLESS,
        per_device_train_batch_size=recipe.batch.rows,
        per_device_eval_batch_size=recipe.batch.rows,
        gradient_accumulation_steps=recipe.batch.accumulation,
        average_tokens_across_devices=True,
        learning_rate=optimizer.learning_rate,
        optim="adamw_torch_fused",
        adam_beta1=optimizer.beta1,
        adam_beta2=optimizer.beta2,
        adam_epsilon=optimizer.epsilon,
        weight_decay=optimizer.weight_decay,
        max_grad_norm=optimizer.clip,
        seed=recipe.schedule.seed,
        bf16=method.precision == "bf16",
        torch_compile=method.compile,
        use_liger_kernel=uses_liger(recipe, on_gpu=on_gpu),
        # the loss is ours, which tells sources apart: Liger's would not
        liger_kernel_config={"cross_entropy": False, "fused_linear_cross_entropy": False},
        use_cpu=not on_gpu,
        train_sampling_strategy="sequential",
        remove_unused_columns=False,
        dataloader_pin_memory=on_gpu,
        eval_strategy="no",
        save_strategy="no",
        logging_strategy="no",
        logging_nan_inf_filter=False,
        report_to=_reporters(report_to),
        disable_tqdm=True,
        **_checkpointing(recipe),
        **parallel.arguments(recipe),
    )


def uses_liger(recipe: Recipe, *, on_gpu: bool) -> bool:
    """Whether Liger's kernels take part: asked for, on a GPU, and the package there."""
    return recipe.method.liger and on_gpu and importlib.util.find_spec("liger_kernel") is not None


def _checkpointing(recipe: Recipe) -> dict[str, Any]:
    """Gradient checkpointing where weights are whole; FSDP has its own, which gathers weights once less."""
    if not recipe.method.gradient_checkpointing or recipe.parallel.kind != "ddp":
        return {}
    return {
        "activation_checkpointing": True,
        "activation_checkpointing_kwargs": {"use_reentrant": False},
    }


def _reporters(names: Sequence[str]) -> list[str]:
    for name in names:
        if name not in REPORTERS:
            raise BadRecipe(f"no reporter is called {name!r}; there are {', '.join(REPORTERS)}")
        if importlib.util.find_spec(name) is None:
            raise BadRecipe(f"{name} is not installed: it is the extra lehia[{name}]")
    return list(names)
