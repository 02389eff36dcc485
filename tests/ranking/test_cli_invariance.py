"""What must not change a printed board: the order of rows, names, sides, the layout, the compression."""

from __future__ import annotations

import gzip
import json
import random
import runpy
import sys
from pathlib import Path
from typing import Any

import pytest

from ranking import reference
from ranking.cli import main

Row = dict[str, str]
SWAPPED = {"model_a": "model_b", "model_b": "model_a", "tie": "tie", "both_bad": "both_bad"}


def make_rows(n: int = 400) -> list[Row]:
    chance = random.Random(21)
    rows = []
    for _ in range(n):
        model_a, model_b = chance.sample(["ahuntz", "behi", "katu", "txakur"], 2)
        winner = chance.choices(list(SWAPPED), weights=[4 if model_a < model_b else 2, 3, 2, 1])[0]
        rows.append({"model_a": model_a, "model_b": model_b, "winner": winner})
    return rows


def as_csv(rows: list[Row]) -> str:
    return "\n".join([",".join(rows[0]), *(",".join(row.values()) for row in rows)])


def as_json_lines(rows: list[Row]) -> str:
    return "\n".join(json.dumps(row) for row in rows)


@pytest.fixture
def board(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def printed(content: str | bytes) -> dict[str, Any]:
        path = tmp_path / "votes"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        assert main([str(path), "--format", "json"]) == 0
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    return printed


def assert_same(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert one["n_votes"] == other["n_votes"]
    for row, twin in zip(one["ratings"], other["ratings"], strict=True):
        assert row == pytest.approx(twin, abs=1e-6)


def test_the_order_of_rows_does_not_matter(board: Any) -> None:
    rows = make_rows()
    assert board(as_csv(rows)) == board(as_csv(rows[::-1]))


def test_the_layout_and_the_compression_do_not_matter(board: Any) -> None:
    rows = make_rows()
    plain = board(as_csv(rows))
    assert board(as_json_lines(rows)) == plain
    assert board(gzip.compress(as_csv(rows).encode())) == plain
    assert board(gzip.compress(as_json_lines(rows).encode())) == plain


def test_swapped_sides_do_not_matter(board: Any) -> None:
    rows = make_rows()
    swapped = [
        {"model_a": row["model_b"], "model_b": row["model_a"], "winner": SWAPPED[row["winner"]]}
        for row in rows
    ]
    assert_same(board(as_csv(rows)), board(as_csv(swapped)))


def test_other_names_change_the_names_alone(board: Any) -> None:
    rows = make_rows()
    names = {"ahuntz": "z", "behi": "y", "katu": "x", "txakur": "w"}
    renamed = [row | {side: names[row[side]] for side in ("model_a", "model_b")} for row in rows]
    one, other = board(as_csv(rows)), board(as_csv(renamed))
    for row in one["ratings"]:
        row["model"] = names[row["model"]]
    assert_same(one, other)


def test_swapped_pair_counts_do_not_matter(board: Any) -> None:
    lines = reference.pairs_path().read_text(encoding="utf-8").splitlines()
    swapped = [lines[0]]
    for line in lines[1:]:
        a, b, n, a_wins, b_wins, ties = line.split(",")
        swapped.append(",".join([b, a, n, b_wins, a_wins, ties]))
    assert_same(board("\n".join(lines)), board("\n".join(swapped)))


def test_the_module_ends_with_the_exit_status_of_its_main(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["ranking", "no-such-file"])
    with pytest.raises(SystemExit) as caught:
        runpy.run_module("ranking", run_name="__main__")
    assert caught.value.code == 2
    assert capsys.readouterr().err == "no-such-file: No such file or directory\n"
