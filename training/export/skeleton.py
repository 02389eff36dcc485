"""What a model folder holds besides weights: config, generation config, tokenizer with its template, adapter config, licence texts.

A run writes it once, before its first step; sharded checkpoints hold weights alone, and an export needs no more than this beside them.
"""

from __future__ import annotations

import copy
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from training.config import Sampling
from training.errors import BadCheckpoint, BadRecipe
from training.tokenizer import EOS, EOT

if TYPE_CHECKING:
    import torch
    from peft import PeftModel
    from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerFast

NAME = "skeleton"
CONFIG, ADAPTER_CONFIG = "config.json", "adapter_config.json"
_LICENCES = ("LICENSE*", "USE_POLICY*", "NOTICE*")


def write(
    model: PreTrainedModel | PeftModel,
    tokenizer: PreTrainedTokenizerFast,
    folder: Path,
    *,
    sampling: Sampling,
    backbone: Path | None = None,
) -> None:
    """Write all but the weights.

    Parameters
    ----------
    model
        As it is trained, wrapped by peft or not; its config is copied with the cache switched on.
    tokenizer
        With the chat template that the run was trained with.
    folder
        Made where it lacks.
    sampling
        The recipe's; without ``do_sample`` a server would leave the temperature unheard.
    backbone
        Where the weights came from; its licence texts go along.

    Raises
    ------
    BadRecipe
        For a tokenizer without a chat template.
    """
    if not tokenizer.chat_template:
        raise BadRecipe("the tokenizer has no chat template, so that no server could ask the model")
    folder.mkdir(parents=True, exist_ok=True)
    adapters = getattr(model, "peft_config", None)
    if adapters is not None:
        adapters["default"].save_pretrained(folder)
    config = copy.deepcopy(model.config)
    config.use_cache = True
    config.save_pretrained(folder)
    _generation(tokenizer, sampling).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    for path in (each for glob in _LICENCES if backbone for each in sorted(backbone.glob(glob))):
        if path.is_file():
            shutil.copyfile(path, folder / path.name)


def _generation(tokenizer: PreTrainedTokenizerFast, sampling: Sampling):  # type: ignore[no-untyped-def]  # the class is imported within
    """Sampling on, and both end tokens: a document's and a turn's."""
    from transformers import GenerationConfig

    return GenerationConfig(
        do_sample=True,
        temperature=sampling.temperature or 1.0,
        top_p=sampling.top_p,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=[tokenizer.convert_tokens_to_ids(EOT), tokenizer.convert_tokens_to_ids(EOS)],
        pad_token_id=tokenizer.pad_token_id,
        use_cache=True,
    )


def copy_into(skeleton: Path, folder: Path, *, dtype: torch.dtype | None) -> None:
    """Put a skeleton into a model folder, whose config then tells the weights' type; ``None``: an adapter's folder, which has no config."""
    for path in sorted(skeleton.iterdir()):
        if path.name not in {CONFIG, ADAPTER_CONFIG}:
            shutil.copyfile(path, folder / path.name)
    if dtype is not None:
        config = read_config(skeleton)
        config.dtype = dtype
        config.save_pretrained(folder)


def read_config(folder: Path) -> PreTrainedConfig:
    """The model's config. Raises :class:`BadCheckpoint` where there is none."""
    from transformers import AutoConfig

    if not (folder / CONFIG).is_file():
        raise BadCheckpoint(f"{folder / CONFIG}: missing; the run did not start, or it is no run")
    config: PreTrainedConfig = AutoConfig.from_pretrained(folder)
    return config


def read_adapter_config(folder: Path) -> dict[str, object] | None:
    """The adapter's config, or ``None`` for a model that was trained whole."""
    path = folder / ADAPTER_CONFIG
    if not path.is_file():
        return None
    values: dict[str, object] = json.loads(path.read_text())
    return values
