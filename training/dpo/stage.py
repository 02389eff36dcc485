"""What a preference run has of its own: the pairs it reads, what it refuses, and TRL's ``DPOTrainer`` behind our course."""

from __future__ import annotations

import copy
import dataclasses
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from training.config import Recipe
from training.data.rows import BadRows
from training.dpo.pairs import PairRows, read_pairs
from training.errors import BadRecipe, MissingExtra
from training.parts import Preferences
from training.paths import Roots, resolve

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel, PreTrainedTokenizerFast, TrainerCallback, TrainingArguments

    from training.course import Course, CourseTrainer

log = logging.getLogger("training")
_ATTENTION = ("eager", "sdpa", "flash_attention_2")


def check(recipe: Recipe) -> None:
    """Refuse what a preference run would not do as the recipe says; before anything is loaded.

    Raises
    ------
    BadRecipe
        For a recipe without preferences, and for shares, noise, evaluation sets, fused kernels, compiling, and more than one process.
    MissingExtra
        Where TRL is not installed.
    """
    method = recipe.method
    for impossible, why in (
        (recipe.preferences is None, "names no preferences to learn from"),
        (recipe.data.shares is not None, "mixes sources by shares; data.shares=null"),
        (
            recipe.cadence.evaluations_an_epoch is not None,
            "is measured on rows; cadence.evaluations_an_epoch=null",
        ),
        (method.neftune_alpha is not None, "adds noise; method.neftune_alpha=null"),
        (method.liger, "asks for Liger's kernels; method.liger=false"),
        (method.compile, "compiles the model; method.compile=false"),
        (method.attention not in _ATTENTION, f"attends by {method.attention}, made for packed rows"),
        (recipe.parallel.kind != "ddp", f"shards weights ({recipe.parallel.kind})"),
        (recipe.batch.processes > 1, "is of several processes; batch.processes=1"),
    ):
        if impossible:
            raise BadRecipe(f"{recipe.code} cannot be learnt from pairs: it {why}")
    check_extra()


def check_extra() -> None:
    """Raise :class:`MissingExtra` where TRL is not installed."""
    try:
        import datasets  # noqa: F401
        import trl  # noqa: F401
    except ImportError as error:
        raise MissingExtra(
            f"learning from preferences takes the extra lehia[dpo], and {error.name} is not installed"
        ) from None


def rows(recipe: Recipe, tokenizer: PreTrainedTokenizerFast, roots: Roots) -> PairRows:
    """The pairs that a recipe learns from. Raises :class:`~training.errors.BadData` where there are none."""
    bad, path = BadRows(), resolve(_wanted(recipe).path, roots)
    found = read_pairs([path], tokenizer, longest=recipe.data.row_tokens, bad=bad)
    report = bad.report()
    if report["rows"]:
        log.warning("%s: %d rows could not be used: %s", path, report["rows"], report["reasons"])
    return PairRows(found, seed=recipe.schedule.seed)


def trainer(
    course: Course,
    model: PreTrainedModel | PeftModel,
    tokenizer: PreTrainedTokenizerFast,
    args: TrainingArguments,
    *,
    callbacks: Sequence[TrainerCallback] = (),
) -> CourseTrainer:
    """The trainer of a preference run.

    Parameters
    ----------
    course
        Its rows are :class:`~training.dpo.pairs.PairRows`.
    model
        The backbone, or the backbone behind fresh adapters; what it is now is what the run is held to.
    args
        As for a run on rows; ``per_device_train_batch_size`` counts pairs.
    callbacks
        Such as the progress bar.

    Raises
    ------
    BadRecipe, MissingExtra
        As :func:`check` does.
    """
    check(course.recipe)
    from training.dpo.trainer import PairTrainer

    base, adapter = _bare(model)
    base.config.use_cache = False
    return PairTrainer(
        base,
        course,
        tokenizer=tokenizer,
        callbacks=[*callbacks],
        # adapters are switched off to ask the model that the run started from; whole weights need a copy
        ref_model=None if adapter else copy.deepcopy(base),
        args=_dpo_arguments(course.recipe, args),
        peft_config=adapter,
    )


def _wanted(recipe: Recipe) -> Preferences:
    if recipe.preferences is None:
        raise BadRecipe(f"{recipe.code} cannot be learnt from pairs: it names no preferences to learn from")
    return recipe.preferences


def _bare(model: Any) -> tuple[Any, Any]:
    """The model without its fresh adapters, and their config: TRL puts them on itself, and then keeps no copy of them."""
    adapters = getattr(model, "peft_config", None)
    return (model, None) if adapters is None else (model.unload(), adapters["default"])


def _dpo_arguments(recipe: Recipe, args: TrainingArguments) -> Any:
    from trl.trainer.dpo_config import DPOConfig

    wanted = _wanted(recipe)
    shared = {each.name: getattr(args, each.name) for each in dataclasses.fields(args) if each.init}
    return DPOConfig(
        **shared,
        beta=wanted.beta,
        loss_type=[wanted.loss],
        label_smoothing=wanted.label_smoothing,
        max_length=recipe.data.row_tokens,
        disable_dropout=True,
    )
