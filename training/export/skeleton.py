"""What a model folder holds besides weights: config, generation config, tokenizer with its template, licence texts."""

from __future__ import annotations

import copy
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training.errors import BadCheckpoint, BadRecipe
from training.parts import Sampling
from training.tokenizer import EOS, EOT

if TYPE_CHECKING:
    from transformers import GenerationConfig, PreTrainedConfig, PreTrainedTokenizerFast

CONFIG = "config.json"
_TOKENIZER = "tokenizer_config.json"
_LICENCES = ("LICENSE*", "USE_POLICY*")


def write(
    folder: Path,
    *,
    tokenizer: PreTrainedTokenizerFast,
    sampling: Sampling,
    config: PreTrainedConfig | None,
    licences: Path | None = None,
) -> None:
    """Write all but the weights.

    Parameters
    ----------
    folder
        Made where it lacks.
    tokenizer
        With the chat template that the run was trained with.
    sampling
        The recipe's.
    config
        The model's, written with the cache switched on; an adapter's folder has none.
    licences
        A folder whose licence texts go along.

    Raises
    ------
    BadRecipe
        For a tokenizer without a chat template.
    """
    if not tokenizer.chat_template:
        raise BadRecipe("the tokenizer has no chat template, so that no server could ask the model")
    folder.mkdir(parents=True, exist_ok=True)
    if config is not None:
        from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES as KINDS

        served = copy.deepcopy(config)
        served.use_cache = True
        # servers look for the class; a model made from its config, not from a folder, has not noted it down
        served.architectures = [KINDS[served.model_type]]
        served.save_pretrained(folder)
    _generation(tokenizer, sampling).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    for path in (each for pattern in _LICENCES if licences for each in sorted(licences.glob(pattern))):
        if path.is_file():
            shutil.copyfile(path, folder / path.name)


def read_config(folder: Path) -> PreTrainedConfig:
    """A folder's model config. Raises :class:`BadCheckpoint` where there is none."""
    from transformers import AutoConfig

    if not (folder / CONFIG).is_file():
        raise BadCheckpoint(
            f"{folder / CONFIG}: missing, and the weights alone do not say what model they are of"
        )
    config: PreTrainedConfig = AutoConfig.from_pretrained(folder)
    return config


def read_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    """A folder's tokenizer. Raises :class:`BadCheckpoint` where there is none."""
    from transformers import AutoTokenizer

    if not (folder / _TOKENIZER).is_file():
        raise BadCheckpoint(f"{folder / _TOKENIZER}: missing")
    found: Any = AutoTokenizer.from_pretrained(folder)
    tokenizer: PreTrainedTokenizerFast = found
    return tokenizer


def _generation(tokenizer: PreTrainedTokenizerFast, sampling: Sampling) -> GenerationConfig:
    """Sampling on, or a server would not hear the temperature; both end tokens: a document's and a turn's."""
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
