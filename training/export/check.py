"""Is what was written what was read: every tensor's bytes, and the logits of both models where memory allows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from training.errors import ExportFailed
from training.export.stream import digest
from training.export.weights import Weights, open_weights

if TYPE_CHECKING:
    import torch
    from peft import PeftModel
    from transformers import PreTrainedConfig, PreTrainedModel

_ROWS, _LENGTH, _SEED = 2, 48, 33
_SPARE = 1.3  # of the weights' bytes: one model at a time, activations and the allocator's slack
_CGROUP = Path("/sys/fs/cgroup")


def hashes(folder: Path, expected: Mapping[str, str]) -> None:
    """Read a model folder's tensors back. Raises :class:`ExportFailed` naming those whose bytes are others than were written."""
    written = open_weights(folder)
    if set(written.tensors) != set(expected):
        odd = sorted(set(written.tensors) ^ set(expected))
        raise ExportFailed(f"{folder}: not the tensors that were to be written; {odd[0]} is lost or too many")
    wrong = [name for name, each in expected.items() if digest(written.read(name).contiguous()) != each]
    if wrong:
        raise ExportFailed(f"{folder}: other bytes than were read in {', '.join(wrong[:5])}")


def probe(model: PreTrainedModel | PeftModel, vocabulary: int) -> torch.Tensor:
    """The model's logits on a fixed batch of token ids; ``(2, 48, vocabulary)``, float32."""
    import torch

    ids = torch.randint(vocabulary, (_ROWS, _LENGTH), generator=torch.Generator().manual_seed(_SEED))
    with torch.inference_mode():
        logits: torch.Tensor = model.eval()(input_ids=ids, use_cache=False).logits
    return logits.float()


def difference(
    source: Callable[[], PreTrainedModel | PeftModel], exported: Callable[[], PreTrainedModel | PeftModel]
) -> float:
    """How far apart two models' logits are, over the norm of the first's; 0 is equal to the last bit.

    The models are made one after the other, so that one is in memory at a time.
    """
    import torch

    found: list[torch.Tensor] = []
    for make in (source, exported):
        model = make()
        found.append(probe(model, model.config.vocab_size))
        torch.nn.Module.to(model, "meta")  # frees the weights now, cycles or not
    first, second = found
    if torch.equal(first, second):
        return 0.0
    return float((first - second).norm() / first.norm()) or float("inf")


def fill(config: PreTrainedConfig, weights: Weights, tied: Mapping[str, str]) -> PreTrainedModel:
    """A model of the config's type with these weights, put in a tensor at a time: the source, apart from how exports are written and loaded."""
    import torch
    from transformers import AutoModelForCausalLM
    from transformers.initialization import no_init_weights

    with no_init_weights():
        model: PreTrainedModel = AutoModelForCausalLM.from_config(config, dtype=config.dtype)
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if name not in tied:
                tensor.copy_(weights.read(name))
    model.tie_weights()
    return model


def lack_of_memory(model_bytes: int) -> str | None:
    """Why logits cannot be compared here; ``None`` where they can."""
    needed, free = round(model_bytes * _SPARE), free_bytes()
    if needed <= free:
        return None
    return f"not compared: that takes {needed >> 20} MB of memory, {free >> 20} MB are free"


def free_bytes(cgroups: Path = _CGROUP) -> int:
    """Memory that this process may still take: the machine's, or its control group's, as under Slurm."""
    import psutil  # type: ignore[import-untyped]  # accelerate brings it, without types

    free = int(psutil.virtual_memory().available)
    own = Path("/proc/self/cgroup")
    path = own.read_text().rpartition("::")[2].strip().lstrip("/") if own.is_file() else ""
    for folder in (cgroups / path, *(cgroups / path).parents):
        limit, used = folder / "memory.max", folder / "memory.current"
        if limit.is_file() and used.is_file() and (most := limit.read_text().strip()) != "max":
            free = min(free, int(most) - int(used.read_text()))
    return max(free, 0)
