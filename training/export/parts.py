"""The three things that an export writes: a whole model, an adapter, an adapter merged into its backbone."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from training.config import Recipe
from training.errors import BadData
from training.export import adapter, check, shape, skeleton
from training.export.record import Point
from training.export.weights import ADAPTER, Weights, open_weights, plain

if TYPE_CHECKING:
    import torch
    from peft import PeftModel
    from transformers import PreTrainedConfig, PreTrainedModel

# Of the norm. A sum that is rounded to bfloat16 differs from two products; a wrong matrix differs by far more.
_MERGED = {"fp32": 1e-4, "bf16": 5e-2}


@dataclass(frozen=True, slots=True)
class Part:
    """What is written, and the two models whose logits must agree.

    Parameters
    ----------
    weights, names
        Read from, and which of them.
    dtype
        Written in; ``None`` leaves each tensor as it is.
    stem
        What the files are called.
    tolerance
        Of the logits' difference, over their norm.
    model_bytes
        What a model takes of memory to compare logits.
    exported, source
        Makes the model of the folder, and that of the checkpoint; no source where the backbone is not at hand.
    config
        The model's, for a folder that holds all of it.
    adapter
        The adapter's config, where the folder is an adapter's.
    backbone
        Where the backbone lies, if it is at hand.
    """

    weights: Weights
    names: list[str]
    dtype: torch.dtype | None
    stem: str
    tolerance: float
    model_bytes: int
    config: PreTrainedConfig | None
    exported: Callable[[Path], PreTrainedModel | PeftModel]
    source: Callable[[], PreTrainedModel | PeftModel] | None
    adapter: Mapping[str, object] | None = None
    backbone: Path | None = None

    @property
    def parameters(self) -> int:
        return _parameters(self.weights, self.names)


def whole_model(point: Point, weights: Weights, place: Path | None) -> Part:
    """All of a model that was trained whole. Raises :class:`~training.errors.BadCheckpoint` where the tensors are not the model's."""
    config, dtype = skeleton.read_config(point.folder), _dtype(point)
    needed = shape.shape_of(config)
    shape.check(needed, weights)
    config.dtype = dtype
    names = list(needed.sizes)
    return Part(
        weights=weights,
        names=names,
        dtype=dtype,
        stem="model",
        tolerance=0.0,
        model_bytes=_parameters(weights, names) * dtype.itemsize,
        config=config,
        source=lambda: check.fill(config, weights, needed.tied),
        exported=lambda folder: _loaded(folder, dtype),
        backbone=place,
    )


def adapter_alone(point: Point, weights: Weights, place: Path | None) -> Part:
    """The adapter's own tensors, in their own type, as peft and vLLM read them."""
    values, dtype = adapter.read_config(point.folder, point.record.recipe), _dtype(point)
    return Part(
        weights=weights,
        names=adapter.names(weights),
        dtype=None,
        stem=ADAPTER.removesuffix(".safetensors"),
        tolerance=0.0,
        model_bytes=_folder_bytes(place, dtype) if place else 0,
        config=None,
        source=(lambda: _adapted(_loaded(place, dtype), values, weights)) if place else None,
        exported=lambda folder: _with_adapter(place, dtype, folder),
        adapter=values,
        backbone=place,
    )


def merged(point: Point, weights: Weights, place: Path | None) -> Part:
    """The backbone with the adapter summed in.

    Raises
    ------
    BadData
        Where the backbone is not at hand.
    """
    recipe = point.record.recipe
    values, dtype = adapter.read_config(point.folder, recipe), _dtype(point)
    if place is None:
        raise BadData(f"merging needs {_recipe_path(recipe)}; say where it is with --base")
    config = skeleton.read_config(place)
    config.dtype = dtype
    needed = shape.shape_of(config)
    total = adapter.Merged(open_weights(place), weights, values)
    shape.check(needed, total)
    names = list(needed.sizes)
    return Part(
        weights=total,
        names=names,
        dtype=dtype,
        stem="model",
        tolerance=_MERGED[recipe.method.precision],
        model_bytes=_parameters(total, names) * dtype.itemsize,
        config=config,
        source=lambda: _adapted(_loaded(place, dtype), values, weights),
        exported=lambda folder: _loaded(folder, dtype),
        backbone=place,
    )


def backbone(point: Point, base: Path | None) -> Path | None:
    """The backbone's folder: the one given, the one that the adapter names, or the recipe's; ``None`` where none of them is here.

    Raises
    ------
    BadData
        Where one was given and is none.
    """
    if base is not None and not (base / skeleton.CONFIG).is_file():
        raise BadData(f"{base}: not a model's folder")
    recipe = point.record.recipe
    named = (
        adapter.read_config(point.folder, recipe).get("base_model_name_or_path")
        if recipe.method.lora
        else None
    )
    places = [base, *(Path(str(each)) for each in (named, _recipe_path(recipe)) if each)]
    return next((place for place in places if place and (place / skeleton.CONFIG).is_file()), None)


def _recipe_path(recipe: Recipe) -> str:
    return recipe.backbone.path if recipe.backbone else ""


def _dtype(point: Point) -> torch.dtype:
    import torch

    return {"bf16": torch.bfloat16, "fp32": torch.float32}[point.record.recipe.method.precision]


def _parameters(weights: Weights, names: list[str]) -> int:
    return sum(math.prod(weights.tensors[name].shape) for name in names)


def _folder_bytes(folder: Path, dtype: torch.dtype) -> int:
    weights = open_weights(folder)
    return _parameters(weights, list(weights.tensors)) * dtype.itemsize


def _loaded(folder: Path, dtype: torch.dtype) -> PreTrainedModel:
    from transformers import AutoModelForCausalLM

    model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype)
    return model


def _with_adapter(place: Path | None, dtype: torch.dtype, folder: Path) -> PeftModel:
    from peft import PeftModel

    assert place is not None  # noqa: S101  # asked for only where there is a source
    return PeftModel.from_pretrained(_loaded(place, dtype), folder)


def _adapted(model: PreTrainedModel, values: Mapping[str, object], weights: Weights) -> PeftModel:
    """The backbone with an adapter whose tensors are put in one by one."""
    import torch
    from peft import LoraConfig, get_peft_model

    adapted: PeftModel = get_peft_model(model, LoraConfig.from_peft_type(**values))
    with torch.no_grad():
        for name, tensor in adapted.state_dict().items():
            if ".lora_" in name:
                tensor.copy_(weights.read(plain(name)))
    return adapted
