"""From votes to a candidate, and exports of run folders that the engine itself wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import load_file

from inference import manifest
from tests.training import small, tiny
from tests.training.runs import save_model
from training import cli
from training.data.rows import line, open_to_write

SHORT = ("data.row_tokens=128", "schedule.steps=4", "schedule.warmup=0", "cadence.steps_a_log=1")


def battle(number: int) -> dict[str, Any]:
    """A row as the site exports it."""

    def chat(answer: str) -> list[dict[str, str]]:
        asked = {"role": "user", "content": f"Galdera {number}?"}
        return [asked, {"role": "assistant", "content": answer}]

    winner = ("model_a", "model_b", "tie")[number % 3]
    return {
        "id": f"battle-{number}", "conv_a": chat(f"Bai, {number}."), "conv_b": chat(f"No {number}"), "winner": winner,
    }  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backbone under ``base``; under ``data`` rows, and pairs that ``data preferences`` made of votes."""
    folder = tmp_path_factory.mktemp("way")
    for name in ("txiki_110", "small"):
        save_model(tiny.model(tiny.recipe()), tiny.tokenizer(), folder / "base" / name)
    with open_to_write(folder / "export.jsonl.gz") as file:
        file.writelines(line(battle(number)) for number in range(12))
    made = ["data", "preferences", str(folder / "export.jsonl.gz"), "--held-out", "0"]
    assert cli.main([*made, "--output", str(folder / "data" / "preferences.jsonl")]) == 0
    small.write_rows(folder / "data" / "magpie.jsonl", small.chats(20))
    return folder


def command(place: Path, name: str, recipe: str, *changes: str) -> list[str]:
    roots = [("--data", "data"), ("--base", "base"), ("--tokens", "tokens"), ("--runs", "runs")]
    where = [part for root, folder in roots for part in (root, str(place / folder))]
    return ["train", recipe, "--name", name, *where, "--set", *changes]


def exported(run: Path, *options: str) -> dict[str, Any]:
    """What is written of an export: the manifest, which the site accepts."""
    assert cli.main(["export", str(run), *options]) == 0
    found = manifest.read(run / "export" / "candidate.json")
    record = json.loads((run / "run.json").read_text())
    assert record["artefacts"]["export"] == "export/candidate.json"
    assert record["status"] == "done"
    return dict(found)


def test_votes_become_a_candidate(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(command(place, "votes", "txiki_110_dpo", *SHORT)) == 0
    [said] = yaml.safe_load(capsys.readouterr().out)
    run = place / "runs" / "votes"
    assert said["steps"] == 4
    lines = [json.loads(each) for each in (run / "metrics.jsonl").read_text().splitlines()]
    assert [each["step"] for each in lines] == [1, 2, 3, 4]
    assert all({"margin", "accuracy"} == set(each["rewards"]) for each in lines)
    counts = json.loads((run / "data.json").read_text())
    assert counts["preferences"]["rows"] == 8  # four of the twelve were ties
    found = exported(run)
    assert "ebaluatzaileen botoak" in found["training_data"]
    assert found["run"]["data"] == counts
    told = next(
        row for row in (run / "export" / "README.md").read_text().splitlines() if "preferences.jsonl" in row
    )
    assert told.endswith(f"| 8 | {counts['preferences']['tokens']} |")
    before, after = (
        load_file(each / "model.safetensors") for each in (place / "base" / "txiki_110", run / "export")
    )
    assert before.keys() == after.keys()
    assert any(not torch.equal(tensor, after[name]) for name, tensor in before.items())


def test_a_preference_run_that_was_asked_to_stop_saves_and_goes_on(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os
    import signal

    from training.metrics import MetricsFile
    from training.signals import INTERRUPTED

    append = MetricsFile.append

    def stop(self: MetricsFile, line: dict[str, Any]) -> None:
        append(self, line)
        if line["step"] == 2:
            os.kill(os.getpid(), signal.SIGUSR1)

    monkeypatch.setattr(MetricsFile, "append", stop)
    asked = command(place, "stopped", "txiki_110_dpo", *SHORT)
    assert cli.main(asked) == INTERRUPTED
    run = place / "runs" / "stopped"
    assert json.loads((run / "run.json").read_text())["status"] == "interrupted"
    monkeypatch.undo()
    assert cli.main(["export", str(run), "--no-logits"]) == 0
    assert cli.main([*asked, "--resume"]) == 0
    lines = [json.loads(each) for each in (run / "metrics.jsonl").read_text().splitlines()]
    assert [each["step"] for each in lines] == [1, 2, 3, 4]
    record = json.loads((run / "run.json").read_text())
    assert (record["status"], record["artefacts"]["export"]) == ("done", "export/candidate.json")


def test_adapters_that_the_engine_trained_are_exported(place: Path) -> None:
    changes = (
        "method.lora={rank: 2, alpha: 4, dropout: 0, matrices: [q_proj, down_proj]}", "backbone.path=BASE/small",
        "data.sources.magpie_eu.path=DATA/magpie.jsonl", "cadence.evaluations_an_epoch=null", "method.attention=sdpa",
        "method.precision=fp32", "method.liger=false", "schedule.steps=2", "data.row_tokens=128", "batch.accumulation=1",
    )  # fmt: skip
    assert cli.main(command(place, "lora", "exp_2_010_lora", *changes)) == 0
    run = place / "runs" / "lora"
    found = exported(run, "--base", str(place / "base"))
    assert found["adapter_of"]["rank"] == 2
    assert (run / "export" / "adapter_model.safetensors").is_file()
    counts = json.loads((run / "data.json").read_text())
    assert counts["magpie_eu"]["rows"] == 20 - 6  # so many are longer than a row
    assert counts["magpie_eu"]["tokens"] > 20 * 10
