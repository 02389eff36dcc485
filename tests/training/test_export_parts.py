"""What an export is made of: names, merging, splitting, the card, the manifest."""

from __future__ import annotations

import json
import weakref
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from inference import manifest
from tests.training.runs import recipe
from training import config
from training.config import Recipe
from training.errors import BadCheckpoint, BadData, BadRecipe
from training.export import adapter, record, shape, skeleton, stream
from training.export.card import NOTICE, card
from training.export.folder import whole
from training.export.job import describe
from training.export.shape import Shape
from training.export.weights import InMemory, open_weights, plain
from training.manifest import Run, candidate_manifest

RUN = Run(
    recipe="x",
    steps=7,
    seed=33,
    tokens=1_234_567,
    parameters=1_000,
    seconds=1.5,
    peak_mb=9,
    loss=2.0,
    code_version="0.1.0+abc",
    evaluation={"aya": {"loss": 2.5, "bits_per_byte": 1.25}},
)


@pytest.mark.parametrize(
    ("wrapped", "bare"),
    [
        ("module.model.norm.weight", "model.norm.weight"),
        ("_orig_mod.model.norm.weight", "model.norm.weight"),
        ("model.layers.0._checkpoint_wrapped_module.mlp.up_proj.weight", "model.layers.0.mlp.up_proj.weight"),
        ("_fsdp_wrapped_module.model.layers.0._fsdp_wrapped_module.a.b", "model.layers.0.a.b"),
        ("base_model.model.q_proj.lora_A.default.weight", "base_model.model.q_proj.lora_A.weight"),
        ("model.submodule.default.weight", "model.submodule.default.weight"),
    ],
)
def test_names_lose_what_is_put_around_modules_and_nothing_else(wrapped: str, bare: str) -> None:
    assert plain(wrapped) == bare


@given(
    st.integers(1, 6),
    st.integers(1, 6),
    st.integers(1, 3),
    st.integers(1, 16),
    st.booleans(),
    st.integers(0, 99),
)
def test_merging_adds_the_scaled_product_and_leaves_the_rest(
    out: int, into: int, rank: int, alpha: int, rooted: bool, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    base = {name: torch.randn(out, into, generator=generator) for name in ("a.weight", "b.weight")}
    up, down = torch.randn(out, rank, generator=generator), torch.randn(rank, into, generator=generator)
    halves = {"base_model.model.a.lora_A.weight": down, "base_model.model.a.lora_B.weight": up}
    values = {"r": rank, "lora_alpha": alpha, "use_rslora": rooted}
    merged = adapter.Merged(InMemory(base), InMemory(halves), values)
    scale = alpha / (rank**0.5 if rooted else rank)
    wanted = base["a.weight"].double() + scale * up.double() @ down.double()
    torch.testing.assert_close(merged.read("a.weight").double(), wanted, rtol=1e-4, atol=1e-4)
    assert torch.equal(merged.read("b.weight"), base["b.weight"])
    assert {name: each.shape for name, each in merged.tensors.items()} == dict.fromkeys(base, (out, into))


def test_merging_into_a_backbone_that_lacks_the_matrix_names_it() -> None:
    halves = {f"base_model.model.c.lora_{half}.weight": torch.zeros(2, 2) for half in "AB"}
    values = {"r": 2, "lora_alpha": 2}
    merged = adapter.Merged(InMemory({"a.weight": torch.zeros(2, 2)}), InMemory(halves), values)
    with pytest.raises(BadCheckpoint, match=r"c\.weight"):
        merged.read("a.weight")


@pytest.mark.parametrize(
    "odd", [{"use_dora": True}, {"modules_to_save": ["lm_head"]}, {"bias": "all"}, {"peft_type": "IA3"}]
)
def test_adapters_that_a_sum_would_get_wrong_are_refused(tmp_path: Path, odd: dict[str, object]) -> None:
    values = {"peft_type": "LORA", "bias": "none", "r": 2} | odd
    (tmp_path / "adapter_config.json").write_text(json.dumps(values))
    with pytest.raises(BadCheckpoint, match="plain LoRA"):
        adapter.read_config(tmp_path, config.load("exp_2_110_lora"))


def test_where_shards_lie_alone_the_recipe_says_what_the_adapter_is(tmp_path: Path) -> None:
    lora = config.load("exp_2_110_lora")
    found = adapter.read_config(tmp_path, lora)
    assert lora.method.lora is not None
    assert (found["r"], found["lora_alpha"]) == (lora.method.lora.rank, lora.method.lora.alpha)
    assert found["target_modules"] == sorted(lora.method.lora.matrices)
    assert json.loads(json.dumps(found)) == found
    with pytest.raises(BadRecipe, match="no adapter"):
        adapter.read_config(tmp_path, config.load("exp_2_110"))


SIZES = st.lists(st.integers(1, 40), min_size=1, max_size=12)


@given(sizes=SIZES, most=st.integers(16, 400))
def test_every_tensor_is_written_once_and_no_file_is_larger_than_asked(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], most: int
) -> None:
    folder = tmp_path_factory.mktemp("split")
    state = {f"t{place}": torch.full((size,), float(place)) for place, size in enumerate(sizes)}
    hashes = stream.write(InMemory(state), list(state), folder, dtype=None, shard_bytes=most)
    files = [load_file(path) for path in folder.glob("*.safetensors")]
    assert sorted(name for file in files for name in file) == sorted(state)
    for file in files:
        assert len(file) == 1 or sum(tensor.nbytes for tensor in file.values()) <= most
    found = open_weights(folder)
    assert all(torch.equal(found.read(name), tensor) for name, tensor in state.items())
    assert hashes == {name: stream.digest(tensor) for name, tensor in state.items()}


def test_a_shard_and_a_tensor_are_the_most_that_lies_in_memory(tmp_path: Path) -> None:
    alive: list[weakref.ref[torch.Tensor]] = []
    most = 0

    class Watched(InMemory):
        def read(self, name: str) -> torch.Tensor:
            nonlocal most
            found = super().read(name).clone()
            alive.append(weakref.ref(found))
            most = max(most, sum(each.nbytes for ref in alive if (each := ref()) is not None))
            return found

    state = {f"t{place}": torch.ones(100) for place in range(20)}
    stream.write(Watched(state), list(state), tmp_path, dtype=None, shard_bytes=1_000)
    assert len(alive) == 20
    assert most <= 1_000 + 400


def test_a_hash_is_of_the_bytes_whatever_their_type() -> None:
    for dtype in (torch.float32, torch.bfloat16, torch.float16):
        tensor = torch.tensor([1.0, -0.0], dtype=dtype)
        assert stream.digest(tensor) == stream.digest(tensor.clone())
        assert stream.digest(tensor) != stream.digest(-tensor)
    assert stream.digest(torch.tensor(1.0)) == stream.digest(torch.ones(1))  # a scalar has bytes too


def test_tensors_of_whole_numbers_are_not_exported_unseen(tmp_path: Path) -> None:
    save_file({"counts": torch.tensor([1, 2])}, tmp_path / "model.safetensors")
    with pytest.raises(BadCheckpoint, match="counts is of type I64"):
        open_weights(tmp_path).tensors  # noqa: B018  # reads the header


def test_a_tied_tensor_may_be_left_out_or_be_the_same() -> None:
    needed = Shape({"a": (2,)}, {"b": "a"})
    one, other = torch.zeros(2), torch.ones(2)
    shape.check(needed, InMemory({"a": one}))
    shape.check(needed, InMemory({"a": one, "b": one.clone()}))
    with pytest.raises(BadCheckpoint, match="tied"):
        shape.check(needed, InMemory({"a": one, "b": other}))


def test_a_folder_is_seen_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "model"
    with whole(target) as folder:
        (folder / "a").write_text("1")
        assert not target.exists()
        assert folder.parent.parent == target.parent  # one file system: the rename cannot become a copy
    assert (target / "a").read_text() == "1"

    def stumble() -> None:
        with whole(target) as folder:
            (folder / "a").write_text("2")
            raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        stumble()
    assert (target / "a").read_text() == "1"
    with whole(target) as folder:
        (folder / "b").write_text("3")
    assert [path.name for path in target.iterdir()] == ["b"]
    assert [path.name for path in target.parent.iterdir()] == ["model"]


def split(text: str) -> tuple[dict[str, Any], str]:
    """A card's front matter and its body."""
    _, front, body = text.split("---\n", 2)
    return yaml.safe_load(front), body


def test_a_card_tells_data_recipe_version_evaluation_and_licence_in_both_languages() -> None:
    made_of = config.load("exp_2_110")
    counts = {"magpie_eu": {"rows": 1000, "tokens": 2_000_000}}
    front, body = split(card(made_of, replace(RUN, data=counts), adapter_rank=None))
    assert front["license"] == "llama3.1"
    assert (front["base_model"], front["base_model_relation"]) == ("Llama-3.1-8B-Instruct", "finetune")
    assert (front["language"], front["library_name"]) == (["eu"], "transformers")
    assert "**Built with Llama**" in body
    assert NOTICE.strip() in body
    data = body[body.index("## Datuak / Data") : body.index("## Errezeta / Recipe")]
    assert (
        "| magpie_eu (`Magpie-Llama-3.1-8B-Instruct-Filtered-translated-1M-cleaned.jsonl`) | chats | 1000 | 2000000 |"
        in data
    )
    assert "wikipedia" in data
    assert "magpie_en" not in data  # the code's digits leave it out
    for text in (
        "## Euskaraz",
        "## In English",
        "0.1.0+abc",
        "1 234 567",
        "| aya | bits_per_byte | 1.2500 |",
    ):
        assert text in body
    printed = yaml.safe_load(body.split("```yaml\n")[1].split("```")[0])
    assert printed["optimizer"]["learning_rate"] == made_of.optimizer.learning_rate
    assert "$" not in body
    counts = {"preferences": {"rows": 9, "tokens": 99}}
    _, voted = split(card(config.load("exp_2_110_dpo"), replace(RUN, data=counts), adapter_rank=64))
    assert "| botoak / votes (`preferences.jsonl`) | pairs | 9 | 99 |" in voted
    assert "beta: 0.1" in voted


def test_the_card_of_our_own_texts_is_cc0_and_says_nothing_of_llama(tmp_path: Path) -> None:
    made_of = config.load("txiki_111") if "txiki_111" in config.names() else config.load("txiki_011")
    describe(made_of, RUN, tmp_path)
    front, body = split((tmp_path / "README.md").read_text())
    assert front["license"] == "cc0-1.0"
    assert front["language"] == ["eu", "en"]
    assert "base_model" not in front
    assert "Llama" not in body
    assert {path.name for path in tmp_path.iterdir()} == {"README.md", "candidate.json"}


def test_another_licence_is_named_as_the_hub_asks() -> None:
    front, _ = split(card(recipe("txiki_110", licence="Etxekoa"), RUN, adapter_rank=None))
    assert (front["license"], front["license_name"]) == ("other", "Etxekoa")


@pytest.mark.parametrize("code", config.names())
def test_every_recipe_makes_a_manifest_and_a_card_that_can_be_read(code: str, tmp_path: Path) -> None:
    made_of = config.load(code)
    rank = made_of.method.lora.rank if made_of.method.lora else None
    describe(made_of, RUN, tmp_path, adapter_rank=rank)
    found = manifest.read(tmp_path / "candidate.json")
    assert found.get("adapter_of", {}).get("rank") == rank
    front, _ = split((tmp_path / "README.md").read_text())
    assert (front.get("base_model") is None) == (made_of.backbone is None)
    assert (tmp_path / "NOTICE").exists() == (made_of.licence == "Llama 3.1 Community License")


def test_the_manifest_names_backbone_and_sources() -> None:
    found = candidate_manifest(config.load("exp_2_011"), RUN, model_folder=".")
    assert found["backbone"] == "Llama-3.1-8B-Instruct (Llama 3.1 Community License)"
    assert (
        found["training_data"]
        == "euskarazko elkarrizketak (magpie_eu), ingelesezko elkarrizketak (magpie_en)"
    )
    voted = candidate_manifest(config.load("txiki_110_dpo"), RUN, model_folder=".")
    assert voted["backbone"] == "txiki_110 (CC0-1.0)"
    assert voted["training_data"].endswith("ebaluatzaileen botoak (CC0-1.0)")
    own = candidate_manifest(config.load("txiki_010"), RUN, model_folder=".")
    assert own["backbone"] == "hutsetik sortua, 0,00 milioi parametro"
    assert own["training_data"] == "euskarazko elkarrizketak (CC0-1.0)"


def test_a_run_folder_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadData, match=r"run\.json"):
        record.read(tmp_path)
    for text in ("{", "[]"):
        (tmp_path / "run.json").write_text(text)
        with pytest.raises(BadData, match=r"run\.json"):
            record.read(tmp_path)
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(BadRecipe, match=r"recipe\.yaml"):
        record.read(tmp_path)


def test_figures_of_a_run_that_wrote_none_down_are_those_of_its_record(tmp_path: Path) -> None:
    fields = {"tokens_seen": 5, "loss": None, "started_at": None}
    point = record.Point(record.Record(tmp_path, config.load("txiki_110"), fields), 3, tmp_path)
    found = record.figures(point, parameters=1)
    assert (found.steps, found.tokens, found.seconds, found.loss, found.evaluation) == (3, 5, 0.0, None, {})
    assert found.data == {}


def test_a_checkpoint_without_config_or_tokenizer_says_so(tmp_path: Path) -> None:
    for read in (skeleton.read_config, skeleton.read_tokenizer):
        with pytest.raises(BadCheckpoint, match="missing"):
            read(tmp_path)


def test_a_tokenizer_without_a_template_is_refused(tmp_path: Path) -> None:
    from tests.training.runs import tiny_tokenizer

    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = None
    made_of: Recipe = config.load("txiki_110")
    with pytest.raises(BadRecipe, match="chat template"):
        skeleton.write(tmp_path / "x", tokenizer=tokenizer, sampling=made_of.sampling, config=None)
    assert not (tmp_path / "x").exists()
