"""The recipes that the project carries, against what the study published of its runs."""

from __future__ import annotations

import subprocess
import sys

import pytest
import yaml

from training import cli, codes, config

TRAINED = {"0": "010 011 101 110 111", "1": "001 010 011 101 110 111", "2": "010 011 100 101 110 111"}
STUDY_8B = [f"exp_{backbone}_{digits}" for backbone, each in TRAINED.items() for digits in each.split()]
BACKBONES = {"0": "Llama-3.1-8B", "1": "Latxa-Llama-3.1-8B", "2": "Llama-3.1-8B-Instruct"}
CORPORA = ["hplt", "booktegi", "culturax", "egunkaria", "wikipedia", "euscrawl", "colossal_oscar"]
LORA = [f"exp_2_{digits}_lora" for digits in ("010", "101", "110", "111")]
EMBEDDED = ["txiki_010", "txiki_011", "txiki_100", "txiki_110"]


def test_all_runs_of_the_study_have_a_recipe_and_so_have_ours() -> None:
    assert len(STUDY_8B) == 17
    assert config.names() == sorted([*STUDY_8B, "exp_2_101_70b", *LORA, *EMBEDDED])


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
    printed = {each["code"]: each for each in yaml.safe_load(capsys.readouterr().out)}
    assert printed["exp_1_110"] == config.load("exp_1_110").model_dump(mode="json")
    assert len(printed) == 26


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    command = f"set -o pipefail; {sys.executable} -m training recipes | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("- code: exp_0_010\n", "", 0)
