"""The site and ``training`` read runs apart, by one schema: they must see the same in them."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.runs import folder
from tests.arena import training_runs as made
from tests.arena.training_runs import NOW
from training import registry

ODD: st.SearchStrategy[object] = st.sampled_from(
    [None, True, -1, 0, 7, 0.5, "", "x", "../x", "done", "lost", "2026-11-25", "2026-11-25T10:00:00Z", [], {}, {"a": "b"}, {"a": "../b"}]
)  # fmt: skip


def test_both_know_the_same_states_names_and_limits() -> None:
    assert [each.value for each in folder.RunState] == [each.value for each in registry.State]
    assert folder.LOST_AFTER == registry.LOST_AFTER
    assert folder.MOST_BYTES == registry.MOST_BYTES
    assert folder._NAME.pattern == registry._NAME.pattern
    assert folder._MADE_LATER == registry._MADE_LATER


@given(key=st.sampled_from(sorted(made.values())), odd=ODD, missing=st.booleans())
def test_both_read_or_refuse_the_same_files(
    tmp_path_factory: pytest.TempPathFactory, key: str, odd: object, missing: bool
) -> None:
    path = made.write(tmp_path_factory.mktemp("runs"))
    values = made.values()
    values.pop(key) if missing else values.update({key: odd})
    (path / "run.json").write_text(json.dumps(values))
    site, own = folder.find(path.parent, path.name), registry.read(path)
    assert site is not None
    assert site.state(NOW).value == own.state(NOW).value


@pytest.mark.parametrize("status", ["prepared", "running", "done", "failed", "interrupted"])
@given(age=st.timedeltas(-timedelta(hours=1), timedelta(hours=1)))
def test_both_lose_a_run_at_the_same_moment(
    tmp_path_factory: pytest.TempPathFactory, status: str, age: timedelta
) -> None:
    beat: datetime = NOW - age
    path = made.write(tmp_path_factory.mktemp("runs"), status=status, heartbeat_at=beat.isoformat())
    site = folder.find(path.parent, path.name)
    assert site is not None
    assert site.state(NOW).value == registry.read(path).state(NOW).value


def test_both_list_the_same_runs_in_the_same_order(tmp_path: Path) -> None:
    for number, name in enumerate(["bi", "lau", "hiru", "bat"]):
        made.write(tmp_path, name, created_at=(NOW - timedelta(hours=number % 3)).isoformat())
    (tmp_path / "hutsa").mkdir()
    made.write(tmp_path, ".launch")
    site, own = folder.runs(tmp_path), registry.runs(tmp_path)
    assert [run.name for run in site] == [entry.folder.name for entry in own]


def test_both_name_the_same_artefacts(tmp_path: Path) -> None:
    path = made.write(tmp_path)
    for name in ("recipe.yaml", "log.txt"):
        (path / name).touch()
    (path / "checkpoints").mkdir()
    made.export(path)
    site = folder.find(tmp_path, "lehena")
    assert site is not None
    assert {name: path / relative for name, relative in site.artefacts.items()} == registry.read(
        path
    ).artefacts
