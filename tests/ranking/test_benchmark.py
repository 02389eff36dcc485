"""The benchmark runs and prints what others read; its figures are not judged here."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benchmarks.ranking import main, raw_votes, simulated
from benchmarks.ranking_worker import WAYS
from ranking.fit import fit_bradley_terry


def test_it_ends_in_one_line_of_json_with_a_row_a_case(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--runs", "1", "--quick", "--peers", "/nowhere/python"]) == 0
    lines = capsys.readouterr().out.splitlines()
    report = json.loads(lines[-1])
    assert (report["bench"], set(report)) == ("ranking", {"bench", "machine", "rows"})
    assert [row["models"] for row in report["rows"]] == [21, 100, 300, 21]
    assert report["rows"][-1]["who"] == "lehia"
    assert {"best_ms", "first_ms", "input_mb", "peak_mb", "intervals"} <= set(report["rows"][-1])
    assert {"case", "who", "fit_ms", "fit_and_sandwich_ms", "board_ms"} <= set(report["rows"][0])
    assert len(lines) == 1 + 3 + 1 + 1 + 1 + 1


def test_its_simulated_boards_hold_about_the_votes_that_were_asked_for() -> None:
    tally = simulated(20, 100_000)
    assert tally.n_votes == pytest.approx(100_000, rel=0.01)
    assert tally.equals(simulated(20, 100_000))
    strengths = np.random.default_rng(1).normal(0, 0.5, 20)
    assert fit_bradley_terry(tally).strengths == pytest.approx(strengths - strengths.mean(), abs=0.1)


@pytest.mark.parametrize("who", ["lehia", "fastchat"])
def test_raw_votes_are_ranked_as_their_tally(who: str) -> None:
    tally = simulated(6, 3_000)
    raw = raw_votes(tally)
    found = WAYS[who](raw["a"], raw["b"], raw["outcome"], 6)()
    strengths = fit_bradley_terry(tally).strengths
    if who == "lehia":
        ratings = {row.model: row.rating for row in found.ratings}  # type: ignore[attr-defined]  # a board
        place = [(ratings[f"m{index}"] - 1000) / (400 / np.log(10)) for index in range(6)]
    else:
        strength: np.ndarray = found[0]  # type: ignore[index]  # strengths and their intervals
        place = list(strength - strength.mean())
    assert np.array(place) == pytest.approx(strengths, abs=1e-3)
