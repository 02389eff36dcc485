"""Real vLLM on the CPU, started by ``fleet up``. Collected only where it is asked for: ``make test-vllm``."""

from __future__ import annotations

import io
import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.core.management import call_command

from inference.models import Candidate
from inference.selectors import target_for
from inference.types import Target
from tests.database import REPOSITORY
from tests.inference.fleets import manifest_file
from tests.inference.test_fleet_local import free_ports

HERE = Path(__file__).parent
PYTHON = REPOSITORY / ".venv-vllm" / "bin" / "python"
KEY = "sk-gako-oso-sekretua"
CONTEXT = 2048
ADAPTERS = ("lora_bat", "lora_bi")
QUESTION = "Zein da Frantziako hiriburua?"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """A run that does not name this folder leaves it out."""
    asked = [
        Path(word.partition("::")[0]).resolve() for word in config.invocation_params.args if word[:1] != "-"
    ]
    return None if any(each == HERE or HERE in each.parents for each in asked) else True


@dataclass(frozen=True)
class Served:
    """A fleet that is up: its file, and the folders of what it serves."""

    file: Path
    folders: dict[str, Path]

    def run(self, verb: str) -> str:
        out = io.StringIO()
        call_command("fleet", verb, str(self.file), stdout=out, stderr=sys.stderr)
        return out.getvalue()


@pytest.fixture(scope="session")
def adapters(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two LoRA variants of one trained candidate, as far from it as chance takes them, in folders as ``export`` writes them."""
    return {
        code: _adapter(trained / "txiki_110", tmp_path_factory.mktemp(code), code, seed)
        for seed, code in enumerate(ADAPTERS)
    }


def asked(tokenizer_folder: Path) -> tuple[Any, Any]:
    """A candidate's tokenizer, and :data:`QUESTION` as its own template puts it, in tensors of one row."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tokenizer_folder)
    chat = [{"role": "user", "content": QUESTION}]
    return tokenizer, tokenizer.apply_chat_template(
        chat, add_generation_prompt=True, return_dict=True, return_tensors="pt"
    )


def greedy(model: Any, tokenizer_folder: Path, *, most: int) -> str:
    """What the model answers by transformers, in at most so many tokens."""
    tokenizer, inputs = asked(tokenizer_folder)
    ids = model.generate(**inputs, do_sample=False, temperature=None, top_p=None, max_new_tokens=most)
    return str(tokenizer.decode(ids[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True))


def _adapter(base: Path, folder: Path, code: str, seed: int) -> Path:
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(seed)
    matrices = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    config = LoraConfig(r=8, lora_alpha=16, target_modules=matrices, task_type="CAUSAL_LM")
    model: Any = get_peft_model(AutoModelForCausalLM.from_pretrained(base), config)
    says = ""
    while not says.strip():  # chance may also make one that ends at once
        for name, weights in model.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(weights, std=0.3)
        says = greedy(model, base, most=8)
    model.save_pretrained(str(folder))
    shutil.copy(base / "chat_template.jinja", folder)
    manifest_file(folder, code, adapter_of={"name": base.name, "rank": 8})
    return folder


@pytest.fixture(scope="session")
def served(
    trained: Path, adapters: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """Two candidates on a server each, one of which holds the adapters too; behind a key."""
    if not PYTHON.exists():
        pytest.fail(f"{PYTHON} lacks; make test-vllm installs it")
    folder = tmp_path_factory.mktemp("fleet")
    (folder / "vllm.env").write_text(f"VLLM_API_KEY={KEY}\n")
    ports = free_ports(2)
    variants = [{"name": code, "folder": str(path)} for code, path in adapters.items()]
    models = [
        _model(trained / "txiki_110", ports[0]) | {"adapters": variants},
        _model(trained / "txiki_100", ports[1]),
    ]
    content = {
        "fleet": "proba",
        "hosts": [{"name": "here", "memory_gib": 12, "key_file": str(folder / "vllm.env")}],
        "targets": {"python": str(PYTHON)},
        "models": models,
        "defaults": {"dtype": "float32", "context": CONTEXT, "flags": ["--enforce-eager"]},
    }
    (folder / "fleet.yaml").write_text(yaml.safe_dump(content))
    found = Served(
        folder / "fleet.yaml",
        {path.name: path for path in (trained / "txiki_110", trained / "txiki_100")} | adapters,
    )
    try:
        found.run("up")
        yield found
    finally:
        found.run("down")


def _model(folder: Path, port: int) -> dict[str, object]:
    return {"name": folder.name, "folder": str(folder), "replicas": [{"host": "here", "port": port}]}


@pytest.fixture
def targets(served: Served, transactional_db: None) -> dict[str, Target]:
    """Where each candidate answers, as the site knows it after ``fleet register``."""
    lines = [json.loads(line) for line in served.run("register").splitlines()]
    assert settings.LEHIA_MODEL_HOSTS == ()
    return {line["candidate"]: target_for(Candidate.objects.get(code=line["candidate"]).pk) for line in lines}
