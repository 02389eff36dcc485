"""Processes over gloo on the loopback: one step, one end, one set of weights."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from tests.training import tiny
from tests.training.processes import together
from training.export.job import Request, export
from training.run_folder import RunFolder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where both left what they found."""
    folder = tmp_path_factory.mktemp("two")
    together("tests.training.two", 2, folder)
    return folder


@pytest.fixture(scope="module")
def found(folder: Path) -> list[dict[str, Any]]:
    return [json.loads((folder / f"found-{rank}.json").read_text()) for rank in (0, 1)]


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, torch.Tensor], list[dict[str, Any]]]:
    """The same steps in one process."""
    lines: list[dict[str, Any]] = []
    changes = ("schedule.steps=4", "cadence.evaluations_an_epoch=1", "optimizer.name=adamw")
    recipe = tiny.recipe("batch.rows=4", *changes)
    held = {"held": tiny.FakeRows(count=5, seed=9)}
    folder = tmp_path_factory.mktemp("alone")
    return tiny.fit(tiny.trainer(recipe, folder, evaluation=held, lines=lines)), lines


def test_both_have_the_same_weights(folder: Path) -> None:
    one, other = (torch.load(folder / f"weights-{rank}.pt") for rank in (0, 1))
    assert tiny.same(one, other)


def test_the_weights_are_those_of_one_process_with_the_same_rows(folder: Path, alone: Any) -> None:
    two = torch.load(folder / "weights-0.pt")
    for name, value in alone[0].items():
        assert torch.allclose(two[name], value, atol=2e-4), name


def test_what_is_written_is_over_both_and_by_one(found: list[dict[str, Any]], alone: Any) -> None:
    assert found[1]["lines"] == []
    steps = [line for line in found[0]["lines"] if "loss" in line]
    wanted = [line for line in alone[1] if "loss" in line]
    for line, one in zip(steps, wanted, strict=True):
        assert line["loss"] == pytest.approx(one["loss"], rel=1e-4)
        assert (line["tokens"], line["tokens_seen"]) == (one["tokens"], one["tokens_seen"])


def test_a_set_is_measured_once_over_both(found: list[dict[str, Any]], alone: Any) -> None:
    [measured] = [line["evaluation"]["held"] for line in found[0]["lines"] if "evaluation" in line][-1:]
    [wanted] = [line["evaluation"]["held"] for line in alone[1] if "evaluation" in line][-1:]
    assert measured["loss"] == pytest.approx(wanted["loss"], rel=1e-3)
    assert measured["bits_per_byte"] == pytest.approx(wanted["bits_per_byte"], rel=1e-3)


def test_one_asked_to_stop_stops_both_and_they_go_on_bit_equal(found: list[dict[str, Any]]) -> None:
    assert all(each["resumed_equal"] for each in found)


def test_shards_train_to_the_very_weights_of_whole_ones(found: list[dict[str, Any]]) -> None:
    """Although the second process began with others: the first one's are everybody's."""
    assert all(each["sharded"]["type"] == "FSDP" for each in found)
    assert all(each["sharded"]["equal"] for each in found)


def test_a_sharded_run_goes_on_bit_equal_from_shards(found: list[dict[str, Any]]) -> None:
    assert all(each["sharded"]["resumed_equal"] for each in found)
    for kind in ("pytorch_model_fsdp_0", "optimizer_0"):
        shards = [path for path in found[0]["sharded"]["files"] if kind in path]
        assert len(shards) == 2, "one of each process"


def test_the_shards_that_the_engine_saved_are_exported_as_the_whole_model(
    folder: Path, tmp_path: Path
) -> None:
    run = RunFolder(tmp_path / "run")
    run.prepare(tiny.recipe("batch.processes=2", "optimizer.name=adamw", "parallel.kind=full"))
    (run.path / "run.json").write_text("{}")
    shutil.copytree(folder / "shards", run.checkpoints, dirs_exist_ok=True)
    done = export(Request(run.path))
    assert (done.checkpoint, done.hashes, done.logits) == (4, "equal", "equal")
    wanted = torch.load(folder / "weights-0.pt")
    for name, tensor in load_file(run.path / "export" / "model.safetensors").items():
        assert torch.equal(tensor, wanted[name]), name


def test_under_shards_in_bf16_sums_of_losses_are_not_rounded(found: list[dict[str, Any]], alone: Any) -> None:
    """Accelerate would round them to three digits: 5.73 would be 5.727."""
    measured = found[0]["sharded"]["bf16"]
    wanted = [line["evaluation"]["held"]["loss"] for line in alone[1] if "evaluation" in line]
    assert measured == pytest.approx(wanted, rel=3e-4)
    assert len(set(measured)) == len(measured)


def test_the_first_processs_clock_ends_the_run_for_both(found: list[dict[str, Any]]) -> None:
    assert found[0]["clock_steps"] == found[1]["clock_steps"] > 0


def test_a_bad_gradient_in_one_stops_both_at_the_same_step(found: list[dict[str, Any]]) -> None:
    assert all(each["poison"].startswith("step 2: ") for each in found)
    assert all("rows 4 to 7 " in each["poison"] for each in found)


def test_accelerate_would_hold_weights_whole_and_we_refuse(found: list[dict[str, Any]]) -> None:
    assert all("accelerate made MULTI_CPU of it" in each["refused"] for each in found)


@pytest.mark.slow
def test_copies_of_shards_train_to_the_weights_of_whole_ones(tmp_path: Path) -> None:
    together("tests.training.four", 4, tmp_path)
    for rank in range(4):
        found = json.loads((tmp_path / f"found-{rank}.json").read_text())
        assert found["placements"] == "(Replicate(), Shard(dim=0))"
        assert found["largest_difference"] < 1e-6  # sums over four are in another order
        assert found["resumed_equal"]
