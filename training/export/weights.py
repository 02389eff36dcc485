"""The tensors of a checkpoint, one at a time, however it was written."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from training.errors import BadCheckpoint

if TYPE_CHECKING:
    import torch

# The layouts of accelerate's save_fsdp_model, of transformers.Trainer and of peft.
SHARDED = "pytorch_model_fsdp_0"
WHOLE = "pytorch_model_fsdp.bin"
RANK = "pytorch_model_fsdp_0_rank*.bin"
ADAPTER = "adapter_model.safetensors"
_WRAPPERS = re.compile(
    r"^module\.|_orig_mod\.|_checkpoint_wrapped_module\.|_fsdp_wrapped_module\.|(?<=\.lora_[AB])\.default"
)


@dataclass(frozen=True, slots=True)
class Stored:
    """A tensor that was not read yet."""

    shape: tuple[int, ...]
    dtype: torch.dtype


class Weights(Protocol):
    """Tensors by the model's own names; *read* returns a whole one in memory of its own or mapped."""

    @property
    def tensors(self) -> Mapping[str, Stored]: ...

    def read(self, name: str) -> torch.Tensor: ...


def plain(name: str) -> str:
    """A parameter's name without what compiling, checkpointing, sharding and peft put around modules."""
    return _WRAPPERS.sub("", name)


@dataclass(frozen=True)
class InMemory:
    """Tensors at hand: a live model's, or those of a file that torch maps."""

    state: Mapping[str, torch.Tensor]

    @cached_property
    def _named(self) -> dict[str, torch.Tensor]:
        return {plain(name): tensor for name, tensor in self.state.items()}

    @cached_property
    def tensors(self) -> Mapping[str, Stored]:
        return {name: Stored(tuple(each.shape), each.dtype) for name, each in self._named.items()}

    def read(self, name: str) -> torch.Tensor:
        return self._named[name].detach()


@dataclass(frozen=True)
class Safetensors:
    """One or more safetensors files.

    Parameters
    ----------
    files
        The file of each tensor.
    """

    files: Mapping[str, Path]

    @cached_property
    def tensors(self) -> Mapping[str, Stored]:
        import torch

        found: dict[str, Stored] = {}
        for path in sorted(set(self.files.values())):
            for name, entry in _header(path).items():
                dtype = _DTYPES.get(entry["dtype"])
                if dtype is None:
                    raise BadCheckpoint(f"{path}: {name} is of type {entry['dtype']}, which is not exported")
                found[name] = Stored(tuple(entry["shape"]), getattr(torch, dtype))
        lost = sorted(set(self.files) - set(found))
        if lost:
            raise BadCheckpoint(f"{self.files[lost[0]]}: {lost[0]} is not in this file")
        return {name: found[name] for name in self.files}

    def read(self, name: str) -> torch.Tensor:
        from safetensors import safe_open

        with safe_open(self.files[name], framework="pt") as file:
            tensor: torch.Tensor = file.get_tensor(name)
        return tensor


_DTYPES = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}


def _header(path: Path) -> dict[str, Any]:
    """A safetensors file's table of tensors; also checks that the file is as long as the table says."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt"):
            pass
        with path.open("rb") as file:
            table: dict[str, Any] = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    except (OSError, SafetensorError) as error:
        raise BadCheckpoint(f"{path}: {error}") from None
    table.pop("__metadata__", None)
    return table


def open_weights(folder: Path) -> Weights:
    """The weights of a checkpoint or model folder.

    Raises
    ------
    BadCheckpoint
        Where there are none, or a part of them is missing or cut short; names the file.
    """
    if (folder / SHARDED).is_dir():
        from training.export.sharded import Sharded

        return Sharded(folder / SHARDED)
    for name in (ADAPTER, "model.safetensors"):
        if (folder / name).is_file():
            return Safetensors(dict.fromkeys(_header(folder / name), folder / name))
    if (folder / "model.safetensors.index.json").is_file():
        return _indexed(folder / "model.safetensors.index.json")
    if (folder / WHOLE).is_file():
        return _mapped(folder / WHOLE)
    if any(folder.glob(RANK)):
        raise BadCheckpoint(
            f"{folder}: a file a rank, which only as many processes can read; save it with torch's distributed checkpoint"
        )
    raise BadCheckpoint(f"{folder}: no weights; looked for {SHARDED}, model.safetensors, {ADAPTER}, {WHOLE}")


def _indexed(index: Path) -> Safetensors:
    places = json.loads(index.read_text())["weight_map"]
    for file, name in {file: name for name, file in sorted(places.items(), reverse=True)}.items():
        if not (index.parent / file).is_file():
            raise BadCheckpoint(f"{index.parent / file}: missing; it holds {name} and others")
    return Safetensors({name: index.parent / file for name, file in places.items()})


def _mapped(path: Path) -> InMemory:
    import pickle

    import torch

    try:
        return InMemory(torch.load(path, map_location="cpu", mmap=True, weights_only=True))
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise BadCheckpoint(f"{path}: {error}") from None
