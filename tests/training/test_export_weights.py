"""Weights as they lie on a disk, and the memory that comparing them takes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import LlamaForCausalLM

from tests.training import two_shards
from tests.training.runs import recipe, save_model, tiny_tokenizer
from training.errors import BadCheckpoint
from training.export import check
from training.export.weights import open_weights

WHOLE = recipe("txiki_110")


@pytest.fixture(scope="module")
def single() -> LlamaForCausalLM:
    """A model after a step."""
    return two_shards.single()


def test_what_is_saved_at_once_is_what_transformers_saves(single: LlamaForCausalLM, tmp_path: Path) -> None:
    save_model(single, tiny_tokenizer(), tmp_path / "ours")
    single.save_pretrained(tmp_path / "theirs")
    ours, theirs = (load_file(tmp_path / who / "model.safetensors") for who in ("ours", "theirs"))
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    names = [{path.name for path in (tmp_path / who).iterdir()} for who in ("ours", "theirs")]
    assert names[1] <= names[0]


def test_other_checkpoints_that_lack_a_file_name_it(tmp_path: Path, single: LlamaForCausalLM) -> None:
    single.save_pretrained(tmp_path / "split", max_shard_size="20KB")
    lost = sorted((tmp_path / "split").glob("*.safetensors"))[1]
    whole = lost.read_bytes()
    lost.write_bytes(whole[:-8])
    with pytest.raises(BadCheckpoint, match=lost.name):
        open_weights(tmp_path / "split").tensors  # noqa: B018  # reads the headers
    lost.unlink()
    with pytest.raises(BadCheckpoint, match=lost.name):
        open_weights(tmp_path / "split")
    (tmp_path / "ranks").mkdir()
    with pytest.raises(BadCheckpoint, match="no weights"):
        open_weights(tmp_path / "ranks")
    (tmp_path / "ranks" / "pytorch_model_fsdp_0_rank0.bin").touch()
    with pytest.raises(BadCheckpoint, match="file a rank"):
        open_weights(tmp_path / "ranks")
    (tmp_path / "ranks" / "pytorch_model_fsdp.bin").write_bytes(b"no")
    with pytest.raises(BadCheckpoint, match=r"pytorch_model_fsdp\.bin"):
        open_weights(tmp_path / "ranks")


def test_a_control_groups_limit_counts(tmp_path: Path) -> None:
    assert check.free_bytes(tmp_path) > 1000
    (tmp_path / "memory.max").write_text("5000\n")
    (tmp_path / "memory.current").write_text("4000\n")
    assert check.free_bytes(tmp_path) == 1000
    (tmp_path / "memory.max").write_text("max\n")
    assert check.free_bytes(tmp_path) > 5000
