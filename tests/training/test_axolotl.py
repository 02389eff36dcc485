"""Recipes written for axolotl, against the study's own files, key by key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from training import cli, config
from training.axolotl import axolotl_of
from training.errors import BadRecipe
from training.tokenizer import TEMPLATE

EXPECTED = yaml.safe_load(Path(__file__).with_name("axolotl_runs.yaml").read_text())
RUNS: dict[str, dict[str, Any]] = EXPECTED["runs"]


def expected(code: str) -> dict[str, Any]:
    run: dict[str, Any] = EXPECTED["common"] | RUNS[code]
    run["datasets"] = [_dataset(path) for path in run["datasets"]]
    run["test_datasets"] = [_dataset(path) | {"split": "train"} for path in EXPECTED["test_datasets"]]
    return run


def _dataset(path: str) -> dict[str, Any]:
    return {"path": path, **EXPECTED["documents" if "PretrainDatasets" in path else "chats"]}


def with_placeholder(value: Any) -> Any:
    """The template's text by its name, wherever it stands."""
    if isinstance(value, dict):
        return {key: with_placeholder(each) for key, each in value.items()}
    if isinstance(value, list):
        return [with_placeholder(each) for each in value]
    return "LLAMA_3_1_TEMPLATE" if value == TEMPLATE.read_text() else value


def test_the_table_has_all_eighteen_runs() -> None:
    assert len(RUNS) == 18
    ours = ("_lora", "_dpo")
    assert set(RUNS) == {
        name for name in config.names() if name.startswith("exp") and not name.endswith(ours)
    }


@pytest.mark.parametrize("code", RUNS)
def test_a_run_is_written_as_the_study_wrote_it(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["export-axolotl", code]) == 0
    written = with_placeholder(yaml.safe_load(capsys.readouterr().out))
    assert written == expected(code)
    assert type(written["learning_rate"]) is float
    assert written["adam_epsilon"] == "1e-8"


def test_only_placeholders_stand_for_folders() -> None:
    text = yaml.safe_dump(axolotl_of(config.load("exp_2_101_70b")))
    assert all(f"{root}/" in text for root in ("BASE", "DATA", "RUNS"))
    assert not any(line.split(": ")[-1].startswith(("/", "~", ".")) for line in text.splitlines())


def test_an_adapter_keeps_its_rank_and_matrices() -> None:
    recipe = config.load("exp_2_110_lora")
    written = axolotl_of(recipe)
    assert recipe.method.lora
    assert written["adapter"] == "lora"
    assert (written["lora_r"], written["lora_alpha"]) == (recipe.method.lora.rank, recipe.method.lora.alpha)
    assert written["lora_target_modules"] == list(recipe.method.lora.matrices)
    assert written["gradient_accumulation_steps"] == 8
    assert written["output_dir"] == "RUNS/exp_2_110_lora"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"optimizer": {"name": "muon"}}, "learns by muon"),
        ({"schedule": {"epochs": None, "steps": 10}}, "is not measured in epochs"),
        ({"method": {"attention": "sdpa"}}, "attends by sdpa"),
        ({"preferences": {"path": "DATA/preferences.jsonl"}}, "learns from pairs of answers"),
        ({"data": {"shares": {"corpus": 0.5, "eu": 0.5}}}, "mixes its sources by shares"),
    ],
)
def test_what_axolotl_has_no_word_for_is_refused(change: dict[str, Any], why: str) -> None:
    values = config.load("exp_2_110").model_dump()
    for group, keys in change.items():
        values[group] = (values[group] or {}) | keys
    with pytest.raises(BadRecipe, match=why):
        axolotl_of(config.Recipe.model_validate(values))


def test_a_model_from_scratch_is_refused_with_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["export-axolotl", "txiki_110"]) == 2
    assert "txiki_110 cannot be written for axolotl: it makes a model from scratch" in capsys.readouterr().err
