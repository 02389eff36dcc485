"""The benchmark of rows says what it claims to."""

from __future__ import annotations

import argparse

from benchmarks import training_rows


def test_every_part_is_measured_and_fill_is_held_to_its_goal() -> None:
    parser = argparse.ArgumentParser()
    training_rows.add_options(parser)
    options = parser.parse_args(["--segments", "3000", "--megabytes", "0"])
    found = {row["case"]: row for row in training_rows.measure(options)}
    assert {case.split()[0] for case in found} == {"pack", "read", "tokenise"}
    packed = [row for case, row in found.items() if case.startswith("pack")]
    assert all(row["reached"] == (row["fill"] >= 0.97) and 0.9 < row["fill"] <= 1 for row in packed)
