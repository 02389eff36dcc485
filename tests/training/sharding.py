"""Sharded training on a CPU, for tests alone: accelerate shards where it believes to be on GPUs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch


@contextmanager
def as_on_gpus() -> Iterator[None]:
    """FSDP2 over gloo: accelerate, which would hold weights whole on a CPU, is told that its processes have GPUs.

    What is tested so is all but the device: torch's ``fully_shard``, accelerate's wrapping, mixed precision and loading, sharded checkpoints.
    """
    from accelerate import PartialState
    from accelerate.state import AcceleratorState
    from accelerate.utils import DistributedType

    patch = pytest.MonkeyPatch()
    plain = PartialState.__init__

    def told(self: Any, *args: Any, **kwargs: Any) -> None:
        plain(self, *args, **kwargs)
        self._shared_state["distributed_type"] = DistributedType.MULTI_GPU

    patch.setattr(PartialState, "__init__", told)
    patch.setenv("ACCELERATE_USE_FSDP", "true")  # accelerate sets it, and would leave it
    AcceleratorState._reset_state()
    try:
        yield
    finally:
        patch.undo()
        AcceleratorState._reset_state(reset_partial_state=True)


def gathered(weights: dict[str, Any]) -> dict[str, torch.Tensor]:
    """Whole weights of sharded ones; all processes call it."""
    return {name: each.full_tensor() for name, each in weights.items()}
