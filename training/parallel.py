"""Processes of a run: how many there are, how weights lie over them, and what they agree on."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import distributed

from training.config import Recipe
from training.errors import BadRecipe

_TOLD = (
    "ACCELERATE_USE_FSDP",
    "FSDP_CPU_RAM_EFFICIENT_LOADING",
)  # where transformers looks before it reads weights


@dataclass(frozen=True, slots=True)
class World:
    """This process among the others, as torchrun or Slurm's launcher says by ``RANK``, ``LOCAL_RANK`` and ``WORLD_SIZE``."""

    rank: int
    local_rank: int
    size: int

    @property
    def is_first(self) -> bool:
        """Whether this is the process that writes what all share."""
        return self.rank == 0

    @property
    def is_first_here(self) -> bool:
        """Whether it is the first of its machine."""
        return self.local_rank == 0


def world() -> World:
    """The world as the environment has it; of one process where it says nothing."""
    return World(
        rank=int(os.environ.get("RANK", "0")),
        local_rank=int(os.environ.get("LOCAL_RANK", "0")),
        size=int(os.environ.get("WORLD_SIZE", "1")),
    )


def check(recipe: Recipe, here: World, *, on_gpu: bool) -> None:
    """Refuse a recipe that would run otherwise than it says.

    Raises
    ------
    BadRecipe
        Where it shards weights and this machine cannot, since accelerate would train with whole weights and say nothing; or where there are other
        processes than it counts, which would change the tokens of a step.
    """
    parallel, batch = recipe.parallel, recipe.batch
    if parallel.kind != "ddp" and not on_gpu:
        raise BadRecipe(
            f"{recipe.code}: this recipe shards weights ({parallel.kind}), which takes GPUs: on a CPU accelerate would silently hold them whole in every "
            "process; --set parallel.kind=ddp to go on that way"
        )
    if parallel.kind != "ddp" and here.size == 1:
        raise BadRecipe(
            f"{recipe.code}: this recipe shards weights ({parallel.kind}) over processes and there is one; --set parallel.kind=ddp to go on with whole ones"
        )
    if parallel.kind != "ddp" and recipe.optimizer.name == "muon":
        raise BadRecipe(f"{recipe.code}: Muon needs whole matrices, which {parallel.kind} sharding cuts")
    if here.size != batch.processes:
        raise BadRecipe(
            f"{recipe.code}: a step is of {batch.processes} processes and there are {here.size}; --set batch.processes={here.size} to go on, with "
            f"batch.accumulation={_accumulation(recipe, here)} the tokens of a step stay near the recipe's"
        )
    groups = (parallel.shard or 1) * (parallel.copies or 1)
    if parallel.kind == "hybrid" and groups != here.size:
        raise BadRecipe(
            f"{recipe.code}: {parallel.copies} copies of {parallel.shard} shards are {groups} processes and there are {here.size}"
        )


def check_sharded(recipe: Recipe, distributed_type: str) -> None:
    """Refuse to go on where accelerate made something else of a sharded recipe.

    Raises
    ------
    BadRecipe
    """
    if recipe.parallel.kind != "ddp" and distributed_type != "FSDP":
        raise BadRecipe(
            f"{recipe.code}: this recipe shards weights and accelerate made {distributed_type} of it; --set parallel.kind=ddp to go on with whole weights"
        )


def arguments(recipe: Recipe) -> dict[str, Any]:
    """What ``TrainingArguments`` takes for the recipe's way of sharding: FSDP2, over all processes or in groups that are copied.

    Checkpoints are written shard by shard, by torch's distributed checkpoint; ``export`` makes whole weights of them.
    """
    parallel = recipe.parallel
    if parallel.kind == "ddp":
        return {"ddp_find_unused_parameters": False}
    found: dict[str, Any] = {
        "fsdp": True,
        "fsdp_config": {
            "version": 2,
            "auto_wrap_policy": "TRANSFORMER_BASED_WRAP",
            "reshard_after_forward": True,
            "state_dict_type": "SHARDED_STATE_DICT",
            "cpu_ram_efficient_loading": True,
            "activation_checkpointing": recipe.method.gradient_checkpointing,
        },
    }
    if parallel.kind == "hybrid":
        from accelerate import ParallelismConfig

        found["parallelism_config"] = ParallelismConfig(
            dp_replicate_size=parallel.copies, dp_shard_size=parallel.shard
        )
    return found


@contextmanager
def loading(recipe: Recipe) -> Iterator[None]:
    """While a backbone is read: where weights will be sharded, one process a machine holds them and the others get theirs from it.

    Otherwise every process would read all of them in float32: 280 GB each of a 70B model.
    """
    told = {} if recipe.parallel.kind == "ddp" else dict.fromkeys(_TOLD, "true")
    before = {name: os.environ.get(name) for name in told}
    os.environ.update(told)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def keep_sums_exact(plugin: Any) -> None:
    """Take back what accelerate makes of bf16 under FSDP2.

    It would round what the model returns to bf16 too, and that is the sum of a batch's losses: three digits of it, and the gradient's scale with them. It
    would also add up gradients over processes in bf16. Only the computing inside is to be in bf16.
    """
    policy = plugin.mixed_precision_policy
    if policy is not None:
        plugin.mixed_precision_policy = dataclasses.replace(
            policy, reduce_dtype=torch.float32, output_dtype=None
        )


def summed(tensor: torch.Tensor) -> torch.Tensor:
    """The sum over processes, on each of them; the tensor itself where there is one process."""
    if distributed.is_initialized():
        distributed.all_reduce(tensor)
    return tensor


def first_says(device: torch.device) -> Callable[[float], float]:
    """A function that makes one number of every process's: the first one's."""

    def agree(number: float) -> float:
        if not distributed.is_initialized():
            return number
        said = torch.tensor([number], dtype=torch.float64, device=device)
        distributed.broadcast(said, src=0)
        return float(said.item())

    return agree


def any_says(*, yes: bool, device: torch.device) -> bool:
    """Whether any process says yes."""
    if not distributed.is_initialized():
        return yes
    return bool(summed(torch.tensor([int(yes)], device=device)).item())


def barrier() -> None:
    """Wait until all processes have come here."""
    if distributed.is_initialized():
        distributed.barrier()


def _accumulation(recipe: Recipe, here: World) -> int:
    return max(1, round(recipe.batch.accumulation * recipe.batch.processes / here.size))
