"""The benchmark of training: what its parts measure, and that a figure that was not taken is none."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks import training, training_gpu, training_speed, training_worker
from benchmarks.training_gpu import Case
from benchmarks.training_worker import IDENTICAL, OWN, Job, Listed, Setting
from tests.training import tiny

SHORT = Setting(steps=3, warm=1, batch=2, length=256, learning_rate=1e-3, weight_decay=0.1, clip=1.0)


def told(**values: Any) -> argparse.Namespace:
    return argparse.Namespace(
        **({"rounds": 3, "peers": Path("/none"), "attention": "sdpa", "changes": []} | values)
    )


@pytest.fixture(autouse=True)
def small_numbers() -> Iterator[None]:
    """What a benchmark sets for its own process is taken back for other tests."""
    yield
    torch.set_flush_denormal(False)


def test_a_rows_parts_are_its_documents_and_chats_without_padding() -> None:
    row = tiny.FakeRows()[0]
    found = training_speed.parts(row)
    assert sum(len(part["input_ids"]) for part in found) == tiny.LENGTH - 3
    assert [label for part in found for label in part["labels"]] == row["labels"][:-3]
    assert len(found) == row["position_ids"].count(0) - 1


def test_our_worker_trains_on_what_was_prepared(tmp_path: Path) -> None:
    training_speed.prepare(tmp_path, SHORT)
    job = Job(tmp_path, IDENTICAL, SHORT)
    rows = job.read("rows.json")
    assert len(rows) == 8
    assert set(Listed(rows)[0]) == {"input_ids", "labels", "position_ids", "sources"}
    learnt = [token for part in job.read("parts.json") for token in part["input_ids"]]
    assert len(learnt) == sum(sum(each >= 0 for each in row["sources"]) for row in rows)
    speed, loss = training_worker.ours(job)
    assert speed > 0
    assert loss == pytest.approx(7.3, abs=0.3)  # of 1,536 tokens, nothing learnt yet


def test_medians_stand_beside_the_peers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given = iter([100.0, 50.0, 90.0, 30.0] * 2 + [999.0, 49.0, 89.0, 31.0])
    monkeypatch.setattr(training_speed, "prepare", lambda folder: None)
    monkeypatch.setattr(
        training_speed,
        "_in_a_process",
        lambda *job: {"tokens_per_s": next(given), "peak_mb": 600, "loss_nats": 2.5},
    )
    rows = training_speed.measure(told(peers=tmp_path))
    assert [(row["case"], row["who"], row["times_trl"], row["goal_times"]) for row in rows] == [
        (IDENTICAL, "lehia", 2.0, 1.0),
        (IDENTICAL, "trl SFTTrainer", 1.0, None),
        (OWN, "lehia", 3.0, 1.5),
        (OWN, "trl SFTTrainer", 1.0, None),
    ]


def test_without_a_peer_or_a_gpu_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(training_speed, "prepare", lambda folder: None)
    monkeypatch.setattr(
        training_speed, "_in_a_process", lambda *job: {"tokens_per_s": 1.0, "peak_mb": 1, "loss_nats": 1.0}
    )
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert training.main(["--peers", "/none", "--only", "speed", "gpu"]) == 0
    printed = capsys.readouterr()
    assert "NOT RUN: trl SFTTrainer" in printed.err
    assert "NOT RUN: on a GPU" in printed.err
    report = json.loads(printed.out.splitlines()[-1])
    assert report["bench"] == "training"
    assert {row["who"] for row in report["rows"]} == {"lehia"}
    assert all(row["times_trl"] is None for row in report["rows"])


def test_a_table_has_each_kind_of_row_under_its_own_names() -> None:
    rows: list[dict[str, Any]] = [
        {"case": "a", "speed": 12345.6},
        {"case": "b", "speed": 2.0},
        {"case": "c", "fill": None},
    ]
    assert training.table("part", rows).splitlines() == [
        "== part", "case   speed", "   a  12,346", "   b       2", "case  fill", "   c      ",
    ]  # fmt: skip


@pytest.mark.slow
def test_what_a_gpu_would_measure_runs_on_a_cpu_too() -> None:
    case = Case("small", 1024, rows=1, checkpointing=True)
    assert training_gpu.isolation("sdpa", case)["largest_difference_nats"] == 0
    assert training_gpu.resumption("sdpa", case)["bit_equal"]
    found = training_gpu.speed(case, "sdpa", ["method.precision=fp32"], steps=3, warm=1)
    assert found["tokens_per_s"] > 0
    assert found["mfu"] is None
