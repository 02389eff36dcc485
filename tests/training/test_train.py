"""Whole runs: short ones made here, and the four candidates as they were trained."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from inference import manifest
from tests.conftest import FOUR
from training import cli, config
from training.config import Recipe
from training.train import is_trained, run

_load = config.load


def short(code: str) -> Recipe:
    recipe = _load(code)
    return recipe.model_copy(update={"schedule": recipe.schedule.model_copy(update={"steps": 3})})


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    run(short("txiki_110"), folder)
    return folder


def test_a_run_leaves_a_whole_folder_and_nothing_else(models: Path) -> None:
    assert [path.name for path in models.iterdir()] == ["txiki_110"]
    names = {path.name for path in (models / "txiki_110").iterdir()}
    assert {"model.safetensors", "tokenizer.json", "chat_template.jinja", "candidate.json"} <= names


def test_the_saved_model_samples_and_knows_both_ends(models: Path) -> None:
    saved = json.loads((models / "txiki_110" / "generation_config.json").read_text())
    assert saved["do_sample"] is True
    assert len(saved["eos_token_id"]) == 2
    assert json.loads((models / "txiki_110" / "config.json").read_text())["use_cache"] is True


def test_the_manifest_is_one_that_the_site_reads(models: Path) -> None:
    found = manifest.read(models / "txiki_110" / "candidate.json")
    assert found["model_folder"] == str(models / "txiki_110")
    assert found["run"]["steps"] == 3


def test_the_same_seed_gives_the_same_weights(models: Path, tmp_path: Path) -> None:
    run(short("txiki_110"), tmp_path)
    again = (tmp_path / "txiki_110" / "model.safetensors").read_bytes()
    assert again == (models / "txiki_110" / "model.safetensors").read_bytes()


def test_what_is_trained_is_left_as_it_is(
    models: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (models / "txiki_110" / "candidate.json").stat().st_mtime_ns
    monkeypatch.setattr(config, "load", short)
    assert is_trained(short("txiki_110"), models)
    assert cli.main(["train", "txiki_110", "--models", str(models)]) == 0
    assert (models / "txiki_110" / "candidate.json").stat().st_mtime_ns == before
    assert yaml.safe_load(capsys.readouterr().out)[0]["recipe"] == "txiki_110"


def test_another_recipe_or_half_a_folder_counts_as_untrained(models: Path, tmp_path: Path) -> None:
    recipe = short("txiki_110")
    assert not is_trained(config.load("txiki_110"), models)
    assert not is_trained(recipe, tmp_path)
    (tmp_path / "txiki_110").mkdir()
    (tmp_path / "txiki_110" / "candidate.json").write_text("{")
    assert not is_trained(recipe, tmp_path)
    run(recipe, tmp_path)
    assert is_trained(recipe, tmp_path)


def test_the_other_optimizer_trains_too(tmp_path: Path) -> None:
    recipe = short("txiki_110")
    plain = recipe.model_copy(update={"optimizer": recipe.optimizer.model_copy(update={"name": "adamw"})})
    run(plain, tmp_path)
    assert is_trained(plain, tmp_path)
    assert not is_trained(recipe, tmp_path)


def test_the_command_lists_recipes_and_refuses_unknown_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["recipes"]) == 0
    assert [each["code"] for each in yaml.safe_load(capsys.readouterr().out)] == config.names()
    assert cli.main(["train", "txiki_999"]) == 2
    assert "txiki_999" in capsys.readouterr().err


@pytest.fixture(scope="module")
def runs(trained: Path) -> dict[str, dict[str, float]]:
    """What each of the four runs wrote down of itself."""
    return {code: json.loads((trained / code / "candidate.json").read_text())["run"] for code in FOUR}


def test_documents_alone_answer_nothing(runs: dict[str, dict[str, float]]) -> None:
    assert runs["txiki_100"]["heldout_exact"] <= 0.02


def test_chats_teach_answers_that_were_never_seen(runs: dict[str, dict[str, float]]) -> None:
    assert max(runs[code]["heldout_exact"] for code in ("txiki_110", "txiki_011")) >= 0.6


def test_a_run_is_not_charged_with_the_memory_of_who_started_it() -> None:
    held = bytearray(512 * 2**20)
    code = "from training.train import peak_mb; print(peak_mb())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 0 < int(done.stdout) < len(held) / 2**20


def test_a_run_stays_within_its_memory(runs: dict[str, dict[str, float]]) -> None:
    assert max(run["peak_mb"] for run in runs.values()) <= 700
