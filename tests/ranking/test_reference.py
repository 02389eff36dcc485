from __future__ import annotations

import csv

from ranking import reference
from ranking.readers import PAIR_COLUMNS


def test_the_carried_pairs_name_each_unordered_pair_once() -> None:
    with reference.pairs_path().open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == PAIR_COLUMNS
    pairs = {frozenset((row["model_a"], row["model_b"])) for row in rows}
    assert len(pairs) == len(rows) == 21 * 20 // 2


def test_battles_a_pair_lie_between_the_published_bounds() -> None:
    with reference.pairs_path().open(encoding="utf-8", newline="") as file:
        met = [int(row["n"]) for row in csv.DictReader(file)]
    assert (min(met), max(met), round(sum(met) / len(met))) == (42, 106, 61)


def test_the_published_rows_stand_from_the_best_down() -> None:
    rows = reference.published_ratings()
    assert len(rows) == 21
    assert [row.overall for row in rows] == sorted((row.overall for row in rows), reverse=True)
    assert rows[-1].model == "Llama-3.1-8B-Instruct"
    assert rows[-1].rank == 21


def test_the_data_say_what_they_are_and_under_which_terms() -> None:
    readme = (reference.pairs_path().parent / "README.md").read_text(encoding="utf-8")
    assert "CC0" in readme
    for file in reference.pairs_path().parent.glob("*.csv"):
        assert file.name in readme
