"""The three things that an export writes: a whole model, an adapter, an adapter merged into its backbone."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from training.errors import BadData
from training.export import adapter, check, shape, skeleton
from training.export.record import Record
from training.export.weights import ADAPTER, Weights, open_weights

if TYPE_CHECKING:
    import torch
    from peft import PeftModel
    from transformers import PreTrainedModel

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
    adapter
        The adapter's config, where the folder is an adapter's.
    """

    weights: Weights
    names: list[str]
    dtype: torch.dtype | None
    stem: str
    tolerance: float
    model_bytes: int
    exported: Callable[[Path], PreTrainedModel | PeftModel]
    source: Callable[[], PreTrainedModel | PeftModel] | None
    adapter: Mapping[str, object] | None = None

    @property
    def parameters(self) -> int:
        return _parameters(self.weights, self.names)


def whole_model(run: Record, weights: Weights) -> Part:
    """All of a model that was trained whole. Raises :class:`~training.errors.BadCheckpoint` where the tensors are not the model's."""
    config, dtype = skeleton.read_config(run.skeleton), _dtype(run)
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
        source=lambda: check.fill(config, weights, needed.tied),
        exported=lambda folder: _loaded(folder, dtype),
    )


def adapter_alone(run: Record, weights: Weights, values: Mapping[str, object], base: Path | None) -> Part:
    """The adapter's own tensors, in their own type, as peft and vLLM read them."""
    adapter.check_plain(values)
    place, dtype = backbone(values, base), _dtype(run)
    return Part(
        weights=weights,
        names=adapter.names(weights),
        dtype=None,
        stem=ADAPTER.removesuffix(".safetensors"),
        tolerance=0.0,
        model_bytes=_folder_bytes(place, dtype) if place else 0,
        source=(lambda: _adapted(_loaded(place, dtype), run.skeleton, weights)) if place else None,
        exported=lambda folder: _with_adapter(place, dtype, folder),
        adapter=values,
    )


def merged(run: Record, weights: Weights, values: Mapping[str, object], base: Path | None) -> Part:
    """The backbone with the adapter summed in.

    Raises
    ------
    BadData
        Where the backbone is not at hand.
    """
    adapter.check_plain(values)
    place, dtype = backbone(values, base), _dtype(run)
    if place is None:
        raise BadData(
            f"merging needs the backbone {values.get('base_model_name_or_path')}; say where with --base"
        )
    needed = shape.shape_of(skeleton.read_config(run.skeleton))
    total = adapter.Merged(open_weights(place), weights, values)
    shape.check(needed, total)
    names = list(needed.sizes)
    return Part(
        weights=total,
        names=names,
        dtype=dtype,
        stem="model",
        tolerance=_MERGED[run.recipe.method.precision],
        model_bytes=_parameters(total, names) * dtype.itemsize,
        source=lambda: _adapted(_loaded(place, dtype), run.skeleton, weights),
        exported=lambda folder: _loaded(folder, dtype),
    )


def backbone(values: Mapping[str, object], base: Path | None) -> Path | None:
    """The backbone's folder: the one given, or the one that the run trained on; ``None`` where neither is here.

    Raises
    ------
    BadData
        Where one was given and is none.
    """
    if base is not None and not (base / skeleton.CONFIG).is_file():
        raise BadData(f"{base}: not a model's folder")
    place = base or Path(str(values.get("base_model_name_or_path") or ""))
    return place if (place / skeleton.CONFIG).is_file() else None


def _dtype(run: Record) -> torch.dtype:
    import torch

    return {"bf16": torch.bfloat16, "fp32": torch.float32}[run.recipe.method.precision]


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


def _adapted(model: PreTrainedModel, config: Path, weights: Weights) -> PeftModel:
    """The backbone with an adapter whose tensors are put in one by one."""
    import torch
    from peft import LoraConfig, get_peft_model

    from training.export.weights import plain

    adapted: PeftModel = get_peft_model(model, LoraConfig.from_pretrained(str(config)))
    with torch.no_grad():
        for name, tensor in adapted.state_dict().items():
            if ".lora_" in name:
                tensor.copy_(weights.read(plain(name)))
    return adapted
