"""Analyses of a file of judgements, as anybody runs them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ranking.analysis import ANALYSES, WAYS, Asked, analyse
from ranking.board import build_board_from_ballots
from ranking.cli import main
from ranking.selection import Selection
from ranking.types import Criterion
from tests.ranking.judged import crowd, file_of, judgements, row

RECIPES = ("exp_0_000", "exp_0_010", "exp_1_010", "gpt")


def told(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
    assert main([*words, "--format", "json"]) == 0
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def test_the_board_counts_a_vote_once_and_leaves_out_what_does_not_count(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = crowd()
    whole = judgements(rows, Criterion.CONTENT)
    counted = whole.taken(Selection().matching(whole))
    board = told(capsys, str(file_of(tmp_path, rows)), "--criterion", "content")
    assert (board["n_votes"], board["cluster"]) == (210, "username")
    again = build_board_from_ballots(counted.ballots, criterion=Criterion.CONTENT, cluster="username")
    assert board == json.loads(json.dumps(again.as_json()))


def test_a_filter_is_the_file_without_the_rest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = crowd()
    part = [each for each in rows if each["user_language"] == "C1-C2" and each["turns"] == 1]
    for name in ("board", "slices", "agreement", "prompts"):
        by_option = told(
            capsys, str(file_of(tmp_path, rows)), "--analysis", name, "--level", "C1-C2", "--turns", "1"
        )
        assert by_option == told(capsys, str(file_of(tmp_path, part)), "--analysis", name)


@pytest.mark.parametrize("name", list(ANALYSES))
@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_every_analysis_prints_in_every_format(
    name: str, form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = file_of(tmp_path, crowd(400, models=RECIPES))
    assert main([str(path), "--analysis", name, "--format", form]) == 0
    assert ("exp_0_000" if name == "board" else "votes") in capsys.readouterr().out


@pytest.mark.parametrize("by", list(WAYS))
def test_slices_add_up_to_the_whole_however_they_are_cut(by: str) -> None:
    found = analyse("slices", judgements(crowd()), Asked(by=by)).table("slices").as_json()
    assert sum(int(each["votes"] or 0) for each in found) == 240


def test_slices_whose_whole_is_too_steep_to_fit_are_told_as_unrated() -> None:
    met = [("w", "x"), ("x", "w"), ("y", "z"), ("z", "y")]
    alone = [row(username="ane", user_language="", model_a=a, model_b=b) for a, b in met]
    found = judgements([*crowd(models=("w", "x", "y", "z")), *alone])
    heavy = found.ballots.reweighted(np.where(found.levels == "", 1e20, 1.0))
    numbers = analyse("slices", replace(found, ballots=heavy), Asked(by="level"))
    assert numbers.tables == ()
    assert (numbers.facts["by"], numbers.facts["rated"]) == ("level", False)
    assert analyse("slices", found, Asked(by="level")).facts["rated"] is True


def test_recipes_have_effects_and_others_none() -> None:
    found = analyse("factors", judgements(crowd(600, models=RECIPES)), Asked())
    assert found.facts["recipes"] == 3
    assert {each["factor"] for each in found.table("effects").as_json()} == {"backbone", "instructions"}
    assert not analyse("factors", judgements(crowd()), Asked()).tables


def test_people_agree_on_what_they_all_judged_alike() -> None:
    rows = [
        row(username=f"u{who}", prompt=f"p{item}", winner=("model_a", "model_b")[item % 2])
        for who in range(3)
        for item in range(12)
    ]
    turned = row(username="u9", prompt="p0", model_a="y", model_b="x", winner="model_b")
    found = analyse("agreement", judgements([*rows, turned, row(turns=2, winner="tie")]), Asked())
    assert found.table("agreement").rows[0][1] == 1.0
    assert found.table("agreed_on").as_json()[0]["judgements"] == 37


def test_judgements_say_themselves_who_voted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = file_of(tmp_path, crowd(30))
    assert main([str(path), "--cluster", "campaign"]) == 2
    assert capsys.readouterr().err == f"{path}: column username: says who voted in this layout\n"


@pytest.mark.parametrize("name", list(ANALYSES))
def test_a_filter_that_nothing_matches_is_no_error(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = file_of(tmp_path, crowd(30))
    told(capsys, str(path), "--analysis", name, "--campaign", "nowhere")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--level", "C1-C2"], "need a file of the export layout judgements"),
        (["--analysis", "prompts"], "need a file of the export layout judgements"),
        (["--since", "soon"], "column since"),
        (["--analysis", "slices", "--ties", "drop"], "of the board alone"),
    ],
)
def test_what_a_file_of_votes_cannot_tell_is_refused(
    words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "votes.csv"
    path.write_text("model_a,model_b,winner\nx,y,model_a\n")
    assert main([str(path), *words]) == 2
    assert said in capsys.readouterr().err
