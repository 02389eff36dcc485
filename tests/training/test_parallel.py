"""How many processes a run has and how weights lie over them."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from accelerate.utils import FullyShardedDataParallelPlugin

from training import config, parallel
from training.arguments import training_arguments
from training.config import Recipe
from training.errors import BadRecipe
from training.parallel import World


def study(code: str = "exp_0_110", *changes: str) -> Recipe:
    return config.resolved(code, ["method.attention=sdpa", *changes])


def of(size: int) -> World:
    return World(rank=0, local_rank=0, size=size)


def test_the_world_is_as_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "LOCAL_RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    alone = parallel.world()
    assert alone == World(0, 0, 1)
    assert alone.is_first
    for name, value in (("RANK", "9"), ("LOCAL_RANK", "1"), ("WORLD_SIZE", "16")):
        monkeypatch.setenv(name, value)
    assert parallel.world() == World(9, 1, 16)
    assert not parallel.world().is_first


@pytest.mark.parametrize("code", ["exp_0_110", "exp_2_101_70b"])
def test_sharding_is_refused_on_a_cpu_with_the_way_to_go_on(code: str) -> None:
    with pytest.raises(BadRecipe, match=r"shards weights .*--set parallel\.kind=ddp to go on"):
        parallel.check(study(code), of(128), on_gpu=False)


def test_with_whole_weights_it_goes_on() -> None:
    parallel.check(study("exp_0_110", "parallel.kind=ddp"), of(128), on_gpu=False)
    parallel.check(study("exp_0_110", "parallel.kind=ddp", "batch.processes=1"), of(1), on_gpu=False)


def test_sharding_over_one_process_is_none() -> None:
    with pytest.raises(BadRecipe, match="there is one"):
        parallel.check(study("exp_2_101_70b", "batch.processes=1"), of(1), on_gpu=True)


def test_other_processes_than_the_recipe_counts_are_refused_with_what_to_set() -> None:
    with pytest.raises(BadRecipe, match=r"batch\.processes=32 .*batch\.accumulation=4 "):
        parallel.check(study(), of(32), on_gpu=True)


def test_groups_that_do_not_make_up_the_world_are_refused() -> None:
    with pytest.raises(BadRecipe, match="4 copies of 32 shards are 128"):
        parallel.check(study("exp_0_110", "batch.processes=64"), of(64), on_gpu=True)
    parallel.check(study(), of(128), on_gpu=True)


def test_muon_is_not_sharded() -> None:
    with pytest.raises(BadRecipe, match="Muon"):
        parallel.check(study("exp_0_110", "optimizer.name=muon"), of(128), on_gpu=True)


def test_what_accelerate_makes_of_it_is_looked_at() -> None:
    parallel.check_sharded(study(), "FSDP")
    parallel.check_sharded(study("exp_0_110", "parallel.kind=ddp"), "MULTI_CPU")
    with pytest.raises(BadRecipe, match="accelerate made MULTI_CPU of it"):
        parallel.check_sharded(study(), "MULTI_CPU")


def made(recipe: Recipe, tmp_path: Any) -> Any:
    return training_arguments(recipe, tmp_path, steps=10, on_gpu=False)


def test_full_sharding_is_fsdp2_with_sharded_checkpoints(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    args = made(study("exp_2_101_70b"), tmp_path)
    plugin = FullyShardedDataParallelPlugin(**args.fsdp_plugin_args)
    assert plugin.fsdp_version == 2
    assert "SHARDED" in str(plugin.state_dict_type)
    assert plugin.reshard_after_forward is True
    assert plugin.activation_checkpointing is True
    assert not args.activation_checkpointing
    assert args.parallelism_config is None


def test_hybrid_sharding_has_groups_that_are_copied(tmp_path: Any) -> None:
    args = made(study(), tmp_path)
    assert args.fsdp_plugin_args["fsdp_version"] == 2
    mesh = args.parallelism_config
    assert (mesh.dp_replicate_size, mesh.dp_shard_size) == (4, 32)
    assert mesh._get_mesh() == (("dp_replicate", "dp_shard"), (4, 32))


def test_whole_weights_need_no_plugin(tmp_path: Any) -> None:
    args = made(study("exp_0_110", "parallel.kind=ddp"), tmp_path)
    assert args.fsdp_plugin_args is None
    assert args.activation_checkpointing
    assert args.ddp_find_unused_parameters is False


def test_alone_a_process_agrees_with_itself() -> None:
    cpu = torch.device("cpu")
    assert parallel.first_says(cpu)(2.5) == 2.5
    assert parallel.any_says(yes=True, device=cpu)
    assert not parallel.any_says(yes=False, device=cpu)
    assert parallel.summed(torch.tensor(3.0)) == 3
    parallel.barrier()
