"""From checkpoints of every layout to model folders."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import yaml
from peft import PeftModel
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM

from inference import manifest
from tests.training import two_shards
from tests.training.runs import copied, make_run, recipe, save_model, tiny_tokenizer
from training import cli
from training.errors import BadCheckpoint, BadData, ExportFailed
from training.export import check, job
from training.export.job import Request, export
from training.export.weights import SHARDED, open_weights

WHOLE = recipe("txiki_110")
LORA = recipe(
    "exp_2_110_lora",
    method={
        "precision": "fp32",
        "lora": {"rank": 4, "alpha": 8, "dropout": 0, "matrices": ["q_proj", "v_proj", "down_proj"]},
    },
)


@pytest.fixture(scope="module")
def sharded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Checkpoints of two processes, by kind."""
    folder = tmp_path_factory.mktemp("sharded")
    two_shards.run_two(folder)
    return folder


@pytest.fixture(scope="module")
def single() -> LlamaForCausalLM:
    """The same training in this process."""
    return two_shards.single()


@pytest.fixture
def run(tmp_path: Path, sharded: Path, single: LlamaForCausalLM) -> Path:
    return make_run(tmp_path / "run", WHOLE, single, {2: copied(sharded / "whole")})


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """The backbone that adapters are trained on."""
    folder = tmp_path / "base" / "Llama-3.1-8B-Instruct"
    two_shards.build("whole").save_pretrained(str(folder))
    (folder / "LICENSE").write_text("as it came")
    return folder


@pytest.fixture
def lora_run(tmp_path: Path, sharded: Path) -> Path:
    return make_run(tmp_path / "lora", LORA, two_shards.build("lora"), {2: copied(sharded / "lora")})


def test_shards_of_two_processes_become_the_single_process_model_byte_for_byte(
    run: Path, single: LlamaForCausalLM, tmp_path: Path
) -> None:
    done = export(Request(run))
    assert (done.hashes, done.logits, done.checkpoint) == ("equal", "equal", 2)
    save_model(single, tiny_tokenizer(), tmp_path / "single")
    exported = run / "export" / "model.safetensors"
    assert exported.read_bytes() == (tmp_path / "single" / "model.safetensors").read_bytes()
    assert not torch.distributed.is_initialized()


def test_an_export_has_all_that_a_server_asks_for(run: Path) -> None:
    export(Request(run))
    folder = run / "export"
    settings = json.loads((folder / "generation_config.json").read_text())
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert settings["do_sample"] is True
    assert settings["use_cache"] is True
    assert (settings["temperature"], settings["top_p"]) == (0.9, 0.95)
    ends = tokenizer.convert_tokens_to_ids(["<|eot_id|>", "<|end_of_text|>"])
    assert settings["eos_token_id"] == ends
    settings = json.loads((folder / "config.json").read_text())
    assert settings["use_cache"] is True
    assert settings["architectures"] == ["LlamaForCausalLM"]
    asked = tokenizer.apply_chat_template([{"role": "user", "content": "Kaixo"}], tokenize=False)
    assert str(asked).endswith("user<|end_header_id|>\n\nKaixo<|eot_id|>")


def test_the_manifest_is_the_sites_and_has_the_figures_of_the_checkpoint(run: Path) -> None:
    copied(run / "checkpoints" / "checkpoint-2")(run / "checkpoints" / "checkpoint-1")
    export(Request(run, checkpoint=1, figures={"heldout_exact": 0.5}))
    found = manifest.read(run / "export" / "candidate.json")
    assert found["model_folder"] == str(run / "export")
    assert found["code"] == "txiki_110"
    figures = found["run"]
    assert (figures["steps"], figures["tokens"], figures["loss"], figures["seconds"]) == (1, 10, 3.0, 5.0)
    assert (figures["peak_mb"], figures["processes"], figures["code_version"]) == (200, 2, "0.1.0+abc")
    assert figures["evaluation"] == {"aya": {"loss": 2.5, "bits_per_byte": 1.25}}
    assert figures["heldout_exact"] == 0.5


def test_weights_are_split_by_size_with_an_index_that_transformers_reads(
    run: Path, single: LlamaForCausalLM
) -> None:
    assert export(Request(run, shard_bytes=20_000)).logits == "equal"
    index = json.loads((run / "export" / "model.safetensors.index.json").read_text())
    files = sorted(set(index["weight_map"].values()))
    assert len(files) > 2
    assert files[0] == f"model-00001-of-{len(files):05}.safetensors"
    loaded = AutoModelForCausalLM.from_pretrained(run / "export").state_dict()
    assert all(torch.equal(loaded[name], tensor) for name, tensor in single.state_dict().items())
    # and back: an export is a source too
    assert set(open_weights(run / "export").tensors) == set(index["weight_map"])


def test_a_recipe_in_bf16_is_exported_in_bf16(
    tmp_path: Path, sharded: Path, single: LlamaForCausalLM
) -> None:
    made_of = recipe("txiki_110", method={"precision": "bf16"})
    run = make_run(tmp_path / "run", made_of, single, {2: copied(sharded / "whole")})
    done = export(Request(run))
    assert (done.dtype, done.logits) == ("bfloat16", "equal")
    assert json.loads((run / "export" / "config.json").read_text())["dtype"] == "bfloat16"
    saved = load_file(run / "export" / "model.safetensors")
    name = "model.layers.1.mlp.down_proj.weight"
    assert torch.equal(saved[name], single.state_dict()[name].bfloat16())


def test_every_layout_gives_the_same_tensors(tmp_path: Path, sharded: Path, single: LlamaForCausalLM) -> None:
    single.save_pretrained(tmp_path / "plain")
    single.save_pretrained(tmp_path / "split", max_shard_size="20KB")
    (tmp_path / "bin").mkdir()
    wrapped = {f"module._orig_mod.{name}": tensor for name, tensor in single.state_dict().items()}
    torch.save(wrapped, tmp_path / "bin" / "pytorch_model_fsdp.bin")
    for folder in (sharded / "whole", tmp_path / "plain", tmp_path / "split", tmp_path / "bin"):
        weights = open_weights(folder)
        assert set(weights.tensors) <= set(single.state_dict())
        for name, stored in weights.tensors.items():
            tensor = weights.read(name)
            assert torch.equal(tensor, single.state_dict()[name])
            assert (tuple(tensor.shape), tensor.dtype) == (stored.shape, stored.dtype)


@pytest.mark.parametrize("damage", ["gone", "short", "no table", "half a table"])
def test_a_checkpoint_with_a_shard_missing_or_cut_names_it(run: Path, damage: str) -> None:
    shards = run / "checkpoints" / "checkpoint-2" / SHARDED
    name = "__1_0.distcp" if damage in {"gone", "short"} else ".metadata"
    if damage in {"gone", "no table"}:
        (shards / name).unlink()
    else:
        (shards / name).write_bytes((shards / name).read_bytes()[:-700])
    with pytest.raises(BadCheckpoint, match=name):
        export(Request(run))
    assert not (run / "export").exists()


def saved(tensors: dict[str, torch.Tensor]) -> Callable[[Path], None]:
    def fill(folder: Path) -> None:
        folder.mkdir(parents=True)
        save_file(tensors, folder / "model.safetensors")
        (folder / "trainer_state.json").write_text("{}")

    return fill


def test_tensors_that_are_not_the_models_are_named(tmp_path: Path, single: LlamaForCausalLM) -> None:
    state = {name: tensor.clone() for name, tensor in single.state_dict().items()}
    norm, head = "model.norm.weight", "lm_head.weight"
    spoilt = {
        "not in the checkpoint": {name: each for name, each in state.items() if name != norm},
        "of shape": state | {norm: torch.zeros(3)},
        "not in the model": state | {"model.extra.weight": torch.zeros(3)},
        "tied to": state | {head: state[head] + 1},
    }
    for number, (fault, tensors) in enumerate(spoilt.items()):
        run = make_run(tmp_path / str(number), WHOLE, single, {1: saved(tensors)})
        with pytest.raises(BadCheckpoint, match=fault):
            export(Request(run))


def test_the_last_checkpoint_whose_save_ended_is_taken(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    later = run / "checkpoints" / "checkpoint-10"
    copied(run / "checkpoints" / "checkpoint-2")(later)
    assert export(Request(run)).checkpoint == 10
    (later / "trainer_state.json").unlink()
    assert export(Request(run)).checkpoint == 2
    assert "checkpoint-10: its save did not end" in capsys.readouterr().err
    with pytest.raises(BadCheckpoint, match="no checkpoint 7; there are 2, 10"):
        export(Request(run, checkpoint=7))
    shutil.rmtree(run / "checkpoints")
    with pytest.raises(BadCheckpoint, match="none"):
        export(Request(run))


def alter(path: Path, name: str) -> None:
    tensors = load_file(path)
    tensors[name].view(-1)[0] += 1
    save_file(tensors, path, metadata={"format": "pt"})


@pytest.mark.parametrize("guard", ["hashes", "logits"])
def test_an_altered_tensor_stops_the_export_and_leaves_nothing(
    run: Path, guard: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashes = check.hashes

    def spoil(folder: Path, expected: dict[str, str]) -> None:
        alter(folder / "model.safetensors", "model.layers.0.self_attn.q_proj.weight")
        if guard == "hashes":
            hashes(folder, expected)

    monkeypatch.setattr(check, "hashes", spoil)
    fault = "q_proj" if guard == "hashes" else "logits are"
    with pytest.raises(ExportFailed, match=fault):
        export(Request(run))
    assert {path.name for path in run.iterdir()} == {
        "recipe.yaml", "run.json", "metrics.jsonl", "data.json", "checkpoints",
    }  # fmt: skip


def test_a_lost_tensor_is_seen_by_the_hashes(run: Path) -> None:
    export(Request(run))
    tensors = load_file(run / "export" / "model.safetensors")
    with pytest.raises(ExportFailed, match=r"model\.norm\.weight"):
        check.hashes(run / "export", dict.fromkeys(set(tensors) - {"model.norm.weight"}, ""))


def test_a_failed_export_leaves_the_one_before(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    export(Request(run))
    before = (run / "export" / "candidate.json").read_bytes()
    seen: list[list[str]] = []

    def fail(*_: object, **__: object) -> None:
        seen.append(sorted(path.name for path in run.iterdir() if not path.name.startswith(".")))
        raise ExportFailed("no")

    monkeypatch.setattr(job, "describe", fail)
    with pytest.raises(ExportFailed):
        export(Request(run))
    assert (run / "export" / "candidate.json").read_bytes() == before
    with pytest.raises(ExportFailed):
        export(Request(run, output=run / "other"))
    assert not (run / "other").exists()
    assert not any("other" in names for names in seen)
    assert not [path for path in run.iterdir() if path.name.startswith(".")]


def test_where_memory_is_short_the_hashes_alone_are_compared_and_that_is_said(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "free_bytes", lambda: 1000)
    done = export(Request(run))
    assert done.hashes == "equal"
    assert done.logits.startswith("not compared: that takes")
    assert export(Request(run, compare_logits=False)).logits == "not compared: it was not asked for"


def logits(model: torch.nn.Module) -> torch.Tensor:
    ids = torch.arange(40).reshape(2, 20)
    with torch.inference_mode():
        found: torch.Tensor = model.eval()(input_ids=ids, use_cache=False).logits
    return found


@pytest.fixture(scope="module")
def adapted() -> PeftModel:
    """The adapter trained in this process."""
    model = two_shards.build("lora")
    two_shards.step(model)
    assert isinstance(model, PeftModel)
    return model


def test_an_adapter_loads_through_peft_with_equal_logits(
    lora_run: Path, base: Path, adapted: PeftModel
) -> None:
    done = export(Request(lora_run, base=base))
    assert done.logits == "equal"
    assert done.parameters == sum(each.numel() for each in adapted.parameters() if each.requires_grad)
    loaded = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), lora_run / "export")
    assert torch.equal(logits(loaded), logits(adapted))


def test_an_adapters_folder_is_what_vllm_takes_and_says_what_it_belongs_to(
    lora_run: Path, base: Path
) -> None:
    export(Request(lora_run, base=base))
    folder = lora_run / "export"
    settings = json.loads((folder / "adapter_config.json").read_text())
    assert (settings["peft_type"], settings["r"], settings["bias"]) == ("LORA", 4, "none")
    assert settings["base_model_name_or_path"] == "Llama-3.1-8B-Instruct"
    with safe_open(folder / "adapter_model.safetensors", framework="pt") as file:
        names = list(file.keys())
    assert names
    assert all(name.startswith("base_model.model.") for name in names)
    assert all(name.endswith((".lora_A.weight", ".lora_B.weight")) for name in names)
    assert not (folder / "config.json").exists()
    found = manifest.read(folder / "candidate.json")
    assert found["adapter_of"] == {"name": "Llama-3.1-8B-Instruct", "rank": 4}
    served = (folder / "README.md").read_text()
    assert "--max-lora-rank 4 --lora-modules exp_2_110_lora=FOLDER" in served
    assert (folder / "NOTICE").read_text().startswith("Llama 3.1 is licensed under")
    assert (folder / "LICENSE").read_text() == "as it came"


def test_merged_weights_answer_as_the_adapter_does(lora_run: Path, base: Path, adapted: PeftModel) -> None:
    done = export(Request(lora_run, base=base, merge=True))
    assert done.folder == str(lora_run / "merged")
    merged = AutoModelForCausalLM.from_pretrained(lora_run / "merged")
    torch.testing.assert_close(logits(merged), logits(adapted), rtol=1e-4, atol=1e-5)
    assert "adapter_of" not in manifest.read(lora_run / "merged" / "candidate.json")


def test_merging_gives_what_pefts_own_merge_gives(lora_run: Path, base: Path) -> None:
    export(Request(lora_run, base=base, merge=True))
    model = two_shards.build("lora")
    two_shards.step(model)
    assert isinstance(model, PeftModel)
    theirs = model.merge_and_unload().state_dict()
    for name, tensor in load_file(lora_run / "merged" / "model.safetensors").items():
        torch.testing.assert_close(tensor, theirs[name], rtol=1e-6, atol=1e-7)


def test_without_the_backbone_an_adapter_is_exported_on_its_hashes_and_nothing_is_merged(
    lora_run: Path,
) -> None:
    assert export(Request(lora_run)).logits.startswith("not compared: the backbone is not at hand")
    with pytest.raises(BadData, match="--base"):
        export(Request(lora_run, merge=True))
    with pytest.raises(BadData, match="nowhere"):
        export(Request(lora_run, base=lora_run / "nowhere"))


def test_a_checkpoint_without_an_adapter_or_with_half_of_one_is_refused(
    tmp_path: Path, single: LlamaForCausalLM, adapted: PeftModel
) -> None:
    adapted.save_pretrained(str(tmp_path / "peft"))
    halves = load_file(tmp_path / "peft" / "adapter_model.safetensors")
    first = min(halves)
    run = make_run(
        tmp_path / "run",
        LORA,
        adapted,
        {
            1: saved({name: each.clone() for name, each in single.state_dict().items()}),
            2: saved({name: each for name, each in halves.items() if name != first}),
            3: saved(halves | {first: torch.zeros(7, 20)}),
        },
    )
    for number, fault in ((1, "holds none"), (2, "one half"), (3, "of ranks")):
        with pytest.raises(BadCheckpoint, match=fault):
            export(Request(run, checkpoint=number))


def test_merging_what_was_trained_whole_is_refused(run: Path) -> None:
    with pytest.raises(BadData, match="no adapter"):
        export(Request(run, merge=True))


def test_the_command_prints_what_it_did_and_tells_bad_input_from_failure(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli.main(["export", str(run), "--output", str(tmp_path / "out")]) == 0
    said = yaml.safe_load(capsys.readouterr().out)
    assert (said["folder"], said["checkpoint"], said["logits"]) == (str(tmp_path / "out"), 2, "equal")
    assert cli.main(["export", str(run), "--checkpoint", "7"]) == 2
    assert cli.main(["export", str(tmp_path / "nothing")]) == 2
    assert str(tmp_path / "nothing") in capsys.readouterr().err
    monkeypatch.setattr(check, "difference", lambda *_: 0.5)
    assert cli.main(["export", str(run)]) == 1
    assert cli.main(["export", str(run), "--no-logits"]) == 0


@pytest.mark.parametrize("how", ["option", "environment"])
def test_the_command_finds_the_backbone_under_the_clusters_folder(
    lora_run: Path, base: Path, how: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ["--base", str(base.parent)] if how == "option" else []
    if how == "environment":
        monkeypatch.setenv("LEHIA_TRAINING_BASE", str(base.parent))
    assert cli.main(["export", str(lora_run), "--merge-lora", *options]) == 0
    assert "logits" in yaml.safe_load(capsys.readouterr().out)
