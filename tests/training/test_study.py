"""The study's recipes, whole, on a backbone and rows that take a moment: the way a cluster goes, from files to checkpoints."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.training import small, tiny
from tests.training.runs import save_model
from training import checkpoints, cli, config

HERE = (
    "method.attention=sdpa", "parallel.kind=ddp", "batch.processes=1", "batch.accumulation=2", "data.row_tokens=128",
    "backbone.path=BASE/small", "schedule.epochs=1", "cadence.evaluations_an_epoch=2",
)  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cluster's folders: a backbone under ``base``, every source of the study under ``data``."""
    folder = tmp_path_factory.mktemp("cluster")
    save_model(tiny.model(tiny.recipe()), tiny.tokenizer(), folder / "base" / "small")
    data = config.load("exp_0_111").data
    for number, source in enumerate([*data.sources.values(), *data.evaluation.values()]):
        rows = small.chats if source.kind == "chats" else small.documents
        small.write_rows(folder / source.path.replace("DATA", "data"), rows(6 + number))
    return folder


def trained(place: Path, name: str, recipe: str, *changes: str) -> Path:
    command = ["train", recipe, "--runs", str(place / "runs"), "--name", name]
    for root, folder in (("--data", "data"), ("--base", "base"), ("--tokens", "tokens")):
        command += [root, str(place / folder)]
    assert cli.main([*command, "--set", *HERE, *changes]) == 0
    return place / "runs" / name


def lines(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def test_a_full_run_reads_all_its_sources_and_is_measured_on_the_studys_sets(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = trained(place, "full", "exp_0_110")
    [said] = yaml.safe_load(capsys.readouterr().out)
    steps = [line for line in lines(run) if "loss" in line]
    learnt = set().union(*(line["loss_by_source"] for line in steps))
    assert learnt == set(config.load("exp_0_110").sources)
    assert said["steps"] == steps[-1]["step"] == len(steps)
    measured = [line["evaluation"] for line in lines(run) if "evaluation" in line]
    assert len(measured) >= 2
    assert all(set(each) == {"aya", "magpie_ultra"} for each in measured)
    assert all(score["bits_per_byte"] > 0 for each in measured for score in each.values())
    record = json.loads((run / "run.json").read_text())
    assert (record["status"], record["recipe"], record["steps"]) == ("done", "exp_0_110", len(steps))
    assert checkpoints.last_of(run / "checkpoints") is not None
    rates = [line["learning_rate"] for line in steps]
    assert max(rates) <= 1e-5
    assert rates[-1] >= 0.33 * 1e-5


def test_adapters_learn_from_the_same_rows(place: Path) -> None:
    lora = "method.lora={rank: 2, alpha: 4, dropout: 0, matrices: [q_proj, down_proj]}"
    run = trained(place, "lora", "exp_2_010_lora", lora)
    last = checkpoints.last_of(run / "checkpoints")
    assert last is not None
    assert (last / "adapter_model.safetensors").is_file()
    assert {name for line in lines(run) if "loss" in line for name in line["loss_by_source"]} == {"magpie_eu"}


def test_a_source_that_is_missing_is_named_and_the_run_failed(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["train", "exp_0_010", "--runs", str(tmp_path), "--base", str(place / "base")]
    command += ["--data", str(tmp_path), "--tokens", str(tmp_path / "tokens"), "--set", *HERE]
    assert cli.main(command) == 2
    assert "Magpie-Llama-3.1-8B-Instruct-Filtered-translated-1M-cleaned.jsonl" in capsys.readouterr().err
    record = json.loads((tmp_path / "exp_0_010" / "run.json").read_text())
    assert record["status"] == "failed"
    assert record["error"].startswith("BadData: ")
