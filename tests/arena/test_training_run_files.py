"""Files of training runs: read by the schema, bounded however large, and never from outside a run's folder."""

from __future__ import annotations

import json
import os
import tracemalloc
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.runs import folder, metrics
from arena.runs.folder import LOST_AFTER, RunState
from arena.runs.metrics import MOST_LINE, POINTS, WHOLE
from tests.arena import training_runs as made
from tests.arena.training_runs import NOW


def found(root: Path, name: str = "lehena") -> folder.Run:
    run = folder.find(root, name)
    assert run is not None
    return run


# ---- run.json


def test_a_run_is_read_with_its_times(tmp_path: Path) -> None:
    made.write(tmp_path)
    run = found(tmp_path)
    assert (run.facts["step"], run.fault) == (1200, "")
    assert NOW - run.facts["heartbeat_at"] < timedelta(seconds=1)
    assert run.facts["ended_at"] is None


@pytest.mark.parametrize(
    ("status", "age", "state"),
    [
        ("running", timedelta(0), RunState.RUNNING),
        ("running", LOST_AFTER + timedelta(seconds=2), RunState.LOST),
        ("prepared", LOST_AFTER + timedelta(seconds=2), RunState.LOST),
        ("prepared", -timedelta(hours=1), RunState.PREPARED),
        ("failed", timedelta(days=3), RunState.FAILED),
        ("interrupted", timedelta(days=3), RunState.INTERRUPTED),
        ("done", timedelta(days=3), RunState.DONE),
    ],
)
def test_only_a_run_that_goes_on_can_be_lost(
    tmp_path: Path, status: str, age: timedelta, state: RunState
) -> None:
    made.write(tmp_path, status=status, heartbeat_at=(NOW - age).isoformat(timespec="seconds"))
    assert found(tmp_path).state(NOW) is state


@pytest.mark.parametrize("key", sorted(made.values()))
def test_what_the_schema_refuses_is_broken_and_named(tmp_path: Path, key: str) -> None:
    odd = {"a": 17.5} if key == "artefacts" else "hamar" if key in {"step", "steps", "loss"} else 17.5
    (made.write(tmp_path) / "run.json").write_text(json.dumps(made.values(**{key: odd})))
    run = found(tmp_path)
    assert run.state(NOW) is RunState.BROKEN
    assert f"$.{key}" in run.fault


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b"null", b"\xff\xff", b"[" * 60_000, b" " * (folder.MOST_BYTES + 1), b'{"a": 1}'],
)
def test_no_content_of_run_json_makes_reading_fail(tmp_path: Path, raw: bytes) -> None:
    (made.write(tmp_path) / "run.json").write_bytes(raw)
    run = found(tmp_path)
    assert run.state(NOW) is RunState.BROKEN
    assert run.fault.startswith("run.json: ")
    assert len(run.fault) < 1000


def test_a_time_that_no_calendar_has_is_broken(tmp_path: Path) -> None:
    made.write(tmp_path, created_at="2026-13-45T10:00:00Z")
    assert found(tmp_path).state(NOW) is RunState.BROKEN


def test_a_list_is_newest_first_with_the_broken_last(tmp_path: Path) -> None:
    made.write(tmp_path, "zaharra", created_at="2026-01-01T10:00:00Z")
    made.write(tmp_path, "berria", created_at="2026-02-01T10:00:00+01:00")
    made.write(tmp_path, ".launch")
    (tmp_path / "hutsa").mkdir()
    (tmp_path / "oharra.txt").touch()
    assert [run.name for run in folder.runs(tmp_path)] == ["berria", "zaharra", "hutsa"]
    assert folder.runs(tmp_path / "inon") == []


# ---- nothing from outside


@pytest.mark.parametrize(
    "name", ["..", ".", "../x", "a/b", "/etc", "", ".launch", "a\x00b", "a\n", "x" * 121]
)
def test_other_paths_are_no_runs(tmp_path: Path, name: str) -> None:
    root = tmp_path / "runs"
    made.write(root)
    made.write(tmp_path, "x")
    made.write(root, ".launch")
    assert folder.find(root, name) is None


def test_a_link_to_elsewhere_is_no_run(tmp_path: Path) -> None:
    root = tmp_path / "runs"
    root.mkdir()
    outside = made.write(tmp_path, "kanpoan")
    (root / "esteka").symlink_to(outside)
    assert folder.find(root, "esteka") is None
    assert folder.runs(root) == []


@pytest.mark.parametrize(
    "relative", ["../kanpoan/run.json", "/etc/passwd", "esteka", "sub/../../kanpoan/run.json", "a\x00"]
)
def test_a_file_outside_the_run_is_not_there(tmp_path: Path, relative: str) -> None:
    root = tmp_path / "runs"
    inside = made.write(root)
    outside = made.write(root, "kanpoan")
    (inside / "sub").mkdir()
    (inside / "esteka").symlink_to(outside / "run.json")
    assert found(root).file(relative) is None
    assert found(root).file("run.json") == inside / "run.json"


def test_a_run_json_that_is_a_link_to_elsewhere_is_not_read(tmp_path: Path) -> None:
    inside = made.write(tmp_path)
    outside = made.write(tmp_path, "kanpoan")
    (inside / "run.json").unlink()
    (inside / "run.json").symlink_to(outside / "run.json")
    assert found(tmp_path).fault == "run.json: not there"


def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    """Reading it would wait for ever."""
    os.mkfifo(made.write(tmp_path) / "metrics.jsonl")
    assert found(tmp_path).file("metrics.jsonl") is None


def test_artefacts_are_those_that_are_there_and_inside(tmp_path: Path) -> None:
    inside = made.write(tmp_path, artefacts={"recipe": "recipe.yaml", "log": "log.txt", "esteka": "esteka"})
    outside = made.write(tmp_path, "kanpoan")
    (inside / "recipe.yaml").touch()
    (inside / "esteka").symlink_to(outside)
    made.export(inside)
    assert found(tmp_path).artefacts == {"recipe": "recipe.yaml", "export": "export/candidate.json"}
    made.write(tmp_path, artefacts={"log": "../kanpoan/run.json"})
    assert found(tmp_path).state(NOW) is RunState.BROKEN


# ---- the log


def test_a_logs_end_is_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_text("".join(f"lerroa {number} ñ\n" for number in range(10_000)))
    said = folder.tail(path, most_bytes=1000)
    assert len(said.encode()) <= 1000
    assert said.endswith("lerroa 9999 ñ\n")
    assert all(line.startswith("lerroa ") for line in said.splitlines())
    path.write_bytes(b"\xffbi\n")
    assert folder.tail(path) == "\ufffdbi\n"
    path.write_text("")
    assert folder.tail(path) == ""


# ---- metrics


def test_a_short_file_is_read_whole(tmp_path: Path) -> None:
    lines = [made.step(1), made.step(2), made.evaluation(2), made.step(3)]
    read = metrics.read(made.write_metrics(tmp_path, lines))
    assert [line["step"] for line in read.steps] == [1, 2, 3]
    assert [line["step"] for line in read.evaluations] == [2]
    assert not read.is_sampled


def test_more_points_than_a_picture_holds_are_thinned_to_its_ends(tmp_path: Path) -> None:
    count = 5000
    lines = [made.step(number) for number in range(1, count + 1)]
    read = metrics.read(made.write_metrics(tmp_path, lines))
    steps = [line["step"] for line in read.steps]
    assert len(steps) == POINTS
    assert (steps[0], steps[-1]) == (1, count)
    gaps = {after - before for before, after in pairwise(steps)}
    assert max(gaps) - min(gaps) <= 1
    assert read.is_sampled


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that is longer than what is read whole, with an evaluation every 5,000 steps."""
    path = tmp_path_factory.mktemp("long")
    numbers = range(1, 40_001)
    lines = (made.evaluation(each) if each % 5000 == 0 else made.step(each) for each in numbers)
    found = made.write_metrics(path, lines)
    assert found.stat().st_size > 2 * WHOLE
    return found


def test_a_long_file_is_sampled_from_end_to_end_with_all_evaluations(long: Path) -> None:
    read = metrics.read(long)
    steps = [line["step"] for line in read.steps]
    assert POINTS * 0.9 <= len(steps) <= POINTS
    assert (steps[0], steps[-1]) == (1, 39_999)
    assert steps == sorted(steps)
    gaps = [after - before for before, after in pairwise(steps)]
    assert max(gaps) < 2.5 * 40_000 / POINTS
    assert [line["step"] for line in read.evaluations] == list(range(5000, 40_001, 5000))
    assert read.is_sampled


def test_a_long_file_is_read_in_bounded_pieces(long: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long: what is held at a time, and for the steps also what is read in all, does not grow with it."""
    asked: list[int] = []
    open_ = Path.open

    class Counted:
        def __init__(self, file: Any) -> None:
            self._file = file

        def __enter__(self) -> Counted:
            return self

        def __exit__(self, *_: object) -> None:
            self._file.close()

        def read(self, size: int) -> bytes:
            asked.append(size)
            return bytes(self._file.read(size))

        def seek(self, *place: int) -> int:
            return int(self._file.seek(*place))

    monkeypatch.setattr(metrics, "SCANNED", 2 * 2**20)
    monkeypatch.setattr(Path, "open", lambda path, mode: Counted(open_(path, mode)))
    read = metrics.read(long)
    assert max(asked) <= 2**20
    assert len(asked) <= POINTS + 4
    assert [line["step"] for line in read.evaluations] == [35_000, 40_000], "those near the end"


def test_evaluations_that_lie_across_pieces_are_found(long: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "_CHUNK", 64)
    assert [line["step"] for line in metrics.read(long).evaluations] == list(range(5000, 40_001, 5000))


def test_the_last_line_is_found_without_the_others(long: Path) -> None:
    line = metrics.last(long)
    assert line is not None
    assert line["step"] == 39_999


BAD = [
    b"", b"{", b"[1]", b"7", b"null", b'{"step": null}', b'{"step": true}', b'{"loss": 1}', b'{"step": "4"}', b"\xff\xfe",
    b'{"step": NaN}', b'{"step": 1e999}', b"[" * 50_000, b'{"step": 1' + b"0" * 400 + b"}", b'{"step":',
]  # fmt: skip


@pytest.mark.parametrize("raw", BAD, ids=lambda raw: repr(raw[:14]))
def test_a_line_that_is_none_is_passed_over(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "metrics.jsonl"
    good = [json.dumps(made.step(number)).encode() for number in (1, 2)]
    path.write_bytes(b"\n".join([good[0], raw, good[1], raw]))
    assert [line["step"] for line in metrics.read(path).steps] == [1, 2]
    line = metrics.last(path)
    assert line is not None
    assert line["step"] == 2
    path.write_bytes(raw)
    assert metrics.read(path) == metrics.Metrics()
    assert metrics.last(path) is None


def test_lines_without_end_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    good = json.dumps(made.step(1)) + "\n" + json.dumps(made.evaluation(1)) + "\n"
    path.write_text(good + "x" * (WHOLE + 3 * MOST_LINE))
    read = metrics.read(path)
    assert [line["step"] for line in read.steps] == [1]
    assert [line["step"] for line in read.evaluations] == [1]
    assert metrics.last(path) is None


def test_a_line_without_end_is_not_held(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(b"x" * 4 * WHOLE)
    tracemalloc.start()
    try:
        assert metrics.read(path) == metrics.Metrics(is_sampled=True)
        assert tracemalloc.get_traced_memory()[1] < WHOLE
    finally:
        tracemalloc.stop()


def test_of_a_step_that_was_written_twice_the_last_counts(tmp_path: Path) -> None:
    lines = [made.step(1), made.step(2, loss=9.0), made.step(2, loss=3.0)]
    read = metrics.read(made.write_metrics(tmp_path, lines))
    assert [line["loss"] for line in read.steps] == [made.step(1)["loss"], 3.0]


@given(st.one_of(st.none(), st.booleans(), st.text(), st.floats(), st.integers(), st.lists(st.integers())))
def test_only_finite_numbers_are_numbers(value: Any) -> None:
    found_ = metrics.number({"a": value}, "a")
    if found_ is not None:
        assert isinstance(value, int | float)
        assert not isinstance(value, bool)
        assert abs(found_) < float("inf")
    assert metrics.number({}, "a") is None
