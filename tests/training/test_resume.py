"""A run that stops and goes on ends with the same weights, bit for bit."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training import tiny
from training import checkpoints
from training.checkpoints import Progress
from training.schedule import BySeconds

NOISY = ("method.neftune_alpha=5", "batch.rows=1", "batch.accumulation=2", "schedule.steps=4")


def resumed(recipe: Any, folder: Path, *, stop_after: int, **how: Any) -> dict[str, torch.Tensor]:
    """The weights of a run that was asked to stop after a step and went on in another trainer."""
    first = tiny.trainer(recipe, folder, asked=tiny.asked_at(stop_after), **how)
    tiny.fit(first)
    assert first.is_interrupted
    assert first.state.global_step == stop_after
    last = checkpoints.last_of(folder)
    assert last is not None
    start = checkpoints.read_progress(last)
    assert start.step == stop_after
    second = tiny.trainer(recipe, folder, start=start, of_model=tiny.model(recipe, seed=77), **how)
    return tiny.fit(second, resume_from_checkpoint=str(last))


@pytest.mark.parametrize(("optimizer", "stop_after"), [("muon", 2), ("adamw", 1), ("muon", 3)], ids=str)
def test_weights_are_those_of_a_run_that_never_stopped(
    tmp_path: Path, optimizer: str, stop_after: int
) -> None:
    recipe = tiny.recipe(*NOISY, f"optimizer.name={optimizer}")
    whole = tiny.fit(tiny.trainer(recipe, tmp_path / "whole"))
    assert tiny.same(resumed(recipe, tmp_path / "halves", stop_after=stop_after), whole)


def test_the_rows_go_on_where_they_stopped(tmp_path: Path) -> None:
    recipe, rows = tiny.recipe(*NOISY), tiny.FakeRows(count=3)
    resumed(recipe, tmp_path, stop_after=2, rows=rows)
    order = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (2, 0), (2, 1)]
    last_start = len(rows.read) - rows.read[::-1].index((1, 1)) - 1
    assert rows.read[last_start:] == order[4:]


def test_counts_go_on_too(tmp_path: Path) -> None:
    recipe = tiny.recipe(*NOISY)
    whole, halves = list[dict[str, Any]](), list[dict[str, Any]]()
    tiny.fit(tiny.trainer(recipe, tmp_path / "whole", lines=whole))
    resumed(recipe, tmp_path / "halves", stop_after=2, lines=halves)
    names = ("step", "loss", "loss_by_source", "learning_rate", "tokens", "tokens_seen", "gradient_norm")
    assert [[line[name] for name in names] for line in halves] == [
        [line[name] for name in names] for line in whole
    ]


def test_another_seed_is_another_run(tmp_path: Path) -> None:
    one = tiny.fit(tiny.trainer(tiny.recipe(*NOISY), tmp_path))
    other = tiny.recipe(*NOISY, "schedule.seed=34")
    assert not tiny.same(one, tiny.fit(tiny.trainer(other, tmp_path, of_model=tiny.model(other))))


def test_adapters_go_on_as_well(tmp_path: Path) -> None:
    from peft import LoraConfig, get_peft_model

    recipe = tiny.recipe(*NOISY, "optimizer.name=adamw")

    def adapted() -> Any:
        torch.manual_seed(5)
        config = LoraConfig(r=2, lora_dropout=0.1, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM")
        return get_peft_model(tiny.model(recipe), config)

    whole = tiny.fit(tiny.trainer(recipe, tmp_path / "whole", of_model=adapted()))
    first = tiny.trainer(recipe, tmp_path / "halves", of_model=adapted(), asked=tiny.asked_at(2))
    tiny.fit(first)
    last = checkpoints.last_of(tmp_path / "halves")
    assert last is not None
    assert (last / "adapter_model.safetensors").exists()
    second = tiny.trainer(
        recipe, tmp_path / "halves", of_model=adapted(), start=checkpoints.read_progress(last)
    )
    assert tiny.same(tiny.fit(second, resume_from_checkpoint=str(last)), whole)
    before = adapted().state_dict()
    changed = {name for name, value in whole.items() if not torch.equal(value, before[name])}
    assert changed
    assert all("lora_" in name for name in changed)


def test_by_the_clock_the_time_before_counts(tmp_path: Path) -> None:
    now = [0.0]

    def tick() -> float:
        now[0] += 1.0
        return now[0]

    recipe = tiny.recipe("schedule.seconds=10", "batch.rows=1")
    lines: list[dict[str, Any]] = []
    made = tiny.trainer(recipe, tmp_path, pace=BySeconds(10, before=6, clock=tick), lines=lines)
    assert made.steps is None
    tiny.fit(made)
    assert [line["step"] for line in lines] == [1, 2, 3]
    assert lines[-1]["learning_rate"] < lines[0]["learning_rate"]


def test_checkpoints_appear_whole_and_the_oldest_go(tmp_path: Path) -> None:
    recipe = tiny.recipe("schedule.steps=6", "cadence.saves_an_epoch=6", "cadence.kept=2")
    tiny.fit(tiny.trainer(recipe, tmp_path))
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["checkpoint-5", "checkpoint-6"]
    assert checkpoints.read_progress(tmp_path / "checkpoint-6").step == 6


def test_half_a_checkpoint_is_none(tmp_path: Path) -> None:
    recipe = tiny.recipe("schedule.steps=2")
    tiny.fit(tiny.trainer(recipe, tmp_path))
    whole = tmp_path / "checkpoint-2"
    shutil.copytree(whole, checkpoints.staged(tmp_path) / "checkpoint-9")
    (tmp_path / "checkpoint-old").mkdir()
    assert checkpoints.all_of(tmp_path) == [whole]
    checkpoints.clear(tmp_path)
    assert not checkpoints.staged(tmp_path).exists()


def test_checkpoints_are_ordered_by_step_not_by_name(tmp_path: Path) -> None:
    for step in (9, 10, 100, 20):
        (tmp_path / f"checkpoint-{step}").mkdir()
    assert [checkpoints.step_of(path) for path in checkpoints.all_of(tmp_path)] == [9, 10, 20, 100]
    assert checkpoints.last_of(tmp_path / "none") is None
    assert checkpoints.step_of(tmp_path / "other") == -1


def test_progress_reads_back(tmp_path: Path) -> None:
    written = Progress(step=3, tokens=5, tokens_seen=9, nats=7.5, seconds=1.25)
    checkpoints.write_progress(tmp_path / "checkpoint-3", written)
    assert checkpoints.read_progress(tmp_path / "checkpoint-3") == written
    assert (written.loss, Progress().loss) == (1.5, 0)
