"""Which tensors a model needs, told by its config alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from training.errors import BadCheckpoint
from training.export.weights import Weights

if TYPE_CHECKING:
    from transformers import PreTrainedConfig


@dataclass(frozen=True, slots=True)
class Shape:
    """A model's tensors.

    Parameters
    ----------
    sizes
        The shape of each that a file must hold, in the model's order.
    tied
        Those that are another one's: name to the name that is stored.
    """

    sizes: Mapping[str, tuple[int, ...]]
    tied: Mapping[str, str]


def shape_of(config: PreTrainedConfig) -> Shape:
    """The tensors of a causal language model, without memory for them."""
    import torch
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    tied: dict[str, str] = dict(getattr(model, "all_tied_weights_keys", {}))
    sizes = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items() if name not in tied}
    return Shape(sizes, tied)


def check(shape: Shape, weights: Weights) -> None:
    """Hold a checkpoint's tensors against the model's.

    Raises
    ------
    BadCheckpoint
        For a tensor that is missing, too many, of another shape, or tied in the model but not in the checkpoint.
    """
    import torch

    found = weights.tensors
    for name, size in shape.sizes.items():
        if name not in found:
            raise BadCheckpoint(f"{name}: not in the checkpoint")
        if found[name].shape != size:
            raise BadCheckpoint(
                f"{name}: of shape {found[name].shape} in the checkpoint, {size} in the model"
            )
    more = sorted(set(found) - set(shape.sizes) - set(shape.tied))
    if more:
        raise BadCheckpoint(f"{more[0]}: in the checkpoint, but not in the model")
    for name, other in shape.tied.items():
        if name in found and not torch.equal(weights.read(name), weights.read(other)):
            raise BadCheckpoint(f"{name}: tied to {other} in the model, but another tensor in the checkpoint")
