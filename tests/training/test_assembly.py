"""How a run is put together: its length, its rows, its roots."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.training import tiny
from training.assembly import extent
from training.data.builtin import BuiltInRows
from training.errors import BadRecipe
from training.train import Options


def test_epochs_are_counted_in_whole_steps_of_all_processes() -> None:
    rows = tiny.FakeRows(count=10)
    found = extent(tiny.recipe("schedule.epochs=3", "batch.rows=2", "batch.accumulation=2"), rows)
    assert (found.steps, found.steps_an_epoch) == (8, 2.5)
    two = extent(tiny.recipe("schedule.epochs=3", "batch.rows=2", "batch.processes=2"), rows)
    assert (two.steps, two.steps_an_epoch) == (8, 2.5)


def test_steps_are_the_recipes_and_seconds_have_none() -> None:
    rows = tiny.FakeRows(count=10)
    assert extent(tiny.recipe("schedule.steps=7", "batch.rows=5"), rows).steps == 7
    by_time = extent(tiny.recipe("schedule.seconds=7", "batch.rows=5"), rows)
    assert (by_time.steps, by_time.steps_an_epoch) == (None, 2)


def test_built_in_rows_are_as_many_as_the_run_takes() -> None:
    rows = BuiltInRows(
        tiny.recipe("schedule.steps=3", "batch.rows=2", "batch.accumulation=4"), tiny.tokenizer()
    )
    assert len(rows) == 24
    row = rows[0]
    assert {len(each) for each in row.values()} == {tiny.LENGTH}
    assert set(row["sources"]) <= {-1, 0}


def test_each_pass_of_them_is_of_its_own_and_the_same_again() -> None:
    rows = BuiltInRows(tiny.recipe("schedule.steps=3"), tiny.tokenizer())
    first = rows[0]
    rows.set_epoch(1)
    second = rows[0]
    assert first != second
    rows.set_epoch(0)
    assert rows[0] == first


def test_by_the_clock_there_are_rows_too() -> None:
    assert len(BuiltInRows(tiny.recipe("schedule.seconds=3", "batch.rows=1"), tiny.tokenizer())) == 200


def test_what_data_and_base_stand_for_is_told_or_in_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("LEHIA_TRAINING_DATA", raising=False)
    monkeypatch.setenv("LEHIA_TRAINING_BASE", "/models")
    options = Options(runs=tmp_path)
    assert options.resolve("BASE/a/b") == Path("/models/a/b")
    assert options.resolve("rows/x.jsonl") == Path("rows/x.jsonl")
    assert Options(runs=tmp_path, base=tmp_path).resolve("BASE/a") == tmp_path / "a"
    with pytest.raises(BadRecipe, match="say what DATA/ stands for, by --data DIR or LEHIA_TRAINING_DATA"):
        options.resolve("DATA/x.jsonl")
