"""The recipes that the project carries, against what the study published of its runs."""

from __future__ import annotations

import subprocess
import sys

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from training import cli, codes, config, parts

TRAINED = {"0": "010 011 101 110 111", "1": "001 010 011 101 110 111", "2": "010 011 100 101 110 111"}
STUDY_8B = [f"exp_{backbone}_{digits}" for backbone, each in TRAINED.items() for digits in each.split()]
BACKBONES = {"0": "Llama-3.1-8B", "1": "Latxa-Llama-3.1-8B", "2": "Llama-3.1-8B-Instruct"}
CORPORA = ["hplt", "booktegi", "culturax", "egunkaria", "wikipedia", "euscrawl", "colossal_oscar"]
LORA = [f"exp_2_{digits}_lora" for digits in ("010", "101", "110", "111")]
PREFERENCES = ["exp_2_110_dpo", "txiki_110_dpo"]
EMBEDDED = ["txiki_010", "txiki_011", "txiki_100", "txiki_110"]
WALK = "laguntza_110"  # of docs/training.md


def test_all_runs_of_the_study_have_a_recipe_and_so_have_ours() -> None:
    assert len(STUDY_8B) == 17
    assert config.names() == sorted([*STUDY_8B, "exp_2_101_70b", *LORA, *EMBEDDED, *PREFERENCES, WALK])


@pytest.mark.parametrize("name", config.names())
def test_a_recipe_takes_in_the_sources_of_its_digits(name: str) -> None:
    recipe, code = config.load(name), codes.parse(name)
    assert str(code) == recipe.code == name
    assert {each.factor for each in recipe.sources.values()} == {
        factor for factor, on in code.factors.items() if on
    }
    assert recipe.name
    assert recipe.description


@pytest.mark.parametrize("name", STUDY_8B)
def test_an_8b_run_is_the_studys(name: str) -> None:
    recipe = config.load(name)
    assert recipe.backbone
    assert recipe.backbone.name == BACKBONES[name[4]]
    assert (
        recipe.batch.rows * recipe.batch.accumulation * recipe.batch.processes * recipe.data.row_tokens
        == 2**21
    )
    assert (recipe.schedule.epochs, recipe.schedule.warmup, recipe.schedule.floor) == (4, 0.1, 0.33)
    assert recipe.schedule.seed == (42 if name == "exp_2_010" else 33)
    optimizer = recipe.optimizer
    assert (optimizer.name, optimizer.learning_rate, optimizer.weight_decay) == ("adamw", 1e-5, 0.1)
    assert (optimizer.beta1, optimizer.beta2, optimizer.epsilon) == (0.9, 0.95, 1e-8)
    assert (recipe.method.neftune_alpha, recipe.method.precision) == (5, "bf16")
    assert (recipe.parallel.kind, recipe.parallel.shard, recipe.parallel.copies) == ("hybrid", 32, 4)
    assert (recipe.cadence.evaluations_an_epoch, recipe.cadence.saves_an_epoch, recipe.cadence.kept) == (
        4,
        4,
        4,
    )
    assert recipe.data.shares is None
    corpora = [each for each in recipe.sources if not each.startswith("magpie")]
    assert corpora == (CORPORA if codes.parse(name).corpus else [])


def test_the_70b_differs_where_the_study_says() -> None:
    small, large = config.load("exp_2_101"), config.load("exp_2_101_70b")
    assert large.backbone
    assert large.backbone.name == "Llama-3.1-70B-Instruct"
    assert "Magpie-Llama-3.1-70B" in large.sources["magpie_en"].path
    assert (large.batch.processes, large.parallel.kind) == (256, "full")
    assert (large.cadence.saves_an_epoch, large.cadence.kept) == (5, 20)
    assert (large.optimizer, large.schedule, large.method) == (small.optimizer, small.schedule, small.method)


@pytest.mark.parametrize("name", LORA)
def test_a_one_gpu_variant_is_its_run_with_adapters(name: str) -> None:
    plain, lora = config.load(name.removesuffix("_lora")), config.load(name)
    assert (lora.data, lora.backbone) == (plain.data, plain.backbone)
    assert lora.batch.processes == 1
    assert lora.method.lora
    assert not plain.method.lora


def test_the_command_prints_every_recipe_as_it_loads(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["recipes"]) == 0
    said = yaml.safe_load(capsys.readouterr().out)
    printed = {each["code"]: each for each in said["recipes"]}
    recipe = config.load("exp_1_110")
    assert printed["exp_1_110"] == recipe.model_dump(mode="json") | {
        "parameters": 8_030_000_000,
        "tokens_a_step": 2**21,
        "takes": list(recipe.sources),
    }
    assert len(printed) == 29
    assert printed["exp_2_110_dpo"]["takes"] == ["preferences"]
    assert {each["code"]: each["model"] for each in said["untrained"]} == {
        **dict.fromkeys(("exp_0_001", "exp_2_001", "exp_2_000"), "Llama-3.1-8B-Instruct"),
        **dict.fromkeys(("exp_0_100", "exp_1_100", "exp_1_000"), "Latxa-Llama-3.1-8B"),
    }


def test_every_code_of_the_study_is_trained_once_or_equals_a_published_model() -> None:
    published = {code for names in codes.UNTRAINED.values() for code in names}
    trained = {*STUDY_8B, "exp_2_101_70b"}
    assert not published & trained
    assert all(codes.untrained(codes.parse(code)) is None for code in trained)
    assert codes.untrained(codes.parse("exp_2_001")) == "Llama-3.1-8B-Instruct"
    every = {f"exp_{b}_{c}{eu}{en}" for b in "012" for c in "01" for eu in "01" for en in "01"}
    assert every - published - trained == {"exp_0_000"}


def test_the_table_has_a_line_a_recipe_and_says_which_codes_are_equal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["recipes", "--format", "table"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + 29 + 6
    by_code = {line.split()[0]: line for line in lines}
    assert "8.03 B" in by_code["exp_0_110"]
    assert "magpie_eu hplt booktegi" in by_code["exp_0_110"]
    assert "4 epochs" in by_code["exp_0_110"]
    assert "70.6 B" in by_code["exp_2_101_70b"]
    assert "from scratch" in by_code["txiki_110"]
    assert "pairs DATA/preferences.jsonl" in by_code["txiki_110_dpo"]
    assert "prose" not in by_code["txiki_110_dpo"]
    assert by_code["exp_0_001"].endswith("exp_2_001 exp_2_000")


@settings(max_examples=20, deadline=None)
@given(st.integers(300, 900), st.integers(1, 3), st.integers(1, 3), st.integers(1, 2), st.integers(8, 90))
def test_weights_are_counted_as_transformers_counts_them(
    vocabulary: int, layers: int, groups: int, kv_heads: int, intermediate: int
) -> None:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    heads = groups * kv_heads
    shape = parts.ModelShape(
        vocabulary=vocabulary,
        hidden=heads * 8,
        layers=layers,
        intermediate=intermediate,
        heads=heads,
        kv_heads=kv_heads,
        positions=128,
        initial_spread=0.02,
    )
    with torch.device("meta"):
        model = LlamaForCausalLM(
            LlamaConfig(
                vocab_size=vocabulary,
                hidden_size=shape.hidden,
                intermediate_size=intermediate,
                num_hidden_layers=layers,
                num_attention_heads=heads,
                num_key_value_heads=kv_heads,
                tie_word_embeddings=True,
            )
        )
    assert sum(each.numel() for each in model.parameters()) == shape.parameters


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    command = f"set -o pipefail; {sys.executable} -m training recipes | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("recipes:\n", "", 0)
