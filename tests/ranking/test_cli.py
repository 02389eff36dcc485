from __future__ import annotations

import csv
import gzip
import io
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ranking import reference
from ranking.cli import main
from tests.ranking.crowds import crowd

PAIRS = str(reference.pairs_path())


@pytest.fixture
def votes(tmp_path: Path) -> str:
    path = tmp_path / "votes.csv"
    path.write_text("model_a,model_b,winner,username\nx,y,model_a,ane\ny,x,model_a,jon\nx,y,tie,ane\n")
    return str(path)


def test_the_module_ranks_the_published_pairs_as_json(repository: Path) -> None:
    command = [sys.executable, "-m", "ranking", PAIRS, "--format", "json"]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    board = json.loads(done.stdout)
    assert (board["n_votes"], board["n_models"], board["status"]) == (12_890, 21, "ok")
    published = {row.model: row.overall for row in reference.published_ratings()}
    assert max(abs(row["rating"] - published[row["model"]]) for row in board["ratings"]) <= 2.0
    widths = [(row["high"] - row["low"]) / 2 for row in board["ratings"]]
    assert sum(widths) / 21 == pytest.approx(17.6, abs=0.1)


def test_the_module_imports_no_django(repository: Path) -> None:
    code = "import sys, ranking.cli, ranking.missing, ranking.plot, ranking.sampler, ranking.verdict, ranking.reference; sys.exit('django' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=repository, check=False).returncode == 0


def test_a_bad_row_exits_with_2_and_prints_no_board(repository: Path, tmp_path: Path) -> None:
    path = tmp_path / "votes.jsonl"
    path.write_text(
        '{"model_a":"x","model_b":"y","winner":"tie"}\n{"model_a":"x","model_b":"y","winner":"me"}\n'
    )
    command = [sys.executable, "-m", "ranking", str(path)]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"{path}: line 2, column winner: 'me' is none of model_a")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "text",
    [
        "model_a,model_b,winner\n",
        "model_a,model_b,winner\nx,y,tie\n",
        "model_a,model_b,winner\nx,y,model_a\n",
        "model_a,model_b,winner\nx,y,model_a\nz,w,model_b\n",
    ],
)
@pytest.mark.parametrize("how", ["table", "json", "csv"])
def test_a_degenerate_board_is_printed_all_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, how: str
) -> None:
    path = tmp_path / "votes.csv"
    path.write_text(text)
    assert main([str(path), "--format", how]) == 0
    printed = capsys.readouterr().out
    assert printed.endswith("\n")
    assert "nan" not in printed.lower()
    assert "inf" not in printed.lower()
    if how == "json":
        assert json.loads(printed)["status"] in {"empty", "insufficient", "unbounded", "disconnected"}


def test_the_table_shows_ranks_intervals_and_counts(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([PAIRS]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "12890 votes, 21 models, overall, ties half, 95 % intervals, status ok"
    assert lines[2].split() == [
        "1",
        "1-1",
        "gpt-4o-2024-11-20",
        "1188.6",
        "1169.3..1207.9",
        "1207",
        "802",
        "197",
        "208",
        "ok",
    ]
    assert len(lines) == 23


def test_the_csv_has_a_row_a_model_and_empty_cells_for_no_rating(
    votes: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with Path(votes).open("a") as file:
        file.write("new,x,model_b,ane\n")
    assert main([votes, "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["model"] for row in rows] == ["x", "y", "new"]
    assert (rows[2]["rating"], rows[2]["losses"], rows[2]["status"]) == ("", "1", "unbounded")


def test_options_reach_the_board(votes: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([votes, "--ties", "drop", "--interval", "0.8", "--cluster", "none", "--format", "json"]) == 0
    board = json.loads(capsys.readouterr().out)
    assert (board["ties"], board["interval"], board["cluster"]) == ("drop", 0.8, "none")
    assert board["ratings"][0]["rating"] == pytest.approx(1000)


def test_a_criterion_reads_its_own_winner(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "votes.jsonl.gz"
    row = {"model_a": "x", "model_b": "y", "winner": "tie", "winner_language": "model_b"}
    path.write_bytes(gzip.compress(json.dumps(row).encode()))
    assert main([str(path), "--criterion", "language", "--format", "json"]) == 0
    board = json.loads(capsys.readouterr().out)
    assert board["criterion"] == "language"
    assert {row["model"]: row["wins"] for row in board["ratings"]} == {"x": 0, "y": 1}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--ties", "rao-kupper", "--cluster", "judge"], "--ties rao-kupper takes every vote for itself"),
        (["--ties", "rao-kupper", "--cap-per-user-candidate", "3"], "--ties rao-kupper takes every vote"),
        (["--cap-per-user-candidate", "0"], "--cap-per-user-candidate is a number of votes, at least 1"),
        (["--cap-per-user-candidate", "-2"], "--cap-per-user-candidate is a number of votes, at least 1"),
        (["--interval", "1"], "--interval is a probability"),
        (["--interval", "nan"], "--interval is a probability"),
    ],
)
def test_an_option_that_cannot_be_used_is_refused_and_named(
    votes: str, capsys: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    assert main([votes, *options]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(said)


@pytest.mark.parametrize(
    "options", [["--ties", "davidson"], ["--criterion", "style"], ["--format", "xml"], []]
)
def test_a_command_line_that_cannot_be_read_exits_with_2(options: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(options)
    assert caught.value.code == 2


def test_pair_counts_refuse_another_criterion(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([PAIRS, "--criterion", "content"]) == 2
    assert "one criterion, overall" in capsys.readouterr().err


def printed(capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, Any]:
    assert main([*options, "--format", "json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def refused(capsys: pytest.CaptureFixture[str], *options: str) -> str:
    assert main(list(options)) == 2
    caught = capsys.readouterr()
    assert caught.out == ""
    return caught.err


def half_width(board: dict[str, Any]) -> float:
    return float(sum(row["high"] - row["low"] for row in board["ratings"]) / 2 / len(board["ratings"]))


@pytest.fixture
def crowded(tmp_path: Path) -> str:
    """20 people of taste, 30 votes each, in sessions of ten."""
    ballots = crowd(np.linspace(-0.3, 0.3, 4), users=20, votes=30, taste=1.0, rng=np.random.default_rng(8))
    winners = ["model_a", "model_b", "tie", "both_bad"]
    rows = [
        f"{ballots.models[a]},{ballots.models[b]},{winners[outcome]},u{user},s{place // 10},{1 + place % 2}"
        for place, (a, b, outcome, user) in enumerate(
            zip(ballots.a, ballots.b, ballots.outcome, ballots.user, strict=True)
        )
    ]
    path = tmp_path / "crowd.csv"
    path.write_text("\n".join(["model_a,model_b,winner,judge,session,importance", *rows]) + "\n")
    return str(path)


def test_intervals_are_clustered_by_whoever_voted(crowded: str, capsys: pytest.CaptureFixture[str]) -> None:
    auto, none = (printed(capsys, crowded, "--cluster", how) for how in ("auto", "none"))
    assert (auto["cluster"], none["cluster"]) == ("judge", "none")
    assert half_width(auto) > 1.3 * half_width(none)
    assert [row["rating"] for row in auto["ratings"]] == pytest.approx(
        [row["rating"] for row in none["ratings"]]
    )
    assert printed(capsys, crowded) == auto
    assert printed(capsys, crowded, "--cluster", "judge") == auto


def test_a_column_by_name_clusters_too(crowded: str, capsys: pytest.CaptureFixture[str]) -> None:
    board = printed(capsys, crowded, "--cluster", "session")
    assert board["cluster"] == "session"
    assert half_width(board) != pytest.approx(half_width(printed(capsys, crowded)))


def test_a_cap_changes_the_ratings_with_or_without_clusters(
    crowded: str, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = printed(capsys, crowded)
    for how in ("auto", "none"):
        capped = printed(capsys, crowded, "--cap-per-user-candidate", "2", "--cluster", how)
        assert capped["n_votes"] == plain["n_votes"]
        ratings = [{row["model"]: row["rating"] for row in board["ratings"]} for board in (capped, plain)]
        assert ratings[0] != pytest.approx(ratings[1])
    unreached = printed(capsys, crowded, "--cap-per-user-candidate", "999")
    assert unreached["ratings"][0]["low"] == pytest.approx(plain["ratings"][0]["low"])


def test_a_cap_counts_by_the_column_that_clusters(crowded: str, capsys: pytest.CaptureFixture[str]) -> None:
    cap = ("--cap-per-user-candidate", "3")
    by_session, by_judge = (
        printed(capsys, crowded, "--cluster", column, *cap) for column in ("session", "judge")
    )
    assert by_session["ratings"][0]["rating"] != pytest.approx(by_judge["ratings"][0]["rating"])


def test_weights_count(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "votes.csv"
    path.write_text("model_a,model_b,winner,weight\nx,y,model_a,3\nx,y,model_b,1\nx,y,model_b,0\n")
    row = printed(capsys, str(path))["ratings"][0]
    assert (row["model"], row["n"], row["wins"], row["losses"]) == ("x", 2, 1, 1)
    assert row["rating"] - 1000 == pytest.approx(200 * math.log10(3))


@pytest.mark.parametrize("who", ["ane", ""])
def test_a_single_voter_leaves_votes_independent_unless_clusters_are_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], who: str
) -> None:
    path = tmp_path / "votes.csv"
    path.write_text("model_a,model_b,winner,user\n" + f"x,y,model_a,{who}\nx,y,model_b,{who}\n" * 5)
    board = printed(capsys, str(path))
    assert (board["cluster"], board["status"]) == ("none", "provisional")
    asked = printed(capsys, str(path), "--cluster", "user")
    assert (asked["cluster"], asked["status"]) == ("user", "insufficient" if who else "provisional")


def test_a_cluster_column_that_is_missing_is_bad_input(
    votes: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said = refused(capsys, votes, "--cluster", "session")
    assert said == f"{votes}: line 1, column session: this column is missing\n"


def test_a_cap_needs_to_know_who_cast_every_vote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "votes.csv"
    path.write_text("model_a,model_b,winner\nx,y,tie\n")
    assert "needs to know who voted" in refused(capsys, str(path), "--cap-per-user-candidate", "3")
    path.write_text("model_a,model_b,winner,user\nx,y,tie,ane\nx,y,tie,\n")
    said = refused(capsys, str(path), "--cap-per-user-candidate", "3")
    assert said.startswith(f"{path}: line 3, column user: who voted is missing")


@pytest.mark.parametrize("options", [["--cluster", "username"], ["--cap-per-user-candidate", "3"]])
def test_pair_counts_do_not_know_who_voted(capsys: pytest.CaptureFixture[str], options: list[str]) -> None:
    assert "pair counts do not say who voted" in refused(capsys, PAIRS, *options)


def test_a_bad_weight_prints_no_board(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "votes.csv"
    path.write_text("model_a,model_b,winner,weight\nx,y,tie,1\nx,y,tie,inf\n")
    assert refused(capsys, str(path)).startswith(f"{path}: line 3, column weight: 'inf' is not a weight")


def test_the_help_says_what_a_cluster_and_a_cap_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "the first of username, user, judge, worker that names two voters or more" in said
    assert "the most that one voter weighs on any model" in said


def test_rao_kupper_ranks_votes_each_for_itself_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "votes.csv"
    rows = ["x,y,model_a,ane", "x,y,model_b,jon", "x,y,model_a,ane", "x,y,tie,jon", "y,x,tie,ane"]
    path.write_text("model_a,model_b,winner,user\n" + "\n".join(rows) + "\n")
    assert main([str(path), "--ties", "rao-kupper", "--format", "json"]) == 0
    board = json.loads(capsys.readouterr().out)
    assert (board["ties"], board["cluster"], board["ratings"][0]["model"]) == ("rao-kupper", "none", "x")
    path.write_text("model_a,model_b,winner,weight\nx,y,model_a,0.5\ny,x,model_a,1\n")
    assert main([str(path), "--ties", "rao-kupper"]) == 2
    assert "knows no weights" in capsys.readouterr().err


def test_the_published_votes_rank_alike_under_either_tie_rule(capsys: pytest.CaptureFixture[str]) -> None:
    orders = []
    for ties in ("half", "rao-kupper"):
        assert main([str(reference.pairs_path()), "--ties", ties, "--format", "json"]) == 0
        board = json.loads(capsys.readouterr().out)
        orders.append([row["model"] for row in board["ratings"]])
        assert all(row["low"] < row["rating"] < row["high"] for row in board["ratings"])
    assert orders[0][:3] == orders[1][:3]
