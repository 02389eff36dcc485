"""Tiny models trained for a step, in one process or as a worker of two that shard it: ``python -m tests.training.two_shards RANK FOLDER``."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

KINDS = ("whole", "lora")
# odd sizes, so that two processes get shards of different heights
CONFIG: dict[str, Any] = {
    "vocab_size": 303,
    "hidden_size": 20,
    "intermediate_size": 27,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "max_position_embeddings": 256,
    "tie_word_embeddings": True,
}
LORA: dict[str, Any] = {
    "r": 4,
    "lora_alpha": 8,
    "target_modules": ["q_proj", "v_proj", "down_proj"],
    "task_type": "CAUSAL_LM",
}


def build(kind: str) -> LlamaForCausalLM | PeftModel:
    """The model before its step; the same in each process."""
    torch.manual_seed(1)
    model = LlamaForCausalLM(LlamaConfig(**CONFIG))
    if kind == "whole":
        return model
    adapted: PeftModel = get_peft_model(model, LoraConfig(**LORA))
    for name, parameter in adapted.named_parameters():
        if "lora_B" in name:  # zeros would hide a lost or swapped one
            torch.nn.init.normal_(parameter, std=0.5)
    return adapted


def step(model: torch.nn.Module) -> None:
    """One step of AdamW on the same rows in each process: averaged gradients are then the single process's."""
    ids = torch.randint(303, (2, 32), generator=torch.Generator().manual_seed(2))
    optimizer = torch.optim.AdamW((each for each in model.parameters() if each.requires_grad), lr=0.01)
    model(input_ids=ids, labels=ids, use_cache=False).loss.backward()
    optimizer.step()


def single() -> LlamaForCausalLM:
    """A model after its step, in this process."""
    model = build("whole")
    step(model)
    assert isinstance(model, LlamaForCausalLM)
    return model


def run_two(folder: Path) -> None:
    """Train and save each kind in two processes; ``folder/KIND`` is then laid out as a checkpoint of ``transformers.Trainer``."""
    command = [sys.executable, "-m", "tests.training.two_shards"]
    workers = [subprocess.Popen([*command, str(rank), str(folder)]) for rank in (0, 1)]
    assert [worker.wait() for worker in workers] == [0, 0]


def main(rank: int, folder: Path) -> None:
    from accelerate import PartialState
    from accelerate.utils import FullyShardedDataParallelPlugin, save_fsdp_model
    from torch.distributed import destroy_process_group, init_process_group
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    torch.set_num_threads(1)
    init_process_group("gloo", init_method=f"file://{folder / 'store'}", rank=rank, world_size=2)
    PartialState(cpu=True)  # accelerate's logger asks for one
    mesh = init_device_mesh("cpu", (2,))
    plugin = FullyShardedDataParallelPlugin(
        fsdp_version=2, state_dict_type="SHARDED_STATE_DICT", cpu_ram_efficient_loading=False
    )
    for kind in KINDS:
        model = build(kind)
        inner: Any = model.get_base_model() if isinstance(model, PeftModel) else model
        for layer in inner.model.layers:
            fully_shard(layer, mesh=mesh)
        fully_shard(model, mesh=mesh)
        step(model)
        who = SimpleNamespace(process_index=rank, num_processes=2)
        save_fsdp_model(plugin, who, model, folder / kind, adapter_only=True)
        if rank == 0:
            (folder / kind / "trainer_state.json").write_text("{}")
    destroy_process_group()


if __name__ == "__main__":
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    main(int(sys.argv[1]), Path(sys.argv[2]))
