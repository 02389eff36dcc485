"""The trainer of preference runs: TRL's ``DPOTrainer`` on our pairs, our arguments, our schedule."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from training.config import Recipe
from training.dpo.pairs import Pair
from training.errors import BadRecipe, MissingExtra

if TYPE_CHECKING:
    from datasets import Dataset
    from peft import PeftModel
    from transformers import (
        PreTrainedModel,
        PreTrainedTokenizerFast,
        Trainer,
        TrainerCallback,
        TrainingArguments,
    )

Line = dict[str, Any]


def check_extra() -> None:
    """Raise :class:`MissingExtra` where TRL is not installed; before models are loaded."""
    try:
        import datasets  # noqa: F401
        import trl  # noqa: F401
    except ImportError as error:
        raise MissingExtra(
            f"learning from preferences takes the extra lehia[dpo], and {error.name} is not installed"
        ) from None


def trainer(
    recipe: Recipe,
    model: PreTrainedModel | PeftModel,
    tokenizer: PreTrainedTokenizerFast,
    pairs: Sequence[Pair],
    args: TrainingArguments,
    *,
    callbacks: Sequence[TrainerCallback] = (),
    rate: Callable[[int], float] | None = None,
    record: Callable[[Line], None] | None = None,
    seen_before: int = 0,
) -> Trainer:
    """A trainer that is ready to ``train(resume_from_checkpoint=...)``.

    Parameters
    ----------
    recipe
        With ``preferences``.
    model
        The backbone, or the backbone behind fresh adapters; what it is now is what the run is held to.
    pairs
        What to learn from; their order is drawn from the arguments' seed.
    args
        As for a supervised run; ``per_device_train_batch_size`` counts pairs.
    callbacks
        Such as the progress bar.
    rate
        The learning rate at a step as a share of the highest; the arguments' own schedule if left out.
    record
        Takes each line of metrics, in the first process: ``step``, ``loss``, ``learning_rate``, ``gradient_norm``, ``tokens_seen`` of both answers,
        and under ``rewards`` the margin of chosen over rejected answers, in nats times beta, and the share of pairs in the right order.
    seen_before
        Tokens seen before the checkpoint that the run goes on from.

    Raises
    ------
    BadRecipe
        For a recipe without preferences.
    MissingExtra
    """
    if recipe.preferences is None:
        raise BadRecipe(f"{recipe.code}: names no preferences to learn from")
    check_extra()
    from training.dpo.trainer import PairTrainer

    base, adapter = _bare(model)
    base.config.use_cache = False
    return PairTrainer(
        model=base,
        # adapters are switched off to ask the model that the run started from; whole weights need a copy
        ref_model=None if adapter else copy.deepcopy(base),
        args=_dpo_arguments(recipe, args),
        train_dataset=dataset(pairs),
        processing_class=tokenizer,
        peft_config=adapter,
        callbacks=[*callbacks],
        rate=rate,
        record=record,
        seen_before=seen_before,
    )


def dataset(pairs: Sequence[Pair]) -> Dataset:
    """Pairs as TRL reads them once they are tokens."""
    from datasets import Dataset

    return Dataset.from_list([asdict(pair) for pair in pairs])


def _bare(model: Any) -> tuple[Any, Any]:
    """The model without its fresh adapters, and their config: TRL puts them on itself, and then keeps no copy of them."""
    adapters = getattr(model, "peft_config", None)
    return (model, None) if adapters is None else (model.unload(), adapters["default"])


def _dpo_arguments(recipe: Recipe, args: TrainingArguments) -> Any:
    from trl.trainer.dpo_config import DPOConfig

    wanted = recipe.preferences
    assert wanted is not None  # noqa: S101  # checked where the trainer is made
    shared = {each.name: getattr(args, each.name) for each in dataclasses.fields(args) if each.init}
    return DPOConfig(
        **shared,
        beta=wanted.beta,
        loss_type=[wanted.loss],
        label_smoothing=wanted.label_smoothing,
        max_length=recipe.data.row_tokens,
        disable_dropout=True,
    )
