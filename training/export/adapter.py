"""LoRA: which tensors are the adapter's, its folder as peft and vLLM read it, and its sum with the backbone."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from training.config import Recipe
from training.errors import BadCheckpoint, BadRecipe
from training.export.weights import Stored, Weights

if TYPE_CHECKING:
    import torch

_CONFIG = "adapter_config.json"
_PREFIX = "base_model.model."
_DOWN, _UP = ".lora_A.weight", ".lora_B.weight"
# what vLLM refuses and a plain sum would get wrong: each must be empty
_PLAIN = (
    "use_dora",
    "modules_to_save",
    "rank_pattern",
    "alpha_pattern",
    "fan_in_fan_out",
    "layer_replication",
)


def names(weights: Weights) -> list[str]:
    """The adapter's tensors among a checkpoint's, in its order.

    Raises
    ------
    BadCheckpoint
        Where there are none, or one of a pair is missing or of another rank.
    """
    found = [name for name in weights.tensors if name.endswith((_DOWN, _UP))]
    if not found:
        raise BadCheckpoint("the recipe trains an adapter, but the checkpoint holds none")
    for down in {name.removesuffix(_DOWN).removesuffix(_UP) for name in found}:
        pair = [weights.tensors.get(down + half) for half in (_DOWN, _UP)]
        if pair[0] is None or pair[1] is None:
            raise BadCheckpoint(f"{down}: only one half of its adapter is in the checkpoint")
        if pair[0].shape[0] != pair[1].shape[1]:
            raise BadCheckpoint(f"{down}: the halves of its adapter are of ranks {pair[0]} and {pair[1]}")
    return found


def read_config(checkpoint: Path, recipe: Recipe) -> dict[str, object]:
    """The adapter's config: peft's own beside its weights, or, where shards lie alone, made from the recipe.

    Raises
    ------
    BadCheckpoint
        For an adapter that is more than ``B @ A``; names the key.
    """
    path = checkpoint / _CONFIG
    config = json.loads(path.read_text()) if path.is_file() else _of_recipe(recipe)
    odd = [key for key in _PLAIN if config.get(key)]
    if config.get("peft_type") != "LORA" or config.get("bias", "none") != "none" or odd:
        raise BadCheckpoint(
            f"only plain LoRA is exported, not one with {', '.join(odd) or 'bias or another type'}"
        )
    return {**config}


def _of_recipe(recipe: Recipe) -> dict[str, object]:
    from peft import LoraConfig

    lora = recipe.method.lora
    if lora is None:
        raise BadRecipe(f"{recipe.code}: trains no adapter")
    config = LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,  # type: ignore[arg-type]  # it takes any number
        lora_dropout=lora.dropout,
        target_modules=list(lora.matrices),
        task_type="CAUSAL_LM",
    )
    return {key: sorted(each) if isinstance(each, set) else each for key, each in config.to_dict().items()}


def write_config(config: Mapping[str, object], folder: Path, *, backbone: str) -> None:
    """``adapter_config.json`` for use elsewhere: it names the backbone instead of this machine's folder."""
    values = {**config, "base_model_name_or_path": backbone, "inference_mode": True}
    (folder / _CONFIG).write_text(json.dumps(values, indent=2, sort_keys=True) + "\n")


@dataclass(frozen=True)
class Merged:
    """The backbone with the adapter added in, each tensor when it is read.

    Parameters
    ----------
    base, adapter
        Their weights.
    config
        The adapter's: ``r``, ``lora_alpha``, ``use_rslora``.

    Notes
    -----
    ``W + scale * B @ A`` of Hu et al. (arXiv 2106.09685), summed in float32 and returned in it; ``W`` is ``(out, in)``, ``A`` ``(r, in)``, ``B`` ``(out, r)``.
    """

    base: Weights
    adapter: Weights
    config: Mapping[str, object]

    @property
    def _scale(self) -> float:
        rank, alpha = int(str(self.config["r"])), float(str(self.config["lora_alpha"]))
        return alpha / (math.sqrt(rank) if self.config.get("use_rslora") else rank)

    @cached_property
    def _modules(self) -> dict[str, str]:
        stems = [name.removesuffix(_DOWN) for name in names(self.adapter) if name.endswith(_DOWN)]
        modules = {f"{stem.removeprefix(_PREFIX)}.weight": stem for stem in stems}
        strange = sorted(set(modules) - set(self.base.tensors))
        if strange:
            raise BadCheckpoint(f"{strange[0]}: the adapter changes it, but the backbone has no such tensor")
        return modules

    @cached_property
    def tensors(self) -> Mapping[str, Stored]:
        import torch

        return {
            name: Stored(each.shape, torch.float32) if name in self._modules else each
            for name, each in self.base.tensors.items()
        }

    def read(self, name: str) -> torch.Tensor:
        tensor, stem = self.base.read(name), self._modules.get(name)
        if stem is None:
            return tensor
        down, up = (self.adapter.read(stem + half).float() for half in (_DOWN, _UP))
        return tensor.float() + self._scale * (up @ down)
