"""What must not change a printed board: the order of rows, names, sides, the layout, the compression."""

from __future__ import annotations

import gzip
import json
import random
import runpy
import sys
from collections.abc import Callable
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
    def printed(content: str | bytes, *options: str) -> dict[str, Any]:
        path = tmp_path / "votes"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        assert main([str(path), "--format", "json", *options]) == 0
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


def with_voters(rows: list[Row]) -> list[Row]:
    chance = random.Random(5)
    people = [f"u{chance.randrange(12)}" for _ in rows]
    return [
        row | {"username": name, "weight": str(chance.choice([0.5, 1, 2]))}
        for row, name in zip(rows, people, strict=True)
    ]


CHANGES: dict[str, Callable[[list[Row]], list[Row]]] = {
    "order": lambda rows: random.Random(3).sample(rows, len(rows)),
    "sides": lambda rows: [
        row | {"model_a": row["model_b"], "model_b": row["model_a"], "winner": SWAPPED[row["winner"]]}
        for row in rows
    ],
    "people": lambda rows: [row | {"username": f"p{99 - int(row['username'][1:])}"} for row in rows],
    "parts": lambda rows: rows[250:] + rows[100:250] + rows[:100],
    "weights": lambda rows: [row | {"weight": str(float(row["weight"]) * 8)} for row in rows],
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_must_not_change_a_clustered_board_does_not(board: Any, change: str) -> None:
    rows = with_voters(make_rows())
    one, other = board(as_csv(rows)), board(as_csv(CHANGES[change](rows)))
    assert one["cluster"] == "username"
    assert_same(one, other)


@pytest.mark.parametrize("change", sorted(CHANGES.keys() - {"weights"}))
def test_what_must_not_change_a_capped_board_does_not(board: Any, change: str) -> None:
    rows = with_voters(make_rows())
    cap = ("--cap-per-user-candidate", "2")
    assert_same(board(as_csv(rows), *cap), board(as_csv(CHANGES[change](rows)), *cap))


def test_other_names_change_the_names_of_a_clustered_board_alone(board: Any) -> None:
    names = {"ahuntz": "z", "behi": "y", "katu": "x", "txakur": "w"}
    rows = with_voters(make_rows())
    renamed = [row | {side: names[row[side]] for side in ("model_a", "model_b")} for row in rows]
    one, other = board(as_csv(rows)), board(as_csv(renamed))
    for row in one["ratings"]:
        row["model"] = names[row["model"]]
    assert_same(one, other)


def test_the_layout_of_clustered_votes_does_not_matter(board: Any) -> None:
    rows = with_voters(make_rows())
    assert board(as_json_lines(rows)) == board(gzip.compress(as_csv(rows).encode()))


def test_columns_that_are_not_known_are_ignored(board: Any) -> None:
    rows = with_voters(make_rows())
    assert board(as_csv([row | {"conv": "kaixo", "n": "x"} for row in rows])) == board(as_csv(rows))


def test_the_module_ends_with_the_exit_status_of_its_main(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["ranking", "no-such-file"])
    with pytest.raises(SystemExit) as caught:
        runpy.run_module("ranking", run_name="__main__")
    assert caught.value.code == 2
    assert capsys.readouterr().err == "no-such-file: No such file or directory\n"
