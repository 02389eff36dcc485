"""Tensors into safetensors files, one shard in memory at a time."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from training.export.weights import Stored, Weights

if TYPE_CHECKING:
    import torch

SHARD_BYTES = 5_000_000_000


def write(
    weights: Weights,
    names: Sequence[str],
    folder: Path,
    *,
    dtype: torch.dtype | None,
    stem: str = "model",
    shard_bytes: int = SHARD_BYTES,
) -> dict[str, str]:
    """Write the named tensors; returns the SHA-256 of each one's bytes as they were handed to the file.

    Parameters
    ----------
    weights
        Read a tensor at a time.
    names
        Which of them.
    folder
        Gets ``model.safetensors``, or ``model-00001-of-00030.safetensors`` and so on with ``model.safetensors.index.json``.
    dtype
        To convert to; ``None`` leaves each as it is.
    stem
        What the files are called.
    shard_bytes
        The most that a file holds, one larger tensor apart: what this needs of memory, besides the largest tensor.
    """
    from huggingface_hub import split_state_dict_into_shards_factory
    from safetensors.torch import save_file

    plan = split_state_dict_into_shards_factory(
        {name: weights.tensors[name] for name in names},
        get_storage_size=lambda stored: _bytes(stored, dtype),
        filename_pattern=stem + "{suffix}.safetensors",
        max_shard_size=shard_bytes,
    )
    hashes: dict[str, str] = {}
    with tqdm(
        total=len(names), desc="export", unit="tensor", file=sys.stderr, mininterval=_every(), delay=2
    ) as bar:
        for file, inside in plan.filename_to_tensors.items():
            shard: dict[str, torch.Tensor] = {}
            for name in inside:
                tensor = weights.read(name)
                shard[name] = tensor.to(dtype or tensor.dtype).contiguous()
                hashes[name] = digest(shard[name])
                bar.update()
            save_file(shard, folder / file, metadata={"format": "pt"})
    if plan.is_sharded:
        _write_index(folder / f"{stem}.safetensors.index.json", plan.tensor_to_filename, plan.metadata)
    return hashes


def digest(tensor: torch.Tensor) -> str:
    """SHA-256 of a contiguous tensor's bytes."""
    import torch

    return hashlib.sha256(tensor.flatten().view(torch.uint8).numpy()).hexdigest()  # type: ignore[arg-type]  # an array is a buffer, told so from Python 3.12


def _every() -> float:
    """Seconds between two states of the bar: a log file wants fewer than a terminal."""
    return 0.5 if sys.stderr.isatty() else 15.0


def _bytes(stored: Stored, dtype: torch.dtype | None) -> int:
    items = 1
    for size in stored.shape:
        items *= size
    return items * (dtype or stored.dtype).itemsize


def _write_index(path: Path, places: Mapping[str, str], metadata: Mapping[str, object]) -> None:
    index = {"metadata": dict(metadata), "weight_map": dict(sorted(places.items()))}
    path.write_text(json.dumps(index, indent=2) + "\n")
