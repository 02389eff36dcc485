"""Fleets for tests: as files' texts, with folders that look like a model's or an adapter's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from inference.fleet.plan import plan
from inference.fleet.reading import parse
from inference.fleet.servers import Plan

# As published in the folders of Llama 3.1: what memory depends on, and what it is known to come to.
LLAMA_8B = {
    "model_type": "llama",
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_attention_heads": 32,
    "num_hidden_layers": 32,
    "num_key_value_heads": 8,
    "vocab_size": 128256,
    "max_position_embeddings": 131072,
    "tie_word_embeddings": False,
}
LLAMA_70B = LLAMA_8B | {
    "hidden_size": 8192,
    "intermediate_size": 28672,
    "num_attention_heads": 64,
    "num_hidden_layers": 80,
}
PARAMETERS = {"8B": 8_030_261_248, "70B": 70_553_706_496}

HOST = {"name": "gpu1", "gpus": 8, "gpu_memory_gib": 79.1}


def model_folder(folder: Path, config: dict[str, Any] = LLAMA_8B, template: str = "{{ messages }}") -> str:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "chat_template.jinja").write_text(template)
    return str(folder)


def adapter_folder(folder: Path, *, rank: int = 16, template: str = "{{ messages }}") -> str:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "r": rank}))
    (folder / "chat_template.jinja").write_text(template)
    return str(folder)


def manifest_file(folder: Path, code: str, **more: Any) -> Path:
    values = {
        "schema": "lehia.candidate/1",
        "code": code,
        "name": code.title(),
        "revision": "1",
        "description": "",
        "backbone": "",
        "training_data": "",
        "licence": "CC0-1.0",
        "maker": "Lehia",
        "model_folder": ".",
        "system_prompt_mode": "system",
        "sampling": {"temperature": 0.9, "top_p": 0.95, "max_tokens": 256, "stop": []},
        "created_at": "2026-11-23T10:00:00+00:00",
    }
    path = folder / "candidate.json"
    path.write_text(json.dumps(values | more))
    return path


def model(
    folder: str, *, name: str = "eredua", port: int = 8100, gpus: list[int] | None = None, **more: Any
) -> dict[str, Any]:
    """A model on one GPU of the first host."""
    replica = {"host": "gpu1", "port": port, "gpus": [0] if gpus is None else gpus}
    return {"name": name, "folder": folder, "replicas": [replica]} | more


def text(*models: dict[str, Any], hosts: list[dict[str, Any]] | None = None, **more: Any) -> str:
    return yaml.safe_dump({"fleet": "proba", "hosts": hosts or [HOST], "models": list(models)} | more)


def planned(*models: dict[str, Any], hosts: list[dict[str, Any]] | None = None, **more: Any) -> Plan:
    return plan(parse(text(*models, hosts=hosts, **more)))
