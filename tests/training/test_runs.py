"""Whole runs in their folders: prepared, done, failed, interrupted, resumed."""

from __future__ import annotations

import functools
import itertools
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import load_file

from tests.training import tiny
from training import assembly, checkpoints, cli
from training.config import Recipe
from training.errors import BadRecipe, Interrupted, NotFinite
from training.metrics import MetricsFile
from training.parallel import World
from training.run_folder import Record, RunFolder
from training.schedule import BySeconds
from training.signals import INTERRUPTED
from training.train import Options, train

FOUR = ("schedule.steps=4", "cadence.saves_an_epoch=4", "cadence.kept=9", "batch.rows=3")


@pytest.fixture(autouse=True)
def rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that are there at once."""
    held = {"held": tiny.FakeRows(count=3, seed=9)}
    monkeypatch.setattr(
        assembly, "read", lambda *a, **k: assembly.Data(tiny.tokenizer(), tiny.FakeRows(), held)
    )


def record(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "run.json").read_text())
    return found


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def weights(folder: Path, step: int = 4) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = load_file(
        folder / "checkpoints" / f"checkpoint-{step}" / "model.safetensors"
    )
    return found


def at_step(monkeypatch: pytest.MonkeyPatch, step: int, does: Any) -> None:
    """Do something when the line of a step is written."""
    append = MetricsFile.append

    def both(self: MetricsFile, line: dict[str, Any]) -> None:
        append(self, line)
        if line["step"] == step and "loss" in line:
            does()

    monkeypatch.setattr(MetricsFile, "append", both)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nothing happened to."""
    patch = pytest.MonkeyPatch()
    patch.setattr(assembly, "read", lambda *a, **k: assembly.Data(tiny.tokenizer(), tiny.FakeRows(), {}))
    runs = tmp_path_factory.mktemp("runs")
    train(tiny.recipe(*FOUR), Options(runs=runs, command=("training", "train", "x")))
    patch.undo()
    return runs / "txiki_110"


def test_a_folder_has_all_that_the_contract_names(whole: Path) -> None:
    assert {path.name for path in whole.iterdir()} == {
        "run.json", "data.json", "recipe.yaml", "metrics.jsonl", "checkpoints", "log.txt",
    }  # fmt: skip
    assert Recipe.model_validate(yaml.safe_load((whole / "recipe.yaml").read_text())) == tiny.recipe(*FOUR)
    assert [line["step"] for line in lines(whole)] == [1, 2, 3, 4]
    assert [path.name for path in checkpoints.all_of(whole / "checkpoints")] == [
        f"checkpoint-{step}" for step in (1, 2, 3, 4)
    ]
    assert "txiki_110: 4 steps from step 0" in (whole / "log.txt").read_text()


def test_its_record_says_how_it_stands(whole: Path) -> None:
    found = record(whole)
    assert found["schema"] == "lehia.run/1"
    assert (found["name"], found["recipe"], found["status"]) == ("txiki_110", "txiki_110", "done")
    assert (found["step"], found["steps"], found["processes"], found["device"]) == (4, 4, 1, "cpu")
    assert found["tokens_seen"] == 4 * 3 * 61 == lines(whole)[-1]["tokens_seen"]
    assert found["loss"] == lines(whole)[-1]["loss"]
    assert found["command"] == "training train x"
    assert found["error"] is None
    assert found["created_at"] <= found["started_at"] <= found["ended_at"] <= found["heartbeat_at"]
    for path in found["artefacts"].values():
        assert (whole / path).exists()


def test_a_run_that_is_there_is_not_overwritten(whole: Path) -> None:
    before = (whole / "run.json").read_text()
    with pytest.raises(BadRecipe, match="--resume to go on with it, --name for another"):
        train(tiny.recipe(*FOUR), Options(runs=whole.parent))
    assert (whole / "run.json").read_text() == before


def test_a_run_goes_on_only_with_the_recipe_it_has(whole: Path) -> None:
    with pytest.raises(BadRecipe, match="started with other values"):
        train(tiny.recipe(*FOUR, "batch.rows=2"), Options(runs=whole.parent, resume=True))


def test_a_refused_run_leaves_the_process_its_small_numbers(whole: Path) -> None:
    with pytest.raises(BadRecipe):
        train(tiny.recipe(*FOUR), Options(runs=whole.parent))
    assert sys.float_info.min / 2 > 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_a_signal_saves_and_the_run_goes_on_to_the_same_weights(
    tmp_path: Path, whole: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    recipe, options = tiny.recipe(*FOUR, "cadence.saves_an_epoch=null"), Options(runs=tmp_path, name="own")
    with monkeypatch.context() as patch:
        at_step(patch, 2, lambda: os.kill(os.getpid(), number))
        with pytest.raises(Interrupted, match=f"stopped by {number.name} after saving checkpoint-3"):
            train(recipe, options)
    assert record(tmp_path / "own")["status"] == "interrupted"
    assert record(tmp_path / "own")["error"] is None
    first = record(tmp_path / "own") | dict.fromkeys(
        ("created_at", "started_at"), "2026-01-02T03:04:05+00:00"
    )
    (tmp_path / "own" / "run.json").write_text(json.dumps(first))
    finished = train(recipe, Options(runs=tmp_path, name="own", resume=True))
    assert finished.progress.step == 4
    found = record(tmp_path / "own")
    assert found["status"] == "done"
    assert (found["created_at"], found["started_at"]) == (first["created_at"], first["started_at"])
    assert found["ended_at"] >= first["ended_at"]
    steps = lines(tmp_path / "own")
    learnt = [
        after["tokens"] - before
        for before, after in zip([0, *(s["tokens"] for s in steps)], steps, strict=False)
    ]
    nats = sum(step["loss"] * count for step, count in zip(steps, learnt, strict=True))
    assert finished.progress.loss == pytest.approx(nats / steps[-1]["tokens"], rel=1e-5)  # of both parts
    assert tiny.same(weights(tmp_path / "own"), weights(whole))
    assert [line["step"] for line in lines(tmp_path / "own")] == [1, 2, 3, 4]


def test_a_run_that_was_killed_goes_on_from_its_last_checkpoint(
    tmp_path: Path, whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def kill() -> None:
        raise Killed

    recipe = tiny.recipe(*FOUR, "cadence.saves_an_epoch=2")
    with monkeypatch.context() as patch:
        at_step(patch, 3, kill)
        with pytest.raises(Killed):
            train(recipe, Options(runs=tmp_path))
    folder = tmp_path / "txiki_110"
    (folder / "checkpoints" / checkpoints.PARTIAL / "checkpoint-3").mkdir(parents=True)  # half written
    assert record(folder)["status"] == "failed"
    assert [line["step"] for line in lines(folder)] == [1, 2, 3]
    train(recipe, Options(runs=tmp_path, resume=True))
    assert tiny.same(weights(folder), weights(whole))
    assert [line["step"] for line in lines(folder)] == [1, 2, 3, 4]
    assert record(folder)["error"] is None
    assert [each.name for each in (folder / "checkpoints").iterdir() if each.name.startswith(".")] == []


def test_a_number_that_is_none_fails_the_run_and_keeps_what_is_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from training.trainer import PackedTrainer

    losses = PackedTrainer._summed_losses

    def bad(self: PackedTrainer, model: Any, inputs: Any) -> Any:
        loss, *rest = losses(self, model, inputs)
        return (loss * (float("nan") if self.state.global_step == 2 else 1), *rest)

    monkeypatch.setattr(PackedTrainer, "_summed_losses", bad)
    with pytest.raises(NotFinite, match="step 3"):
        train(tiny.recipe(*FOUR), Options(runs=tmp_path))
    found = record(tmp_path / "txiki_110")
    assert found["status"] == "failed"
    assert found["error"].startswith("NotFinite: step 3: ")
    assert checkpoints.last_of(tmp_path / "txiki_110" / "checkpoints").name == "checkpoint-2"  # type: ignore[union-attr]


def test_a_resumed_run_without_a_checkpoint_begins(tmp_path: Path, whole: Path) -> None:
    train(tiny.recipe(*FOUR), Options(runs=tmp_path, resume=True))
    assert tiny.same(weights(tmp_path / "txiki_110"), weights(whole))


def test_the_sets_are_in_the_metrics_and_the_log(tmp_path: Path) -> None:
    train(tiny.recipe(*FOUR, "cadence.evaluations_an_epoch=1"), Options(runs=tmp_path))
    measured = [line for line in lines(tmp_path / "txiki_110") if "evaluation" in line]
    assert [line["step"] for line in measured] == [4]
    assert set(measured[0]["evaluation"]["held"]) == {"loss", "bits_per_byte"}
    assert "bits_per_byte" in (tmp_path / "txiki_110" / "log.txt").read_text()


def test_a_run_of_seconds_ends_by_the_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = functools.partial(next, itertools.count(0.0, 1.0))
    monkeypatch.setattr(assembly, "BySeconds", functools.partial(BySeconds, clock=clock))
    finished = train(tiny.recipe("schedule.seconds=5", "batch.rows=1"), Options(runs=tmp_path))
    assert finished.progress.step == 4  # the clock is read once before them and once after each
    assert record(tmp_path / "txiki_110")["steps"] is None
    assert lines(tmp_path / "txiki_110")[-1]["learning_rate"] < 3e-3


def test_tensorboard_takes_part_when_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENSORBOARD_LOGGING_DIR", str(tmp_path / "board"))
    recipe = tiny.recipe(*FOUR, "cadence.evaluations_an_epoch=1")
    train(recipe, Options(runs=tmp_path, report_to=("tensorboard",)))
    [events] = (tmp_path / "board").rglob("events.out.tfevents.*")
    written = events.read_bytes()
    for name in (b"train/loss", b"train/tokens_per_s", b"train/learning_rate", b"eval/held_bits_per_byte"):
        assert name in written


def command(tmp_path: Path, *more: str) -> list[str]:
    changes = [*FOUR, tiny.SHAPE, f"data.row_tokens={tiny.LENGTH}", "cadence.steps_a_log=1"]
    return ["train", "txiki_110", "--runs", str(tmp_path), "--name", "own", "--set", *changes, *more]


def test_the_command_trains_resumes_and_tells_an_interruption_by_its_status(
    tmp_path: Path, whole: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as patch:
        at_step(patch, 1, lambda: os.kill(os.getpid(), signal.SIGUSR1))
        assert cli.main(command(tmp_path)) == INTERRUPTED
    assert "own: stopped by SIGUSR1 after saving checkpoint-2; --resume to go on" in capsys.readouterr().err
    assert cli.main(command(tmp_path)) == 2
    assert cli.main(command(tmp_path, "--resume")) == 0
    [found] = yaml.safe_load(capsys.readouterr().out)
    assert (found["recipe"], found["run"], found["steps"]) == ("txiki_110", str(tmp_path / "own"), 4)
    assert tiny.same(weights(tmp_path / "own"), weights(whole))


def test_a_later_process_writes_no_record_and_prints_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("training.commands.train.world", lambda: World(rank=1, local_rank=1, size=2))
    assert cli.main(command(tmp_path)) == 0
    assert capsys.readouterr().out == ""
    folder = RunFolder(tmp_path / "other")
    folder.prepare(tiny.recipe())
    Record(folder, World(rank=1, local_rank=1, size=2)).update(status="running")
    assert not (folder.path / "run.json").exists()


def test_a_heartbeat_is_ten_seconds_apart_and_follows_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = itertools.count(0.0, 4.0)
    monkeypatch.setattr("training.run_folder.time.monotonic", lambda: next(now))
    folder = RunFolder(tmp_path / "own")
    folder.prepare(tiny.recipe())
    kept = Record(folder, World(0, 0, 1))
    kept.update(step=0)
    written: list[None] = []
    monkeypatch.setattr(kept, "update", lambda: written.append(None))
    for _ in range(3):
        kept.beat()
    assert len(written) == 1
    beats: list[None] = []
    made = tiny.trainer(tiny.recipe("schedule.steps=3"), tmp_path, alive=lambda: beats.append(None))
    tiny.fit(made)
    assert len(beats) == 4  # three steps and the save at the end


def test_the_command_refuses_what_does_not_fit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["train", "exp_0_110", "--runs", str(tmp_path)]) == 2
    assert "--set parallel.kind=ddp to go on" in capsys.readouterr().err
    assert cli.main(["train", "txiki_110", "txiki_010", "--set", "batch.rows=1"]) == 2
    assert (
        cli.main(["train", "txiki_110", "--runs", str(tmp_path), "--report-to", "mlflow", "--name", "x"]) == 2
    )
    assert "no reporter is called" in capsys.readouterr().err
