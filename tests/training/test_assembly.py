"""How a run is put together: its length, its rows, its roots."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.training import tiny
from training import assembly
from training.assembly import extent
from training.errors import BadData
from training.paths import Roots


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


def test_what_a_run_reads_is_its_sources_and_what_it_is_measured_on(tmp_path: Path) -> None:
    (tmp_path / "held.jsonl").write_text('{"text": "Bat, bi, hiru. Lau, bost, sei."}\n')
    held = "data.evaluation={held: {path: DATA/held.jsonl, kind: documents, factor: corpus}}"
    roots = Roots(data=tmp_path, tokens=tmp_path / "tokens")
    small = ("data.row_tokens=640", "schedule.steps=2", held)
    never = tiny.recipe(*small)
    assert assembly.read(never, roots).evaluation == {}
    found = assembly.read(tiny.recipe(*small, "cadence.evaluations_an_epoch=1"), roots)
    assert set(found.rows.source_names) == {"basque", "prose"}
    assert [len(rows) for rows in found.evaluation.values()] == [1]
    assert list(found.evaluation) == ["held"]


def test_rows_that_hold_no_chat_are_told_and_not_waited_for(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="no built-in chat fits a row of 64 tokens"):
        assembly.read(tiny.recipe(), Roots(tokens=tmp_path))
