"""Runs as their folders say: what is well is read, what is not is said, and nothing makes a list fail."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.training import run_files, tiny
from tests.training.run_files import NOW
from training import cli, registry
from training.errors import BadData
from training.parallel import World
from training.registry import LOST_AFTER, State
from training.run_folder import Record, RunFolder
from training.train import Options, _prepared

SCHEMA = Path(__file__).parents[2] / "docs" / "schemas" / "run.schema.json"
VALIDATOR = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))
WORDS = [
    "../x",
    "/etc",
    "a/../b",
    "a..b",
    "2026-11-25",
    "2026-11-25T10:00:00",
    "2026-11-25T10:00:00Z",
    "done",
]
OBJECTS = [{}, {"a": "b"}, {"a": "../b"}, {"a": 1}]
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.text(max_size=6),
    st.sampled_from([0.5, -2.5]),
    st.sampled_from(WORDS),
    st.sampled_from(OBJECTS),
)


def read(values: object, folder: Path) -> registry.Entry:
    (folder / "run.json").write_text(json.dumps(values))
    return registry.read(folder)


def test_what_a_run_writes_follows_the_schema_and_is_read_back(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "one")
    folder.prepare(tiny.recipe())
    here = World(0, 0, 1)
    record = Record(folder, here)
    record.prepare(**_prepared(folder, tiny.recipe(), Options(tmp_path), here))
    for changes in ({}, {"status": "running", "step": 2, "loss": 3.5, "started_at": record.started_at}):
        record.update(**changes)
        VALIDATOR.validate(json.loads((folder.path / "run.json").read_text()))
        assert registry.read(folder.path).run is not None
    with pytest.raises(RuntimeError), record.kept():
        raise RuntimeError("kaput")
    entry = registry.read(folder.path)
    assert entry.run is not None
    assert (entry.state(), entry.run.step, entry.run.error) == (State.FAILED, 2, "RuntimeError: kaput")
    VALIDATOR.validate(json.loads((folder.path / "run.json").read_text()))


def test_schema_and_reader_know_the_same_keys() -> None:
    schema = json.loads(SCHEMA.read_text())
    assert set(schema["required"]) == set(schema["properties"]) == set(run_files.values())
    assert set(registry.Run.__dataclass_fields__) == set(run_files.values())


@given(key=st.sampled_from(sorted(run_files.values())), odd=ODD)
def test_the_reader_refuses_what_the_schema_refuses(
    tmp_path_factory: pytest.TempPathFactory, key: str, odd: object
) -> None:
    values = run_files.values(**{key: odd})
    entry = read(values, tmp_path_factory.mktemp("run"))
    assert (entry.run is not None) == VALIDATOR.is_valid(values), (entry.fault, values)


@pytest.mark.parametrize("key", sorted(run_files.values()))
def test_a_key_that_lacks_is_named(tmp_path: Path, key: str) -> None:
    values = run_files.values()
    del values[key]
    entry = read(values, tmp_path)
    assert entry.state() is State.BROKEN
    assert key in entry.fault
    assert not VALIDATOR.is_valid(values)


def test_a_key_too_many_is_named_and_of_many_faults_three_are_told(tmp_path: Path) -> None:
    assert "berria" in read(run_files.values(berria=1), tmp_path).fault
    many = read({}, tmp_path).fault
    assert many.count(";") == 2
    assert many.endswith("more")


@pytest.mark.parametrize("cut", [0, 1, 40, 400])
def test_a_half_written_file_is_broken_and_says_where(tmp_path: Path, cut: int) -> None:
    (tmp_path / "run.json").write_text(json.dumps(run_files.values())[:cut])
    entry = registry.read(tmp_path)
    assert entry.state() is State.BROKEN
    assert "Invalid JSON" in entry.fault


def test_missing_odd_and_huge_files_are_broken(tmp_path: Path) -> None:
    assert registry.read(tmp_path).fault == "run.json: No such file or directory"
    (tmp_path / "run.json").write_bytes(b"\xff\xfe\x00")
    assert registry.read(tmp_path).state() is State.BROKEN
    (tmp_path / "run.json").write_text(" " * (registry.MOST_BYTES + 1))
    assert "larger than 1 MB" in registry.read(tmp_path).fault
    (tmp_path / "run.json").unlink()
    (tmp_path / "run.json").mkdir()
    assert "directory" in registry.read(tmp_path).fault


@pytest.mark.parametrize(
    ("status", "age", "state"),
    [
        ("running", LOST_AFTER, State.RUNNING),
        ("running", LOST_AFTER + timedelta(seconds=1), State.LOST),
        ("prepared", LOST_AFTER + timedelta(seconds=1), State.LOST),
        ("running", -timedelta(hours=1), State.RUNNING),
        ("done", timedelta(days=9), State.DONE),
        ("interrupted", timedelta(days=9), State.INTERRUPTED),
    ],
)
def test_only_a_run_that_goes_on_can_be_lost(
    tmp_path: Path, status: str, age: timedelta, state: State
) -> None:
    run_files.write(tmp_path, status=status, heartbeat_at=(NOW - age).isoformat())
    assert registry.read(tmp_path / "lehena").state(NOW) is state


def test_a_list_is_newest_first_and_holds_the_broken_ones(tmp_path: Path) -> None:
    run_files.write(tmp_path, "zaharra", created_at="2026-11-01T10:00:00+00:00")
    run_files.write(tmp_path, "berria", created_at="2026-11-20T10:00:00+01:00")
    run_files.write(tmp_path, ".launch")
    (tmp_path / "hutsa").mkdir()
    (tmp_path / "oharrak.txt").write_text("not a run")
    assert [each.folder.name for each in registry.runs(tmp_path)] == ["berria", "zaharra", "hutsa"]


def test_a_folder_that_cannot_be_listed_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="No such file"):
        registry.runs(tmp_path / "inon")


def test_artefacts_are_those_that_are_there(tmp_path: Path) -> None:
    folder = run_files.write(tmp_path)
    (folder / "recipe.yaml").touch()
    (folder / "export").mkdir()
    (folder / "export" / "candidate.json").touch()
    found = registry.read(folder).artefacts
    assert found == {"recipe": folder / "recipe.yaml", "export": folder / "export" / "candidate.json"}


@given(st.text(max_size=130))
def test_a_name_leads_nowhere_else(text: str) -> None:
    if registry.is_name(text):
        assert (Path("/runs") / text).parent == Path("/runs")
        assert not text.startswith(".")
        assert text == Path(text).name


def test_marking_a_run_changes_what_is_given_and_leaves_its_heartbeat(tmp_path: Path) -> None:
    folder = run_files.write(tmp_path)
    registry.mark(folder, status="failed", error="Hung: no heartbeat for 60 s")
    assert json.loads((folder / "run.json").read_text()) == run_files.values(
        status="failed", error="Hung: no heartbeat for 60 s"
    )
    (folder / "run.json").write_text("{")
    registry.mark(folder, status="failed")
    assert (folder / "run.json").read_text() == "{"


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert cli.main(["runs", *arguments]) == 0
    return capsys.readouterr().out


def test_the_command_lists_runs_as_yaml_and_as_a_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_files.write(tmp_path, status="failed", error="NotFinite: step 3\nmore", steps=None, loss=None)
    run_files.write(tmp_path, "galdua", created_at="2026-11-20T10:00:00+00:00")
    (tmp_path / "hutsa").mkdir()
    rows: list[dict[str, Any]] = yaml.safe_load(said(capsys, "--runs", str(tmp_path)))["runs"]
    assert [row["state"] for row in rows] == ["failed", "lost", "broken"]
    assert rows[0]["error"] == "NotFinite: step 3\nmore"
    assert rows[2] == {"name": "hutsa", "state": "broken", "fault": "run.json: No such file or directory"}
    head, *lines = said(capsys, "--runs", str(tmp_path), "--format", "table").splitlines()
    assert head.split() == [
        "name",
        "recipe",
        "status",
        "step",
        "loss",
        "processes",
        "device",
        "heartbeat",
        "said",
    ]
    assert "120/?" in lines[0]
    assert lines[0].endswith("NotFinite: step 3")
    assert "1.2500" in lines[1]
    assert lines[2].split()[:2] == ["hutsa", "broken"]


def test_the_command_refuses_a_folder_that_is_not_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["runs", "--runs", str(tmp_path / "inon")]) == 2
    assert "inon" in capsys.readouterr().err
