"""Sums over a window of steps, and the lines that are written of them."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from training import metrics
from training.memory import peak_mb
from training.metrics import MetricsFile, Stopwatch, Tally, Window


def tally() -> Tally:
    return Tally(2, lambda tensor: tensor)


def added(to: Tally, nats: list[float], learnt: list[float]) -> None:
    sources = torch.tensor([[0, 0, 1, -1]])
    positions = torch.tensor([[0, 1, 0, 0]])
    one, other = (torch.tensor(each, dtype=torch.float64) for each in (nats, learnt))
    to.add(one, other, sources, positions)


def test_a_window_sums_batches_and_starts_anew_when_taken() -> None:
    sums = tally()
    assert sums.take() is None
    added(sums, [3.0, 1.0], [2, 1])
    added(sums, [1.0, 0.0], [2, 0])
    window = sums.take()
    assert window == Window(nats=(4.0, 1.0), learnt=(4, 1), seen=6, keys=8)
    assert sums.take() is None


def test_loss_is_by_token_and_a_source_without_any_is_left_out() -> None:
    window = Window(nats=(4.0, 0.0), learnt=(8, 0), seen=9, keys=9)
    assert window.loss == 0.5
    assert window.by_source(("prose", "chats")) == {"prose": 0.5}
    assert Window((0.0,), (0,), 5, 5).loss == 0


def test_what_is_taken_is_over_all_processes() -> None:
    sums = Tally(2, lambda tensor: tensor * 3)
    added(sums, [3.0, 1.0], [2, 1])
    window = sums.take()
    assert window is not None
    assert (window.learnt, window.seen) == ((6, 3), 9)


@given(st.lists(st.tuples(st.floats(0, 1e6), st.integers(0, 10**6)), min_size=1, max_size=20))
def test_sums_of_many_batches_stay_exact(batches: list[tuple[float, int]]) -> None:
    sums = tally()
    for nats, count in batches:
        added(sums, [nats, 0.0], [count, 0])
    window = sums.take()
    assert window is not None
    assert window.learnt[0] == sum(count for _, count in batches)
    assert window.nats[0] == pytest.approx(sum(nats for nats, _ in batches))


def test_a_stopwatch_leaves_out_what_is_not_a_step() -> None:
    now = [0.0]
    watch = Stopwatch(lambda: now[0])
    now[0] = 2.0
    with watch:
        now[0] = 50.0
    now[0] = 53.0
    assert watch.lap() == 5.0
    now[0] = 54.0
    assert watch.lap() == 1.0
    with watch:
        now[0] = 60.0
        assert watch.lap() == 0.0
    now[0] = 61.5
    assert watch.lap() == 1.5


def test_lines_carry_the_time_and_are_whole(tmp_path: Path) -> None:
    file = MetricsFile(tmp_path / "metrics.jsonl")
    file.append({"step": 1, "loss": 2.5, "mfu": None})
    file.append({"step": 2, "evaluation": {"eu": {"loss": 1.0}}})
    first, second = (json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines())
    assert list(first) == ["step", "time", "loss", "mfu"]
    assert datetime.fromisoformat(first["time"]).tzinfo is not None
    assert second["evaluation"] == {"eu": {"loss": 1.0}}


def test_a_number_that_json_has_not_is_null(tmp_path: Path) -> None:
    found = {"eu": {"loss": float("inf"), "bits_per_byte": float("nan")}, "en": {"loss": 1.5}}
    MetricsFile(tmp_path / "metrics.jsonl").append({"step": 1, "evaluation": found})
    line = json.loads((tmp_path / "metrics.jsonl").read_text())
    assert line["evaluation"] == {"eu": {"loss": None, "bits_per_byte": None}, "en": {"loss": 1.5}}


def test_lines_after_a_step_are_cut_and_so_is_one_that_broke_off(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    file = MetricsFile(path)
    file.cut_after(3)
    assert not path.exists()
    for step in (1, 2, 3):
        file.append({"step": step})
    with path.open("a") as end:
        end.write('{"step": 2, "lo')
    file.cut_after(2)
    assert [json.loads(line)["step"] for line in path.read_text().splitlines()] == [1, 2]
    assert [each.name for each in tmp_path.iterdir()] == ["metrics.jsonl"]


def test_on_a_cpu_memory_is_the_processs() -> None:
    assert metrics.memory_mb(torch.device("cpu")) == pytest.approx(peak_mb(), abs=50)


def test_memory_once_held_counts_after_it_is_free() -> None:
    held = bytearray(b"x") * (300 * 2**20)
    with_it = peak_mb()
    assert with_it > 300
    del held
    assert peak_mb() > with_it - 5  # the kernel counts pages in batches


def test_without_the_kernels_figure_the_systems_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "read_text", lambda self: "")
    assert peak_mb() > 10
