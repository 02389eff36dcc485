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
from training.embedded import is_trained, make
from training.fingerprint import fingerprint
from training.train import Options

THREE = "schedule.steps=3"


def short(code: str, *changes: str) -> Recipe:
    return config.resolved(code, [THREE, *changes])


def made(recipe: Recipe, models: Path) -> Path:
    return make(recipe, models, Options(runs=models.parent / "runs", anew=True))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("embedded") / "models"
    made(short("txiki_110"), folder)
    return folder


def test_a_run_leaves_a_whole_folder_and_nothing_else(models: Path) -> None:
    assert [path.name for path in models.iterdir()] == ["txiki_110"]
    names = {path.name for path in (models / "txiki_110").iterdir()}
    assert {"model.safetensors", "tokenizer.json", "chat_template.jinja", "candidate.json"} <= names
    assert not any(name.endswith(".part") for name in names)


def test_the_saved_model_samples_and_knows_both_ends(models: Path) -> None:
    saved = json.loads((models / "txiki_110" / "generation_config.json").read_text())
    assert saved["do_sample"] is True
    assert len(saved["eos_token_id"]) == 2
    assert json.loads((models / "txiki_110" / "config.json").read_text())["use_cache"] is True


def test_the_manifest_is_one_that_the_site_reads(models: Path) -> None:
    found = manifest.read(models / "txiki_110" / "candidate.json")
    assert found["model_folder"] == str(models / "txiki_110")
    assert found["run"]["steps"] == 3
    assert found["run"]["tokens"] > 3 * 2 * 200


def test_the_model_card_tells_the_rows_and_tokens_that_were_read(models: Path) -> None:
    counts = json.loads((models.parent / "runs" / "txiki_110" / "data.json").read_text())
    told = (models / "txiki_110" / "README.md").read_text()
    assert set(counts) == {"basque", "prose"}
    for each in counts.values():
        assert f"| {each['rows']} | {each['tokens']} |" in told
    found = manifest.read(models / "txiki_110" / "candidate.json")
    assert found["run"]["data"] == counts
    assert 0 <= found["run"]["heldout_exact"] <= 1


def test_the_run_behind_it_is_told_beside_the_models(models: Path) -> None:
    record = json.loads((models.parent / "runs" / "txiki_110" / "run.json").read_text())
    assert (record["status"], record["step"]) == ("done", 3)
    assert record["revision"] == fingerprint(short("txiki_110"))


def test_the_same_seed_gives_the_same_weights(models: Path, tmp_path: Path) -> None:
    made(short("txiki_110"), tmp_path / "models")
    again = (tmp_path / "models" / "txiki_110" / "model.safetensors").read_bytes()
    assert again == (models / "txiki_110" / "model.safetensors").read_bytes()


def test_what_is_trained_is_left_as_it_is(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (models / "txiki_110" / "candidate.json").stat().st_mtime_ns
    assert is_trained(short("txiki_110"), models)
    assert cli.main(["train", "txiki_110", "--models", str(models), "--set", THREE]) == 0
    assert (models / "txiki_110" / "candidate.json").stat().st_mtime_ns == before
    assert yaml.safe_load(capsys.readouterr().out)[0]["recipe"] == "txiki_110"


def test_what_people_read_is_put_right_without_training(models: Path) -> None:
    folder = models / "txiki_110"
    weights = (folder / "model.safetensors").stat().st_mtime_ns
    renamed = short("txiki_110", "name=Beste izen bat", "sampling.temperature=0.5")
    assert is_trained(renamed, models)
    found = manifest.read(folder / "candidate.json")
    assert (found["name"], found["sampling"]["temperature"]) == ("Beste izen bat", 0.5)
    assert found["run"]["steps"] == 3
    assert (folder / "model.safetensors").stat().st_mtime_ns == weights
    assert "# Beste izen bat" in (folder / "README.md").read_text()
    assert is_trained(short("txiki_110"), models)
    assert manifest.read(folder / "candidate.json")["name"] == "Txiki 110"


def test_another_recipe_or_half_a_folder_counts_as_untrained(models: Path, tmp_path: Path) -> None:
    recipe = short("txiki_110")
    assert not is_trained(config.load("txiki_110"), models)
    assert not is_trained(recipe, tmp_path)
    (tmp_path / "txiki_110").mkdir()
    (tmp_path / "txiki_110" / "candidate.json").write_text("{")
    assert not is_trained(recipe, tmp_path)
    (tmp_path / "txiki_110" / "candidate.json").write_text("[]")
    assert not is_trained(recipe, tmp_path)
    made(recipe, tmp_path)
    assert is_trained(recipe, tmp_path)


def test_the_other_optimizer_trains_too(tmp_path: Path) -> None:
    plain = short("txiki_110", "optimizer.name=adamw")
    made(plain, tmp_path)
    assert is_trained(plain, tmp_path)
    assert not is_trained(short("txiki_110"), tmp_path)


def test_the_command_lists_recipes_and_refuses_unknown_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["recipes"]) == 0
    printed = yaml.safe_load(capsys.readouterr().out)["recipes"]
    assert [each["code"] for each in printed] == config.names()
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
    code = "from training.memory import peak_mb; print(peak_mb())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 0 < int(done.stdout) < len(held) / 2**20


def test_a_run_stays_within_its_memory(runs: dict[str, dict[str, float]]) -> None:
    assert max(run["peak_mb"] for run in runs.values()) <= 700
